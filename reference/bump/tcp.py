# SPDX-License-Identifier: GPL-2.0-or-later
"""Segments and their options, and what a bystander knows of a TCP connection: its state, RCV.NXT, receive window.

One end of the connection is the kernel.

Only what the kernel itself sends is believed of the kernel: every segment carries its RCV.NXT, and the handshake and
the closing are known from what it answers. What the peer sends counts only where the kernel would take it.
"""

import struct
from collections.abc import Iterator
from enum import Enum
from typing import TypeVar

SEGMENT = struct.Struct("!HHIIBBHH")  # ports, sequence, acknowledgement, offset, flags, window, checksum
CHECKSUM_AT = 16
FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10
END_OF_OPTIONS, NO_OPERATION, SEGMENT_SIZE, WINDOW_SCALE, SACK, TIMESTAMPS = 0, 1, 2, 3, 5, 8
MAXIMUM_OPTIONS = 40  # bytes of options that a segment can have
#: Maximum segment size of a peer that names none (RFC 9293).
DEFAULT_SEGMENT_SIZE = 536
_SPACE = 1 << 32


def distance(start: int, end: int) -> int:
    """How far `end` lies after `start` in sequence space: -2**31..2**31-1."""
    return ((end - start + 0x80000000) & 0xFFFFFFFF) - 0x80000000


Octets = TypeVar("Octets", bytes, memoryview)


def split(options: Octets) -> Iterator[tuple[int, Octets]]:
    """Kind and bytes of each option, one byte for a no-operation; ends where they are not well-formed any more."""
    at = 0
    while at < len(options):
        kind = options[at]
        if kind == END_OF_OPTIONS:
            return
        length = 1
        if kind != NO_OPERATION:
            length = options[at + 1] if at + 1 < len(options) else 0
            if not 2 <= length <= len(options) - at:
                return
        yield kind, options[at : at + length]
        at += length


def window_scale(options: Octets) -> int | None:
    """The shift of a Window Scale option (RFC 7323), None without one."""
    for kind, option in split(options):
        if kind == WINDOW_SCALE and len(option) == 3:
            return min(option[2], 14)
    return None


def timestamps(options: bytes) -> bytes | None:
    """The Timestamps option (RFC 7323), None without one."""
    for kind, option in split(options):
        if kind == TIMESTAMPS and len(option) == 10:
            return option
    return None


def maximum_segment_size(options: bytes) -> int:
    """What a Maximum Segment Size option says, or what holds without one."""
    for kind, option in split(options):
        if kind == SEGMENT_SIZE and len(option) == 4:
            return int.from_bytes(option[2:], "big")
    return DEFAULT_SEGMENT_SIZE


class State(Enum):
    """States as far as they matter to a mover."""

    UNKNOWN = "segments of no connection that was seen to open"
    OPENING = "a SYN has been seen, no answer"
    SYN_SENT = "the kernel has sent a SYN"
    SYN_RECEIVED = "the kernel has answered a SYN"
    ESTABLISHED = "established, perhaps closed on one side"
    TIME_WAIT = "both sides closed, the kernel keeps the tuple for a while"
    CLOSED = "the kernel has forgotten it"


#: The kernel holds a socket (or a half-open one) for the tuple and may still send.
LIVE = frozenset({State.OPENING, State.SYN_SENT, State.SYN_RECEIVED, State.ESTABLISHED})


