# SPDX-License-Identifier: GPL-2.0-or-later
"""How much may come in a while: messages that flood a device, and stations that the kernel remembers for a time.

All namespaces of a machine share one table of ARP neighbours, 1024 unless the administrator has said otherwise. When it
is full of entries that are not five seconds old there is no room for another: a device in a namespace then resolves the
tester's address again and again, and its answers come too late or never (arp(7), `gc_thresh3`).
"""

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from testbed.wire.capture import Sent
from testbed.wire.clock import NANO, Clock, ClockStepped
from testbed.wire.machine import overflows

_TABLE = Path("/proc/sys/net/ipv4/neigh/default/gc_thresh3")
_USUAL_TABLE = 1024
_USED_SHARE = 0.9
_FORGOTTEN_AFTER_S = 5.0
_CAUGHT_UP_NS = 20_000_000


class Pace:
    """Counts the stations of one of `processes` test processes; whoever starts a case waits until there is room."""

    def __init__(self, clock: Clock, processes: int) -> None:
        self.most = max(1, int(_table_size() * _USED_SHARE) // processes)
        self._overflows = overflows()
        self._clock = clock
        self._appeared: deque[float] = deque(maxlen=self.most)

    def count(self) -> None:
        """A station has appeared."""
        self._appeared.append(time.monotonic())

    def has_room(self) -> bool:
        """Whether another station may appear at once."""
        return self._left_s() <= 0

    def wait(self) -> None:
        """Wait until the table has room again; RunOver if the run is stopped.

        Where others on the machine have filled it since the last case, so that somebody was refused, this one waits for
        as long as entries live.
        """
        while (left_s := self._left_s()) > 0:
            self._sleep(left_s)
        if self._appeared and overflows() > self._overflows:
            self._sleep(_FORGOTTEN_AFTER_S)
        self._overflows = overflows()

    def _sleep(self, seconds: float) -> None:
        with contextlib.suppress(ClockStepped):
            self._clock.wait_until(self._clock.now_ns() + round(seconds * NANO))

    def _left_s(self) -> float:
        if len(self._appeared) < self.most:
            return 0.0
        return self._appeared[0] + _FORGOTTEN_AFTER_S - time.monotonic()


class Rate:
    """How often a device may be sent what floods it: never more than so many in any second, whoever sends it.

    They come at equal distances. What the tester oversleeps is caught up, what a stall of it has held up is not.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due_ns = time.monotonic_ns()
        self._left_ns = deque([self._due_ns])
        self._turn = threading.Lock()

    def send(self, per_second: int, send: Callable[[], Sent], wait_until: Callable[[int], None]) -> Sent:
        """Send one when it is time; `wait_until` waits for a moment of the wall clock."""
        with self._clock.waiting():
            self._turn.acquire()
        try:
            now_ns, due_ns = time.monotonic_ns(), self._due_ns + NANO // per_second
            if now_ns - due_ns > _CAUGHT_UP_NS:
                due_ns = now_ns
            while len(self._left_ns) > per_second:
                self._left_ns.popleft()
            room_ns = self._left_ns[0] + NANO + 1 if len(self._left_ns) == per_second else 0
            while (wait_ns := max(due_ns, room_ns) - time.monotonic_ns()) > 0:
                wait_until(self._clock.now_ns() + wait_ns)
            self._due_ns = due_ns
            try:
                return send()
            finally:
                # The kernel has stamped the frame before the call that sends it returns.
                self._left_ns.append(time.monotonic_ns())
        finally:
            self._turn.release()


def _table_size() -> int:
    try:
        return int(_TABLE.read_text())
    except (OSError, ValueError):
        return _USUAL_TABLE
