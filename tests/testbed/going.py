# SPDX-License-Identifier: GPL-2.0-or-later
"""A run under way, and everything that belongs to it."""

import contextlib
import os
import signal
import subprocess
from pathlib import Path

from tests.testbed.lab import ROOT
from tests.testbed.runs import environment


class Going:
    """A run that was started, and its processes: found by a mark in their environment."""

    def __init__(self, folder: Path, words: list[str], **variables: str) -> None:
        self.folder = folder
        self.mark = str(folder / "release")
        self.process = subprocess.Popen(
            words,
            cwd=ROOT, env={**environment(), **variables, "RELEASE": self.mark}, text=True, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            # A shell's background job ignores it, and so would the run.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )  # fmt: skip

    def processes(self, word: str = "") -> list[int]:
        """The run's processes; with `word`, those that have it in their command."""
        found = []
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                texts = (entry / "environ").read_bytes(), (entry / "cmdline").read_bytes()
                if self.mark.encode() in texts[0] and word.encode() in texts[1]:
                    found.append(int(entry.name))
        return found

    def namespaces(self) -> set[str]:
        """The network namespaces of the run's processes but our own."""
        found = set()
        for number in self.processes():
            with contextlib.suppress(OSError):
                found.add(os.readlink(f"/proc/{number}/ns/net"))
        return found - {os.readlink("/proc/self/ns/net")}

    def workers(self) -> list[int]:
        """The workers of xdist: the children of the run's process that are test processes too."""
        found = []
        for number in self.processes():
            with contextlib.suppress(OSError):
                if Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[1] == str(self.process.pid):
                    found.append(number)
        return found

    def reported(self) -> int:
        """Cases in the journal so far."""
        with contextlib.suppress(OSError):
            return (self.folder / "report/results.jsonl").read_bytes().count(b"\n") - 1
        return 0

    def interrupt(self, number: int) -> None:
        """Ask it to end: with SIGINT as the terminal does, which tells every process of the foreground."""
        if number == signal.SIGINT:
            os.killpg(self.process.pid, number)
        else:
            self.process.send_signal(number)

    def is_gone(self) -> bool:
        """Whether nothing is left of it; the process itself was waited for."""
        return not self.processes()

    def kill(self) -> None:
        """End every process of it, whatever it was doing."""
        for number in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
