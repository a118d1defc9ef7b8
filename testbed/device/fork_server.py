# SPDX-License-Identifier: GPL-2.0-or-later
"""Devices forked by a warm process of their own (docs/dut-contract.md); used by the supervisor's process alone."""

import contextlib
import json
import os
import select
import shlex
import signal
import socket
import subprocess
import tempfile
from collections.abc import Mapping
from itertools import takewhile

from testbed.device import linux
from testbed.device.process import DeviceProcess
from testbed.device.untrusted import read_json

_TIMEOUT_S = 15
_LEAVING_S = 1.0
_MESSAGE = 1 << 16
_LAST_BYTES = 4_000


class ForkServerError(Exception):
    """The fork server does not do its part: what is wrong in the first line, then what it has said of it."""


class ForkServer:
    """The running fork server. After its first failure it is not asked again."""

    def __init__(self, command: list[str]) -> None:
        self._name = f"fork server {shlex.join(command)}"
        self._failure: ForkServerError | None = None
        self._command = command
        self._log = tempfile.TemporaryFile()  # noqa: SIM115
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        owner = os.getpid()
        with theirs:
            try:
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=self._log,
                    stderr=self._log,
                    env={**os.environ, "DUT_FORK_SERVER": str(theirs.fileno())},
                    pass_fds=[theirs.fileno()],
                    preexec_fn=lambda: linux.die_with_parent(owner),
                    start_new_session=True,
                )
            except OSError as error:
                raise ForkServerError(f"{self._name}: {error.strerror}") from None
        self._poller = select.poll()
        self._poller.register(self._control, select.POLLIN)
        self._poller.register(os.pidfd_open(self._process.pid), select.POLLIN)  # a device may keep the socket open

    def run(self, command: list[str], environment: dict[str, str], namespace: int | None) -> DeviceProcess:
        """Have a device forked for what its command and the server's do not share. ForkServerError if it is not."""
        if self._failure:
            raise self._failure
        request = {"arguments": after_common_beginning(command, self._command), "environment": environment}
        pipes = [os.pipe() for _ in range(3)]
        theirs = [pipes[0][0], pipes[1][1], pipes[2][1]]
        ours = [pipes[0][1], pipes[1][0], pipes[2][0]]
        try:
            return DeviceProcess(self._ask(request, theirs if namespace is None else [*theirs, namespace]), ours)
        except BaseException as error:
            for fd in ours:
                os.close(fd)
            if isinstance(error, ChildProcessError):
                raise self._fails("answered with a pid that is no child of the supervisor's (CLONE_PARENT)") from None
            raise
        finally:
            for fd in theirs:
                os.close(fd)

    def _ask(self, request: Mapping[str, object], fds: list[int]) -> int:
        """The process id of the answer."""
        answer = b""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            socket.send_fds(self._control, [json.dumps(request).encode()], fds)
            ready = self._poller.poll(_TIMEOUT_S * 1000)
            if not ready:
                raise self._fails(f"no answer within {_TIMEOUT_S} s")
            if self._control.fileno() in dict(ready):
                answer = self._control.recv(_MESSAGE)
        if not answer:
            raise self._fails("has ended")
        try:
            content = read_json(answer)
            if "error" in content:
                raise ForkServerError(f"{self._name}: {content['error']}")
            pid = content["pid"]
            if type(pid) is not int or pid in (0, self._process.pid):
                raise ValueError
        except (ValueError, LookupError, TypeError):
            shown = answer.decode(errors="backslashreplace").strip()
            wanted = 'the answer must be {"pid": ...} or {"error": ...}'
            raise self._fails(f"{wanted}, not: {shown}") from None
        return pid

    def _fails(self, what: str) -> ForkServerError:
        """End the server, which has failed for good."""
        self._control.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            what += f" with exit code {self._process.wait(_LEAVING_S)}" if what == "has ended" else ""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._log.seek(max(0, self._log.seek(0, os.SEEK_END) - _LAST_BYTES))
        said = self._log.read().decode(errors="backslashreplace")
        self._failure = ForkServerError(f"{self._name}: {what}\n{said}".rstrip())
        return self._failure


def after_common_beginning(command: list[str], other: list[str]) -> list[str]:
    """The words of `command` that follow those with which `other` begins too."""
    common = list(takewhile(lambda pair: pair[0] == pair[1], zip(command, other, strict=False)))
    return command[len(common) :]
