# SPDX-License-Identifier: GPL-2.0-or-later
"""Another TCP than the kernel's, seen from the wire: for variants of any role. Each stands before a role's datapath.

They differ in frames, options, windows and times, and are right in that: the RFCs allow it.
"""

import struct
from dataclasses import replace

from reference.bump.checksum import checksum
from reference.bump.ends import Frame
from reference.bump.network import ETHERNET
from reference.bump.segment import Segment
from reference.bump.shaping import Shaped, segment_in, with_segment
from reference.bump.tcp import (
    ACK,
    FIN,
    RST,
    SEGMENT_SIZE,
    SYN,
    TIMESTAMPS,
    WINDOW_SCALE,
    distance,
    maximum_segment_size,
)

ECHO = 7
SHORTEST_FRAME = 60
IPV4, IPV4_HEADER, MORE_FRAGMENTS = b"\x08\x00", 20, 0x2000
PIECE = 64
"""Bytes of data in a fragment: a multiple of 8."""
SACK_PERMITTED = 4
SMALLEST_SEGMENT_SIZE = 536
NO_SOONER_S = 2.9
SMALL_WINDOW = 2 * SMALLEST_SEGMENT_SIZE


class FramesPadded(Shaped):
    """Every frame is filled up to 60 bytes, with bytes that are not zero."""

    def leaves(self, frame: Frame) -> None:
        super().leaves(bytes(frame).ljust(SHORTEST_FRAME, b"\x5a"))


