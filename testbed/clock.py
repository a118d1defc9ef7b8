# SPDX-License-Identifier: GPL-2.0-or-later
"""The clock that verdicts are judged by, and the baton that lets many cases wait at once.

Cases run in threads of one process. A thread holds the baton while it works and lays it down while it waits, so one
case at a time uses the processor and the port's reader never has to compete with a crowd for the interpreter.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Clock:
    """Wall-clock nanoseconds, the same clock as the kernel's receive stamps, and waiting without holding others up."""

    def __init__(self) -> None:
        self._baton = threading.Lock()
        self._changed = threading.Condition()
        self._ready = 0
        self._stop = threading.Event()

    @staticmethod
    def now_ns() -> int:
        """The wall clock in nanoseconds."""
        return time.time_ns()

    @contextmanager
    def working(self) -> Iterator[None]:
        """Hold the baton: around the body of a thread that was announced by `expect`."""
        self._baton.acquire()
        try:
            yield
        finally:
            self._lay_down()

    @contextmanager
    def announced(self) -> Iterator[None]:
        """Announce this thread and hold the baton: for work outside a case."""
        self.expect()
        with self.working():
            yield

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Lay the baton down: around everything that blocks."""
        self._lay_down()
        try:
            yield
        finally:
            self._take()

    def wait_until(self, ns: int) -> None:
        """Let others work until the wall clock shows `ns`."""
        with self.waiting():
            while not self._stop.is_set() and (left := ns - self.now_ns()) > 0:
                self._stop.wait(left / 1e9)

    def wait_for_room(self, crowd: int) -> None:
        """Block (without the baton) until fewer than `crowd` threads work or want to: a new case may start."""
        with self._changed:
            self._changed.wait_for(lambda: self._ready < crowd)

    def stop(self) -> None:
        """End all waiting for times: the run is over."""
        self._stop.set()

    def expect(self) -> None:
        """Count a thread that is about to start as ready, so that room is judged before it has run at all."""
        with self._changed:
            self._ready += 1

    def _take(self) -> None:
        self.expect()
        self._baton.acquire()

    def _lay_down(self) -> None:
        self._baton.release()
        with self._changed:
            self._ready -= 1
            self._changed.notify_all()
