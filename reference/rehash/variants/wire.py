# SPDX-License-Identifier: GPL-2.0-or-later
"""Variants on the wire: frames, options, windows and times that another TCP than the kernel's has."""

from dataclasses import replace

from reference.bump.ends import Frame
from reference.bump.segment import Segment
from reference.bump.shaping import Shaped, segment_in, with_segment
from reference.bump.tcp import ACK, FIN, RST, SEGMENT_SIZE, SYN, TIMESTAMPS, WINDOW_SCALE, distance
from reference.rehash.datapath import RehashDatapath
from reference.system.alterations import variant

ECHO = 7
SHORTEST_FRAME = 60
SACK_PERMITTED = 4
SMALLEST_SEGMENT_SIZE = 536
NO_SOONER_S = 2.9
SMALL_WINDOW = 2 * SMALLEST_SEGMENT_SIZE


@variant(
    "frames-padded",
    "5",
    "Ethernet has no frames of less than 60 bytes; what follows the length of the packet is no data (RFC 1042).",
    "every frame is filled up to 60 bytes, with bytes that are not zero",
)
class FramesPadded(Shaped, RehashDatapath):
    def leaves(self, frame: Frame) -> None:
        super().leaves(bytes(frame).ljust(SHORTEST_FRAME, b"\x5a"))


@variant(
    "serves-everything-late",
    "5",
    "A host may use the time that its profile grants.",
    "every frame is served 0.4 s after it has come",
)
class ServesEverythingLate(Shaped, RehashDatapath):
    def arrives(self, frame: bytes) -> None:
        self.later(0.4, lambda: super(ServesEverythingLate, self).arrives(frame))


def without(segment: Segment, *kinds: int) -> Segment:
    """The segment without options of these kinds."""
    return segment.with_options(*(option for kind, option in segment.options if kind not in kinds))


class _OtherHandshake(Shaped, RehashDatapath):
    """SYNs and SYN-ACKs are changed in both directions, so that the kernel finds nothing to agree to."""

    def arrives(self, frame: bytes) -> None:
        segment = segment_in(frame)
        super().arrives(with_segment(frame, self.opening(segment)) if segment and segment.flags & SYN else frame)

    def leaves(self, frame: Frame) -> None:
        segment = segment_in(frame)
        super().leaves(with_segment(frame, self.opening(segment)) if segment and segment.flags & SYN else frame)

    def opening(self, segment: Segment) -> Segment:
        raise NotImplementedError


@variant(
    "no-options-but-the-segment-size",
    "5",
    "Window scale, timestamps and SACK are extensions (RFC 7323, RFC 2018).",
    "it offers and accepts none of them",
)
class NoOptionsButTheSegmentSize(_OtherHandshake):
    def opening(self, segment: Segment) -> Segment:
        return without(segment, WINDOW_SCALE, SACK_PERMITTED, TIMESTAMPS)


@variant(
    "no-segment-size",
    "5",
    "The Maximum Segment Size option may be left out (RFC 9293, 3.7.1).",
    "SYN and SYN-ACK carry none",
)
class NoSegmentSize(_OtherHandshake):
    def opening(self, segment: Segment) -> Segment:
        return without(segment, SEGMENT_SIZE) if segment.source == self.networks[0].own else segment


@variant(
    "small-segments-and-window",
    "5",
    "A host may have little memory.",
    "segments of 536 bytes, a window of two of them without a scale; what is sent past it is dropped",
)
class SmallSegmentsAndWindow(_OtherHandshake):
    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._edges: dict[tuple[int, int], int] = {}  # announced, by both ports

    def opening(self, segment: Segment) -> Segment:
        size = bytes((SEGMENT_SIZE, 4)) + SMALLEST_SEGMENT_SIZE.to_bytes(2, "big")
        kept = [option for kind, option in segment.options if kind not in (SEGMENT_SIZE, WINDOW_SCALE)]
        return segment.with_options(size, *kept)

    def leaves(self, frame: Frame) -> None:
        segment = segment_in(frame)
        if segment and not segment.flags & RST:
            segment = replace(segment, window=min(segment.window, SMALL_WINDOW))
            if segment.flags & ACK:
                self._edges[segment.to_port, segment.port] = (segment.acknowledgement + segment.window) & 0xFFFFFFFF
            frame = with_segment(frame, segment)
        super().leaves(frame)

    def arrives(self, frame: bytes) -> None:
        segment = segment_in(frame)
        if segment and segment.data and not segment.flags & SYN:
            edge = self._edges.get((segment.port, segment.to_port))
            if edge is not None and distance(edge, (segment.sequence + len(segment.data)) & 0xFFFFFFFF) > 0:
                return
        super().arrives(frame)


@variant(
    "acknowledges-late",
    "5",
    "An acknowledgement may be delayed by less than 0.5 s (RFC 9293, 3.8.6.3).",
    "a segment that only acknowledges goes out after 0.45 s, unless another one has gone out by then",
)
class AcknowledgesLate(Shaped, RehashDatapath):
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


@variant(
    "slow-application",
    "5",
    "An acknowledgement may come long before the application has something to say.",
    "what the echo service says goes out after 0.5 s, what its kernel acknowledges at once",
)
class SlowApplication(Shaped, RehashDatapath):
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


@variant(
    "retransmits-after-three-seconds",
    "5",
    "The retransmission timer may start with 3 s (RFC 1122, 4.2.3.1).",
    "nothing is retransmitted within 2.9 s",
)
class RetransmitsAfterThreeSeconds(Shaped, RehashDatapath):
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
            self._sent[ends] = (end if distance(last, end) > 0 or segment.flags & SYN else last), self.now
        super().departs(frame)