class SentInFragments(Shaped):
    """IPv4 packets of more than a few bytes leave in fragments, the last one first."""

    _identity = 0

    def leaves(self, frame: Frame) -> None:
        content = bytes(frame)
        if content[12:14] != IPV4 or len(content) <= ETHERNET + IPV4_HEADER + PIECE:
            super().leaves(frame)
            return
        (length,) = struct.unpack_from("!H", content, ETHERNET + 2)
        header, data = content[ETHERNET : ETHERNET + IPV4_HEADER], content[ETHERNET + IPV4_HEADER : ETHERNET + length]
        self._identity = (self._identity + 1) & 0xFFFF
        for place in reversed(range(0, len(data), PIECE)):
            more = MORE_FRAGMENTS if place + PIECE < len(data) else 0
            piece = data[place : place + PIECE]
            words = struct.pack("!HHH", IPV4_HEADER + len(piece), self._identity, more | place // 8)
            blank = header[:2] + words + header[8:10] + bytes(2) + header[12:]
            summed = blank[:10] + checksum(blank).to_bytes(2, "big") + blank[12:]
            super().leaves(content[:ETHERNET] + summed + piece)


class ServesEverythingLate(Shaped):
    """Every frame is served 0.4 s after it has come."""

    def arrives(self, frame: bytes) -> None:
        self.later(0.4, lambda: super(ServesEverythingLate, self).arrives(frame))


def without(segment: Segment, *kinds: int) -> Segment:
    """The segment without options of these kinds."""
    return segment.with_options(*(option for kind, option in segment.options if kind not in kinds))


class _OtherHandshake(Shaped):
    """SYNs and SYN-ACKs are changed in both directions, so that the kernel finds nothing to agree to."""

    def arrives(self, frame: bytes) -> None:
        segment = segment_in(frame)
        super().arrives(with_segment(frame, self.opening(segment)) if segment and segment.flags & SYN else frame)

    def leaves(self, frame: Frame) -> None:
        segment = segment_in(frame)
        super().leaves(with_segment(frame, self.opening(segment)) if segment and segment.flags & SYN else frame)

    def opening(self, segment: Segment) -> Segment:
        raise NotImplementedError


class NoOptionsButTheSegmentSize(_OtherHandshake):
    """It offers and accepts none of them."""

    def opening(self, segment: Segment) -> Segment:
        return without(segment, WINDOW_SCALE, SACK_PERMITTED, TIMESTAMPS)


class NoSegmentSize(_OtherHandshake):
    """SYN and SYN-ACK carry none."""

    def opening(self, segment: Segment) -> Segment:
        return without(segment, SEGMENT_SIZE) if segment.source == self.networks[0].own else segment


class SmallSegmentsAndWindow(_OtherHandshake):
    """Segments of 536 bytes, a window of two of them without a scale; what is sent past it is dropped."""

    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._edges: dict[tuple[int, int, int], int] = {}  # announced, by the peer's address and both ports

    def opening(self, segment: Segment) -> Segment:
        smaller = min(maximum_segment_size(segment.area), SMALLEST_SEGMENT_SIZE)
        size = bytes((SEGMENT_SIZE, 4)) + smaller.to_bytes(2, "big")
        kept = [option for kind, option in segment.options if kind not in (SEGMENT_SIZE, WINDOW_SCALE)]
        return segment.with_options(size, *kept)

    def leaves(self, frame: Frame) -> None:
        segment = segment_in(frame)
        if segment and not segment.flags & RST:
            segment = replace(segment, window=min(segment.window, SMALL_WINDOW))
            if segment.flags & ACK:
                self._edges[segment.destination, segment.to_port, segment.port] = (
                    segment.acknowledgement + segment.window
                ) & 0xFFFFFFFF
            frame = with_segment(frame, segment)
        super().leaves(frame)

    def arrives(self, frame: bytes) -> None:
        segment = segment_in(frame)
        if segment and segment.data and not segment.flags & SYN:
            edge = self._edges.get((segment.source, segment.port, segment.to_port))
            if edge is not None and distance(edge, (segment.sequence + len(segment.data)) & 0xFFFFFFFF) > 0:
                return
        super().arrives(frame)


class AcknowledgesLate(Shaped):
    """A segment that only acknowledges goes out after 0.45 s, unless another one has gone out by then."""

    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._last: dict[tuple[int, int], Segment] = {}

    def leaves(self, frame: Frame) -> None:
        segment = segment_in(frame)
        if segment is None:
            super().leaves(frame)
            return
        ends = segment.port, segment.to_port
        before, self._last[ends] = self._last.get(ends), segment
        has_no_hurry = segment.flags & (SYN | FIN | RST | ACK) == ACK and not segment.data and not segment.unknown
        if has_no_hurry and before and not before.flags & SYN and segment.acknowledgement != before.acknowledgement:
            kept = bytes(frame)
            self.later(0.45, lambda: self._acknowledge(ends, segment, kept))
        else:
            super().leaves(frame)

    def _acknowledge(self, ends: tuple[int, int], segment: Segment, frame: bytes) -> None:
        if self._last.get(ends) is segment and segment.source == self.networks[0].own:
            super().leaves(frame)


class SlowApplication(Shaped):
    """What the echo service says goes out after 0.5 s, what its kernel acknowledges at once."""

    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._held: set[tuple[int, int, int, int]] = set()
        self._acknowledged: dict[tuple[int, int, int], int] = {}

    def departs(self, frame: bytes) -> None:
        segment = segment_in(frame)
        if segment is None or segment.flags & (SYN | RST) or segment.port != ECHO:
            super().departs(frame)
            return
        ends = segment.destination, segment.to_port, segment.port
        if segment.data and (*ends, segment.sequence) in self._held:
            return
        is_news = self._acknowledged.get(ends) != segment.acknowledgement
        self._acknowledged[ends] = segment.acknowledgement
        if segment.data:
            self._held.add((*ends, segment.sequence))
            self.later(0.5, lambda: self._say(frame, (*ends, segment.sequence)))
        if is_news or not segment.data:
            super().departs(with_segment(frame, replace(segment, flags=ACK, data=b"")) if segment.data else frame)

    def _say(self, frame: bytes, which: tuple[int, int, int, int]) -> None:
        self._held.discard(which)
        super().departs(frame)


class RetransmitsAfterThreeSeconds(Shaped):
    """Nothing is retransmitted within 2.9 s of the last new data."""

    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._sent: dict[tuple[int, int, int], tuple[int, float]] = {}

    def departs(self, frame: bytes) -> None:
        segment = segment_in(frame)
        length = 0 if segment is None else len(segment.data) + bool(segment.flags & (SYN | FIN))
        if segment is not None and length and not segment.flags & RST:
            ends, end = (segment.destination, segment.to_port, segment.port), (segment.sequence + length) & 0xFFFFFFFF
            last, at = self._sent.get(ends, (segment.sequence, self.now))
            is_answer = segment.flags & (SYN | ACK) == SYN | ACK
            if distance(last, end) <= 0 and self.now - at < NO_SOONER_S and not is_answer:
                return
            if ends not in self._sent or distance(last, end) > 0 or segment.flags & SYN:
                self._sent[ends] = end, self.now
        super().departs(frame)