class Tracking:
    """One connection as seen from the path between kernel and wire."""

    __slots__ = (
        "_initial", "_our_scale", "expected", "our_fin", "our_fin_acknowledged", "peer_closed", "peer_fin",
        "rcv_edge", "rcv_nxt", "scale", "snd_nxt", "snd_una", "state", "we_closed_first",
    )  # fmt: skip

    def __init__(self) -> None:
        self.state = State.UNKNOWN
        self._restart()

    def _restart(self) -> None:
        self._initial = 0
        self._our_scale: int | None = None
        self.scale = 0
        self.snd_nxt = self.snd_una = 0
        self.rcv_nxt = 0
        self.rcv_edge = 0
        self.expected = 0
        self.our_fin: int | None = None
        self.our_fin_acknowledged = False
        self.peer_fin: int | None = None
        self.peer_closed = False
        self.we_closed_first = False

    @property
    def is_half_closed(self) -> bool:
        return self.our_fin is not None or self.peer_closed

    def is_plain(self, flags: int) -> bool:
        """Whether a segment from the peer can change nothing but RCV.NXT: no need to look at its checksum."""
        return self.state is State.ESTABLISHED and self.our_fin is None and not flags & (SYN | FIN | RST)

    def from_kernel(
        self, sequence: int, acknowledgement: int, flags: int, window: int, length: int, options: memoryview
    ) -> None:
        """Account for a segment that the kernel sends; `length` is that of its data."""
        if flags & RST:
            # While opening, a reset without acknowledgement answers one bad segment and ends nothing.
            if flags & ACK or self.state not in (State.SYN_SENT, State.SYN_RECEIVED):
                self.state = State.CLOSED
            return
        if flags & SYN:
            if self.state in (State.ESTABLISHED, State.CLOSED) and sequence == self._initial:
                return  # the kernel's timer had run out before it saw the answer, or the reset
            self._restart()
            self._initial = sequence
            self._our_scale = window_scale(options)
            if flags & ACK:
                self.state = State.SYN_RECEIVED
                self.scale = self._our_scale or 0
                self.rcv_nxt = self.expected = acknowledgement
                self.rcv_edge = (acknowledgement + window) % _SPACE
            else:
                self.state = State.SYN_SENT
            return
        if not flags & ACK:
            return
        if self.state is State.SYN_SENT:
            self.state = State.ESTABLISHED
            self.rcv_edge = acknowledgement
        self.rcv_nxt = acknowledgement
        if distance(self.expected, acknowledgement) > 0:
            self.expected = acknowledgement
        edge = (acknowledgement + (window << self.scale)) % _SPACE
        if distance(self.rcv_edge, edge) > 0:
            self.rcv_edge = edge
        if flags & FIN:
            self.our_fin = (sequence + length + 1) % _SPACE
            self.we_closed_first = self.we_closed_first or not self.peer_closed
        if self.peer_fin is not None and acknowledgement == self.peer_fin:
            self.peer_closed = True
            self._finish()

    def sent(self, sequence: int, flags: int, length: int) -> None:
        """Account for a segment that goes out on the wire: SND.NXT follows the last of what has been sent."""
        end = (sequence + length + bool(flags & SYN) + bool(flags & FIN)) % _SPACE
        if flags & SYN:
            self.snd_una = sequence
        if flags & SYN or distance(self.snd_nxt, end) > 0:
            self.snd_nxt = end

    def from_peer(self, sequence: int, acknowledgement: int, flags: int, length: int, options: memoryview) -> None:
        """Account for an intact segment of the peer on its way to the kernel; `length` is that of its data."""
        if flags & RST:
            if self.state is State.SYN_SENT:
                taken = bool(flags & ACK) and acknowledgement == (self._initial + 1) % _SPACE
            else:
                taken = sequence == self.rcv_nxt and self.state is not State.UNKNOWN
            if taken:
                self.state = State.CLOSED
            return
        if flags & ACK and distance(self.snd_una, acknowledgement) > 0 <= distance(acknowledgement, self.snd_nxt):
            self.snd_una = acknowledgement
        if flags & SYN:
            if self.state is State.UNKNOWN:
                self.state = State.OPENING
            elif self.state is State.SYN_SENT and flags & ACK:
                scale = window_scale(options)
                self.scale = 0 if scale is None or self._our_scale is None else self._our_scale
                self.rcv_nxt = self.expected = (sequence + 1) % _SPACE
            return
        if not flags & ACK:
            return
        if self.state is State.SYN_RECEIVED and acknowledgement == (self._initial + 1) % _SPACE:
            in_window = distance(self.rcv_nxt, sequence) >= 0 and distance(sequence, self.rcv_edge) >= 0
            if in_window:
                self.state = State.ESTABLISHED
        if self.our_fin is not None and acknowledgement == self.our_fin:
            self.our_fin_acknowledged = True
        end = (sequence + length) % _SPACE
        if flags & FIN:
            end = self.peer_fin = (end + 1) % _SPACE
        if distance(sequence, self.expected) >= 0 and distance(self.expected, end) > 0:
            self.expected = end if distance(end, self.rcv_edge) >= 0 else self.rcv_edge
        self._finish()

    def _finish(self) -> None:
        if self.our_fin_acknowledged and self.peer_closed and self.state is State.ESTABLISHED:
            self.state = State.TIME_WAIT if self.we_closed_first else State.CLOSED
