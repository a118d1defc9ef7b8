# SPDX-License-Identifier: GPL-2.0-or-later
"""How many stations may appear in a while: the kernel forgets neighbours only after a time.

All namespaces of a machine share one table of ARP neighbours, 1024 unless the administrator has said otherwise. When it
is full of entries that are not five seconds old there is no room for another: a device in a namespace then resolves the
tester's address again and again, and its answers come too late or never (arp(7), `gc_thresh3`).
"""

import time
from collections import deque
from pathlib import Path

from testbed.wire.clock import NANO, Clock, ClockStepped

_TABLE = Path("/proc/sys/net/ipv4/neigh/default/gc_thresh3")
_USUAL_TABLE = 1024
_USED_SHARE = 0.9
_FORGOTTEN_AFTER_S = 5.0


class Pace:
    """Counts the stations of one of `processes` test processes; whoever starts a case waits until there is room."""

    def __init__(self, clock: Clock, processes: int) -> None:
        self.most = max(1, int(_table_size() * _USED_SHARE) // processes)
        self._clock = clock
        self._appeared: deque[float] = deque(maxlen=self.most)

    def count(self) -> None:
        """A station has appeared."""
        self._appeared.append(time.monotonic())

    def wait(self) -> None:
        """Wait until the table has room again; RunOver if the run is stopped."""
        while (left_s := self._left_s()) > 0:
            try:
                self._clock.wait_until(self._clock.now_ns() + round(left_s * NANO))
            except ClockStepped:
                continue

    def _left_s(self) -> float:
        if len(self._appeared) < self.most:
            return 0.0
        return self._appeared[0] + _FORGOTTEN_AFTER_S - time.monotonic()


def _table_size() -> int:
    try:
        return int(_TABLE.read_text())
    except (OSError, ValueError):
        return _USUAL_TABLE
