# SPDX-License-Identifier: GPL-2.0-or-later
"""A device's process as its supervisor has it: a child with its streams; used by the supervisor's process alone."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from testbed.device import linux


class DeviceProcess:
    """A child of this process, with the tester's ends of its standard input, output and error.

    `popen` is kept where the child was started by it. ChildProcessError if `pid` is no child of this process.
    """

    def __init__(self, pid: int, streams: list[int], popen: subprocess.Popen[bytes] | None = None) -> None:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        self.pid = pid
        self.streams = streams
        self._popen = popen
        self.descriptor = os.pidfd_open(pid)
        """Readable when the process has ended."""

    def outer_pid(self) -> int:
        """The number of the process in the PID namespace that /proc belongs to: outside, where the tester is."""
        facts = Path(f"/proc/self/fdinfo/{self.descriptor}").read_text()
        return next(int(line.split()[1]) for line in facts.splitlines() if line.startswith("Pid:"))

    def stops(self) -> Iterator[str]:
        """What has happened since it was last asked: "stopped" by a signal, "continued"."""
        with contextlib.suppress(ChildProcessError):
            while change := os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WCONTINUED | os.WNOHANG):
                yield "continued" if change.si_code == os.CLD_CONTINUED else "stopped"

    def kill(self) -> int:
        """End the process with its session, if it has not ended by itself; its exit code, minus the signal's number."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        if self.descriptor >= 0:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.descriptor, signal.SIGKILL)  # it may have no session yet
        return self.wait()

    def wait(self) -> int:
        """Wait for the end; the exit code, the same when asked again."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1
            self._code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
            if self._popen:
                self._popen.returncode = self._code
        return self._code


def run_command(command: list[str], environment: dict[str, str], namespace: int | None) -> DeviceProcess:
    """Start a device by its command, in a network namespace if it has one of its own."""
    owner = os.getpid()

    def settle() -> None:
        if namespace is not None:
            linux.setns(namespace)
        linux.die_with_parent(owner)

    pipes: Any = subprocess.PIPE
    # A session of its own: Ctrl-C at the terminal is for the tester, which then asks the device to leave.
    popen = subprocess.Popen(
        command, stdin=pipes, stdout=pipes, stderr=pipes, env=environment, preexec_fn=settle, start_new_session=True
    )
    streams = []
    for stream in (popen.stdin, popen.stdout, popen.stderr):
        assert stream
        streams.append(os.dup(stream.fileno()))
        stream.close()
    return DeviceProcess(popen.pid, streams, popen)
