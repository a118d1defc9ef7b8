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
import time
from collections.abc import Mapping
from itertools import takewhile

from testbed.device import linux
from testbed.device.process import DeviceProcess
from testbed.device.untrusted import read_json, read_text

_TIMEOUT_S = 15
_LEAVING_S = 1.0
_MESSAGE = 1 << 16
_LAST_BYTES = 4_000
_PARTS = 16


class ForkServerError(Exception):
    """The fork server does not do its part: what is wrong in the first line, then what it has said of it."""


class ForkServer:
    """The running fork server. After its first failure it is not asked again."""

    def __init__(self, command: list[str]) -> None:
        self._name = f"fork server {shlex.join(command)}"
        self._failure: ForkServerError | None = None
        self._command = command
        self.log, log = os.pipe()
        os.set_blocking(self.log, False)
        self._said = b""
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        owner = os.getpid()
        with theirs:
            try:
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env={**os.environ, "DUT_FORK_SERVER": str(theirs.fileno())},
                    pass_fds=[theirs.fileno()],
                    preexec_fn=lambda: linux.die_with_parent(owner),
                    start_new_session=True,
                )
            except OSError as error:
                raise ForkServerError(f"{self._name}: {error.strerror}") from None
            finally:
                os.close(log)
        self._poller = select.poll()
        self._poller.register(self._control, select.POLLIN)
        self._poller.register(os.pidfd_open(self._process.pid), select.POLLIN)  # a device may keep the socket open
        self._poller.register(self.log, select.POLLIN)

    def listen(self) -> bool:
        """Read what the server has written, of which the last bytes are kept; False where it writes no more."""
        with contextlib.suppress(BlockingIOError):
            for _ in range(_PARTS):
                data = os.read(self.log, _MESSAGE)
                self._said = (self._said + data)[-_LAST_BYTES:]
                if not data:
                    return False
        return True

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
            if self._control.fileno() in self._await_answer():
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
            shown = read_text(answer.strip())
            wanted = 'the answer must be {"pid": ...} or {"error": ...}'
            raise self._fails(f"{wanted}, not: {shown}") from None
        return pid

    def _await_answer(self) -> set[int]:
        """What is ready: the socket, or the end of the server. ForkServerError if neither comes in time."""
        end = time.monotonic() + _TIMEOUT_S
        while left := max(0.0, end - time.monotonic()):
            ready = {fd for fd, _ in self._poller.poll(left * 1000)}
            if self.log in ready and not self.listen():
                self._poller.unregister(self.log)
            if ready - {self.log}:
                return ready
        raise self._fails(f"no answer within {_TIMEOUT_S} s")

    def _fails(self, what: str) -> ForkServerError:
        """End the server, which has failed for good."""
        self._control.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            what += f" with exit code {self._process.wait(_LEAVING_S)}" if what == "has ended" else ""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self.listen()
        said = "\n".join(read_text(line) for line in self._said.split(b"\n"))
        self._failure = ForkServerError(f"{self._name}: {what}\n{said}".rstrip())
        return self._failure


def after_common_beginning(command: list[str], other: list[str]) -> list[str]:
    """The words of `command` that follow those with which `other` begins too."""
    common = list(takewhile(lambda pair: pair[0] == pair[1], zip(command, other, strict=False)))
    return command[len(common) :]
