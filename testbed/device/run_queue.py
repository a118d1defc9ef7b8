# SPDX-License-Identifier: GPL-2.0-or-later
"""What the machine withheld from one device: the time its threads were ready to run and did not, or were stopped.

Linux counts for every thread how long it has waited for a processor (`/proc/PID/task/TID/schedstat`, second number).
A device on another machine has no processes here, and nothing is known of it.
"""

import os
import threading
import time
from bisect import bisect_right
from collections import deque
from collections.abc import Iterator

_INTERVAL_NS = 50_000_000
_KEPT = 4_000
_OPEN_WAIT_S = 1.0
_LOOK_S = 0.005

Delays = dict[tuple[int, int], int]
"""By process and thread, in nanoseconds."""


class RunQueue:
    """The run-queue delays of the processes `pids` and of all that they have started, and their stops by signal.

    To be made when the device is ready. `sample` is cheap and comes before whatever may have to be judged;
    `withheld_ns` is asked afterwards.
    """

    def __init__(self, *pids: int) -> None:
        self._roots = pids
        self.pids = _with_descendants(pids)
        self._samples: deque[tuple[int, Delays]] = deque(maxlen=_KEPT)
        self._stops: deque[list[int]] = deque(maxlen=_KEPT)
        self._lock = threading.Lock()
        self.sample()

    def sample(self) -> None:
        """Note the delays up to now, unless that was done a moment ago."""
        now = time.time_ns()
        with self._lock:
            if self.pids and (not self._samples or now - self._samples[-1][0] > _INTERVAL_NS):
                self._samples.append((now, self._delays()))

    def stopped(self, ns: int) -> None:
        """A process of the device was stopped by a signal at `ns`."""
        with self._lock:
            self._stops.append([ns, 0])

    def continued(self, ns: int) -> None:
        """It goes on since `ns`."""
        with self._lock:
            for stop in self._stops:
                stop[1] = stop[1] or ns

    def is_stopped_since(self, ns: int) -> bool:
        """Whether it was stopped at `ns` and has not gone on yet."""
        with self._lock:
            return [ns, 0] in self._stops

    def withheld_ns(self, start_ns: int, end_ns: int) -> int:
        """How much of the time between two stamps was withheld from the device, at most all of it.

        Of every process the thread that waited longest counts. What is only known for a longer time counts in full: a
        device is never blamed for what may have been withheld.
        """
        self.pids = _with_descendants(self._roots)
        self._let_open_waits_end()
        with self._lock:
            place = bisect_right(self._samples, start_ns, key=lambda sample: sample[0])
            before = self._samples[max(0, place - 1)][1] if self._samples else {}
            longest: dict[int, int] = {}
            for (pid, thread), delay in self._delays().items():
                waited = delay - before.get((pid, thread), 0)
                longest[pid] = max(longest.get(pid, 0), waited)
            now = time.time_ns()
            stopped = sum(max(0, min(end or now, end_ns) - max(begin, start_ns)) for begin, end in self._stops)
        return min(sum(longest.values()) + stopped, end_ns - start_ns)

    def _let_open_waits_end(self) -> None:
        """A wait that goes on is counted when it ends: give each thread that is ready now the time to run once."""
        never, deadline = threading.Event(), time.monotonic() + _OPEN_WAIT_S
        waiting = {path: _runs(path) for path in self._threads() if _state(path) == "R"}
        while waiting and time.monotonic() < deadline:
            never.wait(_LOOK_S)
            waiting = {path: runs for path, runs in waiting.items() if _runs(path) == runs and _state(path) == "R"}

    def _delays(self) -> Delays:
        found = {}
        for path in self._threads():
            words = _read(f"{path}/schedstat").split()
            if len(words) == 3:
                _, _, pid, _, thread = path.split("/")
                found[int(pid), int(thread)] = int(words[1])
        return found

    def _threads(self) -> Iterator[str]:
        for pid in self.pids:
            folder = f"/proc/{pid}/task"
            try:
                yield from (f"{folder}/{thread}" for thread in os.listdir(folder))
            except OSError:
                continue  # it has ended


def _with_descendants(pids: tuple[int, ...]) -> tuple[int, ...]:
    """These processes and all that descend from them."""
    if not pids:
        return ()
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit() and (words := _read(f"/proc/{name}/stat").rpartition(")")[2].split()):
            children.setdefault(int(words[1]), []).append(int(name))
    found = list(pids)
    for pid in found:
        found.extend(children.get(pid, []))
    return tuple(found)


def _runs(path: str) -> str:
    """How often a thread was given a processor."""
    return _read(f"{path}/schedstat").rpartition(" ")[2]


def _state(path: str) -> str:
    return _read(f"{path}/stat").rpartition(")")[2].lstrip()[:1]


def _read(path: str) -> str:
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""
