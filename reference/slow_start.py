# SPDX-License-Identifier: GPL-2.0-or-later
"""Slow start on a path that the kernel does not know it is on (section 6.2; RFC 5681, sections 3.1 and 4.1).

The kernel's congestion window is that of the old path. Beside it the daemon has one for the new path: it begins with
the initial window of RFC 5681 and grows by a segment at most with each acknowledgement. Segments of the kernel that do
not fit are held, and go out in their order as acknowledgements come; the kernel sees nothing but a longer round trip.
When the window has grown beyond all the kernel is likely to use, the path is the kernel's alone again.
"""

from reference.tcp import distance

ENOUGH = 1 << 20
MOST_HELD = 4096  # segments; what comes on top is lost, and retransmitted by the kernel


def initial_window(segment_size: int) -> int:
    """RFC 5681, section 3.1."""
    if segment_size > 2190:
        return 2 * segment_size
    return (3 if segment_size > 1095 else 4) * segment_size


class SlowStart:
    """Congestion window and held segments of one connection."""

    def __init__(self, acknowledged: int, segment_size: int) -> None:
        self.acknowledged, self.segment_size = acknowledged, segment_size
        self.window = self.first_window()
        self.held: dict[int, bytes] = {}  # by the sequence number they end before, in the order of sending

    def first_window(self) -> int:
        return initial_window(self.segment_size)

    def restart(self) -> None:
        """The path has been used for the first time: what was sent on it until now does not count."""
        self.window = self.first_window()

    def admits(self, end: int) -> bool:
        """Whether a segment that ends before the sequence number `end` may be sent now."""
        return distance(self.acknowledged + self.window, end) <= 0

    def sends(self, end: int) -> None:
        """A segment that is admitted goes out: no need to send it once more."""
        self.held.pop(end, None)

    def hold(self, end: int, packet: bytes) -> None:
        """Keep a packet of the kernel until the window has room for it; a retransmission replaces the first one."""
        if len(self.held) < MOST_HELD or end in self.held:
            self.held[end] = packet

    def acknowledge(self, number: int) -> None:
        """Account for an acknowledgement of the peer."""
        progress = distance(self.acknowledged, number)
        if progress > 0:
            self.acknowledged = number
            self.window += min(progress, self.segment_size)

    def release(self) -> bytes | None:
        """The next held packet that fits by now."""
        for end in self.held:
            return self.held.pop(end) if self.admits(end) else None
        return None

    @property
    def is_over(self) -> bool:
        return self.window >= ENOUGH and not self.held
