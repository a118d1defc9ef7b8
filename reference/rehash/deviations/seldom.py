# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations that show after many segments, now and then, or in a corner of the header."""

import struct

from reference.bump.checksum import adjust, words_sum
from reference.bump.ends import Frame
from reference.bump.flows import Flow
from reference.bump.network import TCP, Network, Packet
from reference.bump.shaping import Shaped, segment_in
from reference.bump.tcp import CHECKSUM_AT, MAXIMUM_OPTIONS, RST, SEGMENT_SIZE, State, split
from reference.rehash.context import Context, Exchange, Segment, context_of
from reference.rehash.datapath import RehashDatapath
from reference.rehash.host import Host
from reference.rehash.option import ADDR, LENGTH, Option
from reference.rehash.sender import RETRY_S
from reference.rehash.slow_start import SlowStart
from reference.system.alterations import deviation

_FLAGS, _CHECKSUM = 47, 50  # where they stand in a frame
_FEW = 3
_SEVERAL = 64


@deviation(
    "every-repeated-init-answered",
    "6.1",
    "Repeated REHASH-INITs start no endless exchange.",
    "every REHASH-INIT is answered, the answer of a host that does the same included",
)
class EveryRepeatedInitAnswered(Host):
    def init_received(self, flow: Flow, context: Context, option: Option, segment: Segment, now: float) -> None:
        context.answers_left = 1
        super().init_received(flow, context, option, segment, now)


@deviation(
    "init-forgotten-after-many",
    "6.1",
    "A data segment that carried REHASH-INIT carries it again when it is retransmitted.",
    "the first 64 of a connection do",
)
class InitForgottenAfterMany(Host):
    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._carriers: dict[Context, int] = {}

    def init_on(self, flow: Flow, context: Context, sequence: int, length: int) -> Option | None:
        number = self._carriers[context] = self._carriers.get(context, 0) + bool(length)
        return super().init_on(flow, context, sequence, length if number <= _SEVERAL else 0)


@deviation(
    "acknowledgements-exceed-the-maximum",
    "6.2",
    "REHASH-ADDR is not sent more often than the host's maximum.",
    "what goes out some time after the last one carries it, whatever the number",
)
class AcknowledgementsExceedTheMaximum(Host):
    def may_carry(self, exchange: Exchange, now: float) -> bool:
        return super().may_carry(exchange, now) or now - exchange.last >= RETRY_S / 2


@deviation(
    "no-maximum-is-a-small-one",
    "6.2",
    "A host that names no maximum repeats REHASH-ADDR until REHASH-INIT comes.",
    "it gives up after three",
)
class NoMaximumIsASmallOne(Host):
    def is_exhausted(self, exchange: Exchange) -> bool:
        return exchange.sent >= _FEW


class _PeersDataOpensTheWindow(Host):
    """Takes data that acknowledges nothing new for an acknowledgement."""

    def accounted(self, flow: Flow, segment: Segment, now: float) -> None:
        context = context_of(flow)
        if context is not None and context.slow_start is not None and segment.length and self.is_fooled(context):
            context.slow_start.acknowledge(context.acknowledged, 0)
        super().accounted(flow, segment, now)

    def is_fooled(self, context: Context) -> bool:
        """Whether it does so on this connection."""
        raise NotImplementedError


@deviation(
    "mover-window-opened-by-data",
    "6.2",
    "After a successful rehash the first flight of the host that moved is at most the initial window.",
    "data of the peer counts as an acknowledgement of the flight",
)
class MoverWindowOpenedByData(_PeersDataOpensTheWindow):
    def is_fooled(self, context: Context) -> bool:
        return bool(self.left)


@deviation(
    "told-window-opened-by-data",
    "6.2",
    "After a move of its peer the first flight of the host is at most the initial window.",
    "data of the peer counts as an acknowledgement of the flight",
)
class ToldWindowOpenedByData(_PeersDataOpensTheWindow):
    def is_fooled(self, context: Context) -> bool:
        return not self.left


@deviation(
    "reserved-bits-beside-the-option",
    "5",
    "The reserved bits of the header of a segment with a Rehash option are zero.",
    "the flags stand there once more",
)
class ReservedBitsBesideTheOption(Shaped, RehashDatapath):
    def leaves(self, frame: Frame) -> None:
        segment = segment_in(frame)
        if segment is not None and any(kind == self.host.settings.option_kind for kind, _ in segment.options):
            changed = bytearray(frame)
            bits = changed[_FLAGS] & 0x0E
            changed[_FLAGS - 1] |= bits
            (field,) = struct.unpack_from("!H", changed, _CHECKSUM)
            struct.pack_into("!H", changed, _CHECKSUM, adjust(field, bits << 8))
            frame = bytes(changed)
        super().leaves(frame)


