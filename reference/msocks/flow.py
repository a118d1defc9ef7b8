# SPDX-License-Identifier: GPL-2.0-or-later
"""A TCP connection of the kernel as the bump sees it: numbers of both ends, what is held, and who splices it.

What comes over the wire is the peer's, what comes from the kernel the proxy's own. Numbers are those on the wire.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from reference.bump.segment import Segment
from reference.bump.tcp import ACK, FIN, RST, SYN

if TYPE_CHECKING:
    from reference.msocks.leg import Leg
    from reference.msocks.splice import Splice

PSH = 0x08
_MAXIMUM_SEGMENT_SIZE, _WINDOW_SCALE = 2, 3
_DEFAULT_MSS, _LARGEST_SHIFT = 536, 14
_MOST_HELD = 512
_HALF = 1 << 31


def distance(later: int, earlier: int) -> int:
    """How far one 32-bit number is after another, negative when it is before it."""
    return (later - earlier + _HALF & 0xFFFFFFFF) - _HALF


class Flow:
    """One connection on one leg."""

    def __init__(self, leg: "Leg", peer: tuple[int, int], own: tuple[int, int], *, holds: bool) -> None:
        self.leg, self.peer, self.own = leg, peer, own
        self.ethernet = b""
        self.holds = holds  # data of the peer does not reach the kernel
        self.muted = False  # nothing passes any more
        self.is_claimed = False  # what is held waits for a splice, whatever the kernel does
        self.is_established = self.has_ended = False
        self.held: list[Segment] = []
        self.splice: Splice | None = None
        self.kernel_next = self.kernel_ack = self.delivered = 0
        self.peer_mss = _DEFAULT_MSS
        self.seen = 0.0
        self._shifts: dict[bool, int | None] = {True: None, False: None}  # of the window, by "is the peer's"

    @property
    def peer_shift(self) -> int:
        """How many bits the peer's windows are to be shifted; 0 unless both ends have said so (RFC 7323, 2.2)."""
        return self._shift(True)

    @property
    def own_shift(self) -> int:
        return self._shift(False)

    def _shift(self, is_peer: bool) -> int:
        both = self._shifts.values()
        return 0 if None in both else self._shifts[is_peer] or 0

    def _read_options(self, segment: Segment, is_peer: bool) -> None:
        options = dict(segment.options)
        scale = options.get(_WINDOW_SCALE)
        self._shifts[is_peer] = None if scale is None else min(scale[2], _LARGEST_SHIFT)
        size = options.get(_MAXIMUM_SEGMENT_SIZE)
        if is_peer:
            self.peer_mss = int.from_bytes(size[2:], "big") if size is not None else _DEFAULT_MSS

    def from_kernel(self, segment: Segment) -> None:
        """Follow what the kernel sends."""
        if segment.flags & SYN:
            self._read_options(segment, is_peer=False)
            self.kernel_next = (segment.sequence + 1) & 0xFFFFFFFF
        self.has_ended |= bool(segment.flags & (FIN | RST))
        end = (segment.sequence + len(segment.data) + bool(segment.flags & FIN)) & 0xFFFFFFFF
        if distance(end, self.kernel_next) > 0:
            self.kernel_next = end
        if segment.flags & ACK:
            self.kernel_ack = segment.acknowledgement

    def from_wire(self, segment: Segment) -> Segment | None:
        """Follow what the peer sends; what the kernel gets of it, None for nothing."""
        if segment.flags & SYN:
            self._read_options(segment, is_peer=True)
            self.delivered = (segment.sequence + 1) & 0xFFFFFFFF
            return segment
        self.is_established = True
        if self.holds and (segment.data or segment.flags & FIN):
            if len(self.held) < _MOST_HELD:
                self.held.append(segment)
            return replace(segment, data=b"", flags=segment.flags & ~(FIN | PSH)) if segment.flags & ACK else None
        end = (segment.sequence + len(segment.data) + bool(segment.flags & FIN)) & 0xFFFFFFFF
        if distance(segment.sequence, self.delivered) <= 0 < distance(end, self.delivered):
            self.delivered = end
        return segment

    def is_fresh(self) -> bool:
        """Whether a SYN begins another connection with the same ends."""
        return self.muted or self.has_ended or not self.is_established

    def is_quiet(self) -> bool:
        """Whether the kernel has acknowledged all that it was given."""
        return self.kernel_ack == self.delivered

    def transmit(self, sequence: int, acknowledgement: int, flags: int, window: int = 0, data: bytes = b"") -> None:
        """Send the peer a segment, or several where its data is more than the peer takes at once; window in bytes."""
        shift = 0 if flags & RST else self.own_shift
        field = min(window >> shift, 0xFFFF)
        at, most = 0, self.peer_mss
        while True:
            piece = data[at : at + most]
            is_last = at + most >= len(data)
            numbers = (sequence + at) & 0xFFFFFFFF, acknowledgement & 0xFFFFFFFF
            kept = flags if is_last else flags & ~(FIN | PSH)
            ends = self.own[0], self.peer[0], self.own[1], self.peer[1]
            self.leg.to_wire(self.ethernet + Segment(*ends, *numbers, kept, field, b"", piece).packet())
            if is_last:
                return
            at += most
