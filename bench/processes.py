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


Key = tuple[int, int]
"""Number of a process and when it was started: numbers come again."""


@dataclass
class _Process:
    parent: int
    started: int
    own_s: float
    waited_s: float
    command: str
    look: int
    above: Key = (0, 0)


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
        looking = Looking(process.pid)
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


class Looking:
    """Looks at the processes below one until it is told to stop."""

    def __init__(self, root: int) -> None:
        self.most_memory_mb = 0.0
        self._root = root
        self._seen: dict[Key, _Process] = {}
        self._lock = threading.Lock()
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
        parts = self._parts()
        waiting = {self._seen[key].above for key, part in parts.items() if part == SUPERVISORS}
        for key, part in parts.items():
            process = self._seen[key]
            has_ended = process.look < self._last_look(process, parts)
            if part == SUPERVISORS and key not in waiting:
                spent[DEVICES] += process.waited_s
            elif part in (PROBES, FORK_SERVERS) and has_ended:
                spent[DEVICES] -= process.own_s
            # A device that has ended is counted by the supervisor that waited for it.
            if part != DEVICES or not has_ended:
                spent[part] += process.own_s
        return spent

    def running(self, *parts: str) -> list[int]:
        """The processes of these parts that were there at the last look."""
        with self._lock:
            last = max((process.look for process in self._seen.values()), default=0)
            return [key[0] for key, part in self._parts().items() if part in parts and self._seen[key].look == last]

    def _last_look(self, process: _Process, parts: dict[Key, str]) -> int:
        """When the supervisor above, which waits for what ends below it, was seen last."""
        while (key := process.above) in self._seen:
            process = self._seen[key]
            if parts[key] == SUPERVISORS:
                return process.look
        return 0

    def _look_on(self) -> None:
        look = 0
        while not self._stopped.wait(_LOOK_S):
            look += 1
            found = _processes(look)
            with self._lock:
                self._take(found)
            self.most_memory_mb = max(self.most_memory_mb, _most_memory_mb(self._root))

    def _take(self, found: dict[int, _Process]) -> None:
        for pid in _below(self._root, found):
            if found[pid].parent in found:
                found[pid].above = found[pid].parent, found[found[pid].parent].started
            key = pid, found[pid].started
            if key in self._seen and not found[pid].command:  # one that nobody has waited for yet
                found[pid].command = self._seen[key].command
            self._seen[key] = found[pid]

    def _from_the_top(self) -> list[Key]:
        """Every process after the one that started it; of those of one process, the older ones first."""
        children: dict[Key, list[Key]] = {}
        for key in sorted(self._seen, key=lambda one: one[1]):
            children.setdefault(self._seen[key].above, []).append(key)
        ordered = [key for key in self._seen if key[0] == self._root]
        for key in ordered:
            ordered += children.get(key, [])
        return ordered

    def _parts(self) -> dict[Key, str]:
        """The part of every process."""
        parts: dict[Key, str] = {}
        with_children = {process.above for process in self._seen.values()}
        with_fork_server: set[Key] = set()
        for key in self._from_the_top():
            process = self._seen[key]
            supervised = parts.get(process.above) in (SUPERVISORS, DEVICES, FORK_SERVERS)
            if key[0] == self._root:
                parts[key] = CONTROLLER
            elif _SUPERVISOR in process.command:
                parts[key] = PROBES if supervised and key not in with_children else SUPERVISORS
            elif not supervised:
                parts[key] = WORKERS
            elif _FORK_SERVER in process.command and process.above not in with_fork_server:
                # Whatever it forks is a child of the supervisor with the same command: the first is the server.
                with_fork_server.add(process.above)
                parts[key] = FORK_SERVERS
            else:
                parts[key] = DEVICES
        return parts


def _below(root: int, found: dict[int, _Process]) -> list[int]:
    """A process and all below it."""
    children: dict[int, list[int]] = {}
    for pid, process in found.items():
        children.setdefault(process.parent, []).append(pid)
    below = [root] if root in found else []
    for pid in below:
        below += children.get(pid, [])
    return below


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
