# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations of a legacy host in options that are on other segments than a SYN, in several of them, and later on."""

from reference.bump.segment import Segment, read
from reference.bump.shaping import Shaped, segment_in
from reference.bump.tcp import ACK, FIN, MAXIMUM_OPTIONS, SEGMENT_SIZE, SYN
from reference.legacy.datapath import LegacyDatapath
from reference.legacy.host import LegacyHost, WatchingHost
from reference.system.alterations import deviation

REHASH, CAPABLE, PERMITTED, MIGRATE = 253, 254, 15, 16
_IGNORED = "An option that TCP does not implement is ignored without error."
_LATER_S = 0.4


def _kinds(segment: Segment) -> set[int]:
    return {kind for kind, _ in segment.unknown}


@deviation("data-with-mobile-capable-dropped", "9293.3.1", _IGNORED, "data of a segment with MOBILE_CAPABLE is dropped")
class DataWithMobileCapableDropped(WatchingHost):
    def takes(self, segment: Segment) -> bool:
        return not (segment.data and CAPABLE in _kinds(segment))


@deviation("fin-with-migrate-dropped", "9293.3.1", _IGNORED, "a FIN with Migrate is dropped")
class FinWithMigrateDropped(WatchingHost):
    def takes(self, segment: Segment) -> bool:
        return not (segment.flags & FIN and MIGRATE in _kinds(segment))


@deviation("reset-with-option-dropped", "9293.3.1", _IGNORED, "a reset with an unknown option is dropped")
class ResetWithOptionDropped(WatchingHost):
    def takes(self, segment: Segment) -> bool:
        return not (segment.is_reset() and segment.unknown)


@deviation(
    "syn-ack-with-permitted-dropped", "9293.3.1", _IGNORED, "a SYN-ACK with Migrate-Permitted opens no connection"
)
class SynAckWithPermittedDropped(WatchingHost):
    def takes(self, segment: Segment) -> bool:
        return not (segment.flags & (SYN | ACK) == SYN | ACK and PERMITTED in _kinds(segment))


@deviation("option-reflected-on-data", "9293.3.1", _IGNORED, "an unknown option on data comes back on the next segment")
class OptionReflectedOnData(LegacyHost):
    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._seen: dict[tuple[int, int], bytes] = {}

    def from_wire(self, packet: bytes) -> None:
        segment = read(packet)
        if segment and segment.data and segment.unknown:
            self._seen[segment.source, segment.port] = segment.unknown[0][1]
        super().from_wire(packet)

    def from_kernel(self, packet: bytes) -> None:
        segment = read(packet)
        option = self._seen.pop((segment.destination, segment.to_port), b"") if segment else b""
        if segment and option and len(segment.area) + len(option) <= MAXIMUM_OPTIONS - 3:
            packet = segment.with_options(segment.area, option).packet()
        super().from_kernel(packet)


@deviation(
    "segment-size-lost", "9293.3.1", _IGNORED, "a maximum segment size after an unknown option counts for nothing"
)
class SegmentSizeLost(LegacyHost):
    def from_wire(self, packet: bytes) -> None:
        segment = read(packet)
        if segment and segment.is_syn() and segment.unknown:
            kept, is_after = [], False
            for kind, option in segment.options:
                is_after = is_after or (kind, option) in segment.unknown
                kept.append(b"\1" * len(option) if kind == SEGMENT_SIZE and is_after else option)
            packet = segment.with_options(*kept).packet()
        super().from_wire(packet)


@deviation("several-options-refused", "9293.3.1", _IGNORED, "a SYN with two unknown options is answered with a reset")
class SeveralOptionsRefused(WatchingHost):
    def takes(self, segment: Segment) -> bool:
        if segment.is_syn() and len(segment.unknown) > 1 and len(_kinds(segment)) > 1:
            self.to_wire(segment.reset().packet())
            return False
        return True


@deviation("full-options-dropped", "9293.3.1", _IGNORED, "a SYN whose options fill the header is dropped")
class FullOptionsDropped(WatchingHost):
    def takes(self, segment: Segment) -> bool:
        return not (segment.is_syn() and len(segment.area) == MAXIMUM_OPTIONS)


@deviation(
    "fourth-option-refused", "9293.3.1", _IGNORED, "of one peer no more than three SYNs with unknown options are taken"
)
class FourthOptionRefused(WatchingHost):
    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._taken: dict[int, set[int]] = {}

    def takes(self, segment: Segment) -> bool:
        if not (segment.is_syn() and segment.unknown):
            return True
        ports = self._taken.setdefault(segment.source, set())
        ports.add(segment.port)
        return len(ports) <= 3


@deviation(
    "option-ends-connection-later", "9293.3.1", _IGNORED, "0.4 s after an acknowledgement with an option it is over"
)
class OptionEndsConnectionLater(Shaped, LegacyDatapath):
    def arrives(self, frame: bytes) -> None:
        segment = segment_in(frame)
        if segment and segment.unknown and segment.flags & (SYN | FIN | ACK) == ACK and not segment.data:
            reset = Segment(*_ends(segment), segment.sequence, 0, 4)
            self.later(_LATER_S, lambda: self._packet_to_kernel(reset.packet()))
        super().arrives(frame)


def _ends(segment: Segment) -> tuple[int, int, int, int]:
    return segment.source, segment.destination, segment.port, segment.to_port