@deviation(
    "syn-options-give-way-to-init",
    "5",
    "A SYN-ACK with REHASH-INIT has the options that one without it has.",
    "REHASH-INIT takes the place of all others, which the kernel believes to have agreed on",
)
class SynOptionsGiveWayToInit(Host):
    def insert(self, options: bytes, option: bytes) -> bytes | None:
        is_syn = any(kind == SEGMENT_SIZE for kind, _ in split(options))
        return super().insert(b"" if is_syn else options, option)


@deviation(
    "segment-size-in-a-full-syn-not-lessened",
    "5",
    "Segments with a Rehash option are not larger than the peer takes.",
    "where the SYN of the peer was full the option comes on top of a full segment",
)
class SegmentSizeInAFullSynNotLessened(RehashDatapath):
    def _replace_options(self, start: int, packet: Packet, data: int, options: bytes) -> tuple[int, Packet]:
        if len(options) == MAXIMUM_OPTIONS and options[0] == SEGMENT_SIZE:
            options = options[:2] + (int.from_bytes(options[2:4], "big") + LENGTH).to_bytes(2, "big") + options[4:]
        return super()._replace_options(start, packet, data, options)


@deviation(
    "rehash-checksum-not-checked",
    "5",
    "A Rehash option on a segment whose checksum is wrong means nothing.",
    "the checksum of TCP is not looked at",
)
class RehashChecksumNotChecked(RehashDatapath):
    def _segment_from_wire(self, network: Network, packet: Packet) -> Flow | None:
        at, end = packet.start, packet.end
        struct.pack_into("!H", self._from_wire, at + CHECKSUM_AT, 0)
        total = network.pseudo_header_sum(packet.peer, TCP, end - at) + words_sum(self._wire_view[at:end])
        struct.pack_into("!H", self._from_wire, at + CHECKSUM_AT, 0xFFFF - (total % 0xFFFF or 0xFFFF))
        return super()._segment_from_wire(network, packet)


@deviation(
    "acknowledgement-in-full-not-counted",
    "6.2",
    "A connection that has moved goes on as it did.",
    "an acknowledgement of all that was sent makes no room in slow start",
)
class AcknowledgementInFullNotCounted(Host):
    def accounted(self, flow: Flow, segment: Segment, now: float) -> None:
        context = context_of(flow)
        slow_start = None if context is None else context.slow_start
        if context is not None and segment.acknowledgement == context.next:
            context.slow_start = None
        super().accounted(flow, segment, now)
        if context is not None and slow_start is not None and not context.is_failed:
            context.slow_start = slow_start


@deviation(
    "first-flight-sent-once",
    "6.2",
    "The stream goes on after the move without a byte lost.",
    "what is lost before anything was acknowledged at the new address is not sent again",
)
class FirstFlightSentOnce(SlowStart):
    def restart(self) -> None:
        super().restart()
        self._is_heard = False

    def admits(self, sequence: int, length: int) -> bool:
        fits = self.outstanding + length <= self.window
        return super().admits(sequence, length) and (fits or self._is_heard)

    def acknowledge(self, number: int, progress: int) -> None:
        self._is_heard = True
        super().acknowledge(number, progress)


@deviation(
    "every-acknowledgement-frees-a-segment",
    "6.2",
    "In slow start an acknowledgement opens the window by a segment at most.",
    "it counts for a whole segment however little it acknowledges, and opens the window by another one",
)
class EveryAcknowledgementFreesASegment(SlowStart):
    def acknowledge(self, number: int, progress: int) -> None:
        super().acknowledge(number, self.segment_size)


@deviation(
    "kernel-segments-counted-and-held",
    "6.2",
    "REHASH-ADDR is repeated until the host's maximum is reached.",
    "what the kernel sends meanwhile counts as a repeat, and does not go out",
)
class KernelSegmentsCountedAndHeld(Host):
    def outgoing(
        self, flow: Flow, context: Context, sequence: int, flags: int, length: int, now: float
    ) -> tuple[bool, Option | None]:
        goes, option = super().outgoing(flow, context, sequence, flags, length, now)
        return goes and (option is None or option.control != ADDR), option


@deviation(
    "refused-syn-ends-others",
    "3",
    "Applications that use TCP are not impacted.",
    "a SYN that the system refuses ends every connection",
)
class RefusedSynEndsOthers(Host):
    def outgoing(
        self, flow: Flow, context: Context, sequence: int, flags: int, length: int, now: float
    ) -> tuple[bool, Option | None]:
        if flags & RST and not sequence:  # as in the answer to a SYN (RFC 9293 3.10.7.1)
            for other in list(self.flows.by_wire.values()):
                theirs = context_of(other)
                if theirs is not None and other.tcp.state is State.ESTABLISHED:
                    self.fail(other, theirs)
        return super().outgoing(flow, context, sequence, flags, length, now)
