# SPDX-License-Identifier: GPL-2.0-or-later
"""Slow start on a path that the kernel does not know it is on (RFC 5681, sections 3.1 and 4.1).

The kernel's congestion window is that of the old path. Beside it the daemon has one for the new path: it begins with
the initial window of RFC 5681 and grows by a segment at most with each acknowledgement. Segments of the kernel that do
not fit are held, and go out in their order as acknowledgements come; the kernel sees nothing but a longer round trip.
What the kernel sends again from the first byte that is not acknowledged always fits: it has found all the rest lost.
When the window has grown beyond all the kernel is likely to use, the path is the kernel's alone again.
"""

from reference.bump.tcp import distance

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
        self.held: dict[int, bytes] = {}  # packets by their sequence number, in the order of sending
        self.restart()

    def restart(self) -> None:
        """Nothing has been sent on the path."""
        self.window = self.first_window()
        self.outstanding = 0
        self._head: int | None = None  # sent from the first byte that is not acknowledged

    def first_window(self) -> int:
        return initial_window(self.segment_size)

    def admits(self, sequence: int, length: int) -> bool:
        """Whether a segment may be sent now: it fits, and no earlier one is held."""
        if sequence == self.acknowledged:
            return True
        first = next(iter(self.held), sequence)
        return self.outstanding + length <= self.window and distance(sequence, first) >= 0

    def sent(self, sequence: int, length: int) -> None:
        """A segment goes out; if an older copy of it is held, there is no need for that any more."""
        if sequence == self.acknowledged:
            if sequence == self._head:
                self.outstanding = 0
            self._head = sequence
        self.outstanding += length
        self.held.pop(sequence, None)

    def hold(self, sequence: int, packet: bytes) -> None:
        """Keep a packet of the kernel until the window has room for it; a retransmission replaces the first one."""
        if len(self.held) < MOST_HELD or sequence in self.held:
            self.held[sequence] = packet

    def acknowledge(self, number: int, progress: int) -> None:
        """The peer has acknowledged everything before `number`; without progress it is a duplicate ACK."""
        self.acknowledged = number
        delivered = min(self.outstanding, progress or self.segment_size)
        self.outstanding -= delivered
        self.window += min(delivered, self.segment_size)

    def flush(self) -> bytes | None:
        """The next held packet, if there is room for it by now."""
        for sequence, packet in self.held.items():
            return self.held.pop(sequence) if self.admits(sequence, len(packet)) else None
        return None

    @property
    def is_over(self) -> bool:
        return self.window >= ENOUGH and not self.held
