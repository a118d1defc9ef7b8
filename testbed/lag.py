# SPDX-License-Identifier: GPL-2.0-or-later
"""How late the machine was: what the holder's probe measured beside the DUT, and steps of the wall clock."""

import threading
import time
from collections import deque

# A deadline that the DUT missed is held against it only if it had at least three quarters of the time.
TOLERATED_SHARE = 0.25
_CLOCK_STEP_NS = 5_000_000
_KEPT_EVENTS = 100_000


class LagProbe:
    """Collects lag events (end of the lag in wall-clock nanoseconds, length in nanoseconds)."""

    def __init__(self) -> None:
        self._events: deque[tuple[int, int]] = deque(maxlen=_KEPT_EVENTS)
        self._lock = threading.Lock()
        self._clock_offset = time.time_ns() - time.monotonic_ns()

    def add(self, ns: int, lag_ns: int) -> None:
        """The probe wanted to run at `ns` minus `lag_ns` and ran at `ns`."""
        with self._lock:
            self._events.append((ns, lag_ns))

    def lag_ns(self, start_ns: int, end_ns: int) -> int:
        """How much of the time between two stamps the machine withheld from the probe."""
        with self._lock:
            overlaps = (min(end, end_ns) - max(end - lag, start_ns) for end, lag in self._events)
            return sum(overlap for overlap in overlaps if overlap > 0)

    def starved(self, start_ns: int, budget_ns: int) -> bool:
        """Whether a deadline of `budget_ns` after `start_ns` says nothing, because too much of it was withheld."""
        return self.lag_ns(start_ns, start_ns + budget_ns) > TOLERATED_SHARE * budget_ns

    def clock_stepped(self) -> bool:
        """Whether the wall clock was set since the last question: kernel stamps before and after do not compare."""
        offset = time.time_ns() - time.monotonic_ns()
        stepped = abs(offset - self._clock_offset) > _CLOCK_STEP_NS
        self._clock_offset = offset
        return stepped
