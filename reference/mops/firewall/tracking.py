# SPDX-License-Identifier: GPL-2.0-or-later
"""What a firewall follows of a connection: its states, and which sequence numbers can be right (RFC 9293, 3.4).

A segment fits when its data lies between what its sender may still repeat and what the other end has room for, and when
it acknowledges what that end has sent. What both sides have said is learnt from the segments alone: a connection that
was opened elsewhere is taken as it comes, and its windows as large as they can be.
"""

import struct
from enum import Enum
from typing import NamedTuple, Self

from reference.middlebox.packet import Packet

FIN, SYN, RST, ACK = 1, 2, 4, 16
_HEADER = struct.Struct("!HHIIHH")
_SPACE = 1 << 32
_HALF = 1 << 31
_SHORTEST = 20
_SCALE, _NO_OPERATION, _END = 3, 1, 0
_LARGEST_SCALE = 14
_LEAST_REPEATED = 66_000
"""How far back an acknowledgement may lie at least: windows that the firewall has not seen count as this large."""


class Phase(Enum):
    """How far a session is."""

    OPENING = "opening"
    OPEN = "open"
    ENDED = "ended"


class Segment(NamedTuple):
    """What counts of a TCP segment: `length` is what it takes of the sequence space; `scale` is that of a SYN."""

    sequence: int
    acknowledgement: int
    flags: int
    window: int
    length: int
    scale: int | None

    @classmethod
    def read(cls, packet: Packet) -> Self | None:
        """The segment of a packet; None where its header is not whole."""
        buffer, at, end = packet.buffer, packet.start, packet.end
        if end - at < _SHORTEST:
            return None
        _, _, sequence, acknowledgement, word, window = _HEADER.unpack_from(buffer, at)
        data = at + (word >> 12) * 4
        if not at + _SHORTEST <= data <= end:
            return None
        flags = word & 0x3F
        scale = _scale(bytes(buffer[at + _SHORTEST : data])) if flags & SYN else None
        length = end - data + bool(flags & SYN) + bool(flags & FIN)
        return cls(sequence, acknowledgement, flags, window, length, scale)

    @property
    def end(self) -> int:
        """The number after its last."""
        return (self.sequence + self.length) % _SPACE


def _scale(options: bytes) -> int | None:
    at = 0
    while at < len(options) and options[at] != _END:
        if options[at] == _NO_OPERATION:
            at += 1
            continue
        if at + 1 >= len(options) or options[at + 1] < 2:
            return None
        if options[at] == _SCALE and at + 2 < len(options):
            return min(options[at + 2], _LARGEST_SCALE)
        at += options[at + 1]
    return None


def after(left: int, right: int) -> int:
    """How far a number lies after another one, negative where it lies before."""
    return (left - right + _HALF) % _SPACE - _HALF


class Direction:
    """What one end has sent: `end`, the number after the last; `edge`, the last that it may send to."""

    __slots__ = ("edge", "end", "has_finished", "has_offered", "is_known", "scale", "window")

    def __init__(self) -> None:
        self.end = self.edge = 0
        self.window = self.scale = 0
        self.is_known = self.has_finished = self.has_offered = False


class Tracker:
    """One connection. `inside` and `outside` are what the ends there have sent."""

    role = "firewall"

    def __init__(self) -> None:
        self.inside, self.outside = Direction(), Direction()
        self.phase = Phase.OPENING

    @classmethod
    def in_the_middle(cls, number: int, *, is_inside: bool) -> Self:
        """A connection that was opened elsewhere, of which one end's next number is known."""
        tracker = cls()
        tracker.phase = Phase.OPEN
        own = tracker.inside if is_inside else tracker.outside
        own.end = number
        tracker.inside.scale = tracker.outside.scale = _LARGEST_SCALE
        return tracker

    def takes(self, segment: Segment, *, is_inward: bool) -> bool:
        """Whether a segment fits; what it says is noted then."""
        sender, receiver = (self.outside, self.inside) if is_inward else (self.inside, self.outside)
        if segment.flags & SYN:
            return self._takes_opening(segment, sender, receiver)
        if not self.fits(segment, sender, receiver):
            return False
        self._note(segment, sender, receiver)
        if segment.flags & RST:
            self.phase = self.after_reset(segment)
        elif self.phase is Phase.OPENING and segment.flags & ACK and sender.is_known and receiver.is_known:
            self.phase = Phase.OPEN
        if segment.flags & FIN:
            sender.has_finished = True
        if sender.has_finished and receiver.has_finished:
            self.phase = Phase.ENDED
        return True

    def after_reset(self, segment: Segment) -> Phase:
        """How far a session is after a reset that fits."""
        return Phase.ENDED

    def fits(self, segment: Segment, sender: Direction, receiver: Direction) -> bool:
        """Whether the numbers of a segment can be right."""
        if not sender.is_known:
            return not segment.flags & RST
        acknowledges = self.acknowledges(segment, receiver)
        return acknowledges and self.is_in_window(segment, sender, receiver)

    def is_in_window(self, segment: Segment, sender: Direction, receiver: Direction) -> bool:
        """Whether the data lies between what may be repeated and what there is room for."""
        repeated = max(receiver.window, _LEAST_REPEATED)
        return after(segment.sequence, sender.edge) <= 0 and after(segment.end, sender.end) >= -repeated

    def acknowledges(self, segment: Segment, receiver: Direction) -> bool:
        """Whether what is acknowledged has been sent."""
        if not segment.flags & ACK or not receiver.is_known:
            return True
        return -max(receiver.window, _LEAST_REPEATED) <= after(segment.acknowledgement, receiver.end) <= 0

    def _takes_opening(self, segment: Segment, sender: Direction, receiver: Direction) -> bool:
        """A SYN or SYN-ACK fits while the connection opens."""
        if self.phase is not Phase.OPENING or segment.flags & (FIN | RST):
            return False
        sender.is_known, sender.end, sender.edge = True, segment.end, segment.end
        sender.scale, sender.has_offered = segment.scale or 0, segment.scale is not None
        if segment.flags & ACK and not (sender.has_offered and receiver.has_offered):
            sender.scale = receiver.scale = 0
        self._give_room(segment, sender, receiver, segment.window)
        return True

    def _note(self, segment: Segment, sender: Direction, receiver: Direction) -> None:
        if not sender.is_known:
            sender.is_known, sender.end = True, segment.end
            sender.edge = (segment.end + (_LEAST_REPEATED << sender.scale)) % _SPACE
        if after(segment.end, sender.end) > 0:
            sender.end = segment.end
        self._give_room(segment, sender, receiver, segment.window << sender.scale)

    @staticmethod
    def _give_room(segment: Segment, sender: Direction, receiver: Direction, window: int) -> None:
        sender.window = max(sender.window, window)
        if segment.flags & ACK:
            edge = (segment.acknowledgement + max(window, 1)) % _SPACE
            if not receiver.is_known or after(edge, receiver.edge) > 0:
                receiver.edge = edge
