# SPDX-License-Identifier: GPL-2.0-or-later
"""The clock that verdicts are judged by, deadlines, and waiting without holding other cases up."""

import threading
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass

from testbed.wire.token import ExecutionToken

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
    """Wall-clock nanoseconds, the same clock as the kernel's receive stamps; whoever waits by it releases the token."""

    def __init__(self) -> None:
        self.token = ExecutionToken()
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

    def announced(self) -> AbstractContextManager[None]:
        """Hold the execution token: for work outside a case. Without effect inside one."""
        return self.token.announced()

    def waiting(self) -> AbstractContextManager[None]:
        """Release the execution token: around everything that blocks. Without effect in a thread without it."""
        return self.token.waiting()

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

    def stop(self) -> None:
        """End all waiting for times and for room: the run is over."""
        self._stop.set()
        self.token.stop()
