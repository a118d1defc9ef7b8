# SPDX-License-Identifier: GPL-2.0-or-later
"""Processor time of a run by part: who the processes below a command are, and what each has used.

The tree of processes is looked at ten times a second. What a process has used by then is its own; devices and all
others that have ended are counted by whoever waited for them. What is in no part has ended between two looks.
"""

import contextlib
import os
import resource
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

CONTROLLER, WORKERS, SUPERVISORS, PROBES, FORK_SERVERS, DEVICES, REST = PARTS = (
    "controller",
    "workers",
    "supervisors",
    "lag probes",
    "fork servers",
    "devices",
    "rest",
)
"""Parts of a run. Without workers the controller runs the cases itself."""

_LOOK_S = 0.1
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_SUPERVISOR = "testbed.device.namespaces"
_FORK_SERVER = "--fork-server"


@dataclass
class _Process:
    parent: int
    started: int
    own_s: float
    waited_s: float
    command: str
    look: int


@dataclass
class Usage:
    """What a command has come to: its code, wall and processor seconds, those of each part, and what it said."""

    code: int
    wall_s: float
    cpu_s: float
    output: str
    parts: dict[str, float] = field(default_factory=dict)
    most_memory_mb: float = 0.0


def measure(command: Sequence[str], folder: Path, within_s: float) -> Usage:
    """Run a command in a folder to its end; subprocess.TimeoutExpired where that takes too long."""
    before, started = _children_s(), time.monotonic()
    with (folder / "output.txt").open("w+") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, text=True)
        looking = _Looking(process.pid)
        try:
            process.wait(within_s)
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait()
            looking.stop()
        wall_s, cpu_s = time.monotonic() - started, _children_s() - before
        output.seek(0)
        usage = Usage(process.returncode, wall_s, cpu_s, output.read(), looking.parts(), looking.most_memory_mb)
    usage.parts[REST] = max(0.0, cpu_s - sum(usage.parts.values()))
    return usage


class _Looking:
    """Looks at the processes below one until it is told to stop."""

    def __init__(self, root: int) -> None:
        self.most_memory_mb = 0.0
        self._root = root
        self._seen: dict[tuple[int, int], _Process] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._look_on, name="processes", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()
        self._thread.join()

    def parts(self) -> dict[str, float]:
        """Processor seconds by part."""
        spent = dict.fromkeys(PARTS, 0.0)
        first_fork_servers = self._first_fork_servers()
        for (pid, started), process in self._seen.items():
            part = self._part(pid, process)
            if part == DEVICES and (pid, started) in first_fork_servers:
                part = FORK_SERVERS
            has_ended = process.look < self._last_look(process.parent)
            if part == SUPERVISORS:
                spent[DEVICES] += process.waited_s
            elif part in (PROBES, FORK_SERVERS) and has_ended:
                spent[DEVICES] -= process.own_s
            # A device that has ended is counted by the supervisor that waited for it.
            if part != DEVICES or not has_ended:
                spent[part] += process.own_s
        return spent

    def _look_on(self) -> None:
        look = 0
        while not self._stopped.wait(_LOOK_S):
            look += 1
            found = _processes(look)
            below = {self._root}
            for pid in sorted(found, key=lambda one: found[one].started):
                if found[pid].parent in below:
                    below.add(pid)
            for pid in below & found.keys():
                self._seen[pid, found[pid].started] = found[pid]
            self.most_memory_mb = max(self.most_memory_mb, _most_memory_mb(self._root))

    def _part(self, pid: int, process: _Process) -> str:
        if pid == self._root:
            return CONTROLLER
        if _SUPERVISOR in process.command:
            has_children = any(one.parent == pid for one in self._seen.values())
            return SUPERVISORS if has_children or not self._is_below_a_supervisor(process) else PROBES
        return DEVICES if self._is_below_a_supervisor(process) else WORKERS

    def _is_below_a_supervisor(self, process: _Process) -> bool:
        by_pid = {pid: one for (pid, _), one in self._seen.items() if pid != self._root}
        parent = by_pid.get(process.parent)
        return parent is not None and (_SUPERVISOR in parent.command or self._is_below_a_supervisor(parent))

    def _last_look(self, pid: int) -> int:
        return max((one.look for (number, _), one in self._seen.items() if number == pid), default=0)

    def _first_fork_servers(self) -> set[tuple[int, int]]:
        """Of the processes below each supervisor that began as fork servers the first: the others are its devices."""
        first: dict[int, tuple[int, int]] = {}
        for pid, started in sorted(self._seen, key=lambda one: (one[1], one[0])):
            process = self._seen[pid, started]
            if _FORK_SERVER in process.command:
                first.setdefault(process.parent, (pid, started))
        return set(first.values())


def _processes(look: int) -> dict[int, _Process]:
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                own, waited = (sum(map(int, fields[at : at + 2])) * _TICK_S for at in (11, 13))
                found[int(folder.name)] = _Process(int(fields[1]), int(fields[19]), own, waited, command, look)
    return found


def _most_memory_mb(pid: int) -> float:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return 0.0


def _children_s() -> float:
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime
