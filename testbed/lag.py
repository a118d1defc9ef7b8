# SPDX-License-Identifier: GPL-2.0-or-later
"""How late the machine was, as the probe beside the DUT (testbed.namespaces) measured it."""

import threading
from collections import deque
from collections.abc import Callable

# A deadline that the DUT missed is held against it only if it had at least three quarters of the time.
TOLERATED_SHARE = 0.25
_KEPT_EVENTS = 20_000


class LagProbe:
    """Collects lag events (end of the lag in wall-clock nanoseconds, length in nanoseconds), the last 20 000.

    `catch_up` returns when the probe has told of everything up to now; a link whose device runs elsewhere has none.
    """

    def __init__(self) -> None:
        self.catch_up: Callable[[], None] = lambda: None
        self._events: deque[tuple[int, int]] = deque(maxlen=_KEPT_EVENTS)
        self._lock = threading.Lock()

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
        """Whether a deadline of `budget_ns` after `start_ns` says nothing, because too much of it was withheld.

        To be asked after the deadline: the probe is given the time to tell of a lag that has only just ended.
        """
        self.catch_up()
        return self.lag_ns(start_ns, start_ns + budget_ns) > TOLERATED_SHARE * budget_ns
