# SPDX-License-Identifier: GPL-2.0-or-later
"""The clock that verdicts are judged by, and the baton that lets many cases wait at once.

Cases run in threads of one process. A thread holds the baton while it works and lays it down while it waits, so one
case at a time uses the processor and the port's reader never has to compete with a crowd for the interpreter.
"""

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

NANO = 1_000_000_000
_STEP_NS = 5_000_000
_SLICE_S = 1.0
_TRUSTED_READING_NS = 200_000
_READINGS = 50


@dataclass(frozen=True)
class Deadline:
    """A moment on the wall clock: `within_s` seconds after `start_ns` (integer nanoseconds)."""

    start_ns: int
    within_s: float

    @property
    def budget_ns(self) -> int:
        """The time allowed, in nanoseconds."""
        return round(self.within_s * NANO)

    @property
    def end_ns(self) -> int:
        """The moment itself."""
        return self.start_ns + self.budget_ns


class RunOver(Exception):
    """The run was stopped while a case waited: the case has no verdict."""


class ClockStepped(Exception):
    """The wall clock was set while a case ran: kernel stamps before and after do not compare."""


class Clock:
    """Wall-clock nanoseconds, the same clock as the kernel's receive stamps, and waiting without holding others up.

    The baton goes round in the order of asking, so nobody starves. `working`, `announced` and `waiting` give it back
    whatever exception passes through them.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._room = threading.Condition(self._lock)
        self._holder: int | None = None
        self._queue: deque[tuple[int, threading.Lock]] = deque()
        self._ready = 0
        self._stop = threading.Event()

    @staticmethod
    def now_ns() -> int:
        """The wall clock in nanoseconds."""
        return time.time_ns()

    @staticmethod
    def offset_ns() -> int:
        """Wall clock minus monotonic clock: changes only when the wall clock is set, not when it is slewed."""
        best_span, best = _SLICE_S * 1e9, 0
        for _ in range(_READINGS):
            before, wall, after = time.monotonic_ns(), time.time_ns(), time.monotonic_ns()
            if after - before < best_span:
                best_span, best = after - before, wall - (before + after) // 2
            if best_span < _TRUSTED_READING_NS:
                break
        return best

    def check_step(self, offset_ns: int) -> None:
        """Raise ClockStepped if the wall clock was set since `offset_ns` was read."""
        if abs(self.offset_ns() - offset_ns) > _STEP_NS:
            raise ClockStepped("the wall clock was set during the case")

    @contextmanager
    def working(self) -> Iterator[None]:
        """Hold the baton: around the body of a thread that was announced by `expect`."""
        self._take()
        try:
            yield
        finally:
            self._lay_down()

    @contextmanager
    def announced(self) -> Iterator[None]:
        """Announce this thread and hold the baton: for work outside a case. Without effect inside one."""
        if self._holder == threading.get_ident():
            yield
            return
        self.expect()
        with self.working():
            yield

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Lay the baton down: around everything that blocks. Without effect in a thread that does not hold it."""
        if self._holder != threading.get_ident():
            yield
            return
        self._lay_down()
        try:
            yield
        finally:
            self.expect()
            self._take()

    def wait_until(self, ns: int) -> None:
        """Let others work until the wall clock shows `ns`; RunOver or ClockStepped if that comes to nothing."""
        offset = self.offset_ns()
        with self.waiting():
            while (left := ns - self.now_ns()) > 0 and not self._stop.wait(min(left / 1e9, _SLICE_S)):
                self.check_step(offset)
        self.check_running()

    def check_running(self) -> None:
        """Raise RunOver if the run was stopped."""
        if self._stop.is_set():
            raise RunOver("the run was stopped")

    def wait_for_room(self, crowd: int) -> None:
        """Block (without the baton) until fewer than `crowd` threads work or want to, or the run is stopped."""
        with self._room:
            self._room.wait_for(lambda: self._ready < crowd or self._stop.is_set())

    def stop(self) -> None:
        """End all waiting for times and for room: the run is over."""
        self._stop.set()
        with self._room:
            self._room.notify_all()

    def expect(self) -> None:
        """Count a thread that is about to start as ready, so that room is judged before it has run at all."""
        with self._lock:
            self._ready += 1

    def _take(self) -> None:
        """Get the baton; on an exception (a signal in the main thread) the place in the queue is given up."""
        me = threading.get_ident()
        turn = threading.Lock()
        turn.acquire()
        with self._lock:
            if self._holder is None:
                self._holder = me
                return
            self._queue.append((me, turn))
        try:
            turn.acquire()
        except BaseException:
            with self._lock:
                waits = (me, turn) in self._queue
                if waits:
                    self._queue.remove((me, turn))
                    self._leave()
            if not waits:
                self._lay_down()
            raise

    def _lay_down(self) -> None:
        with self._lock:
            self._holder = None
            if self._queue:
                self._holder, turn = self._queue.popleft()
                turn.release()
            self._leave()

    def _leave(self) -> None:
        self._ready -= 1
        self._room.notify_all()
