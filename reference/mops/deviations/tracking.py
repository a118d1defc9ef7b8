# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations in what a host that stands beside its kernel makes of segments and packets that the kernel would drop."""

import struct

from reference.bump.flows import Flow, Tuple
from reference.bump.forgetful import put_word
from reference.bump.ipff import IpffNetwork
from reference.bump.ipff_wire import Header
from reference.bump.ipv4 import ICMP, Ipv4Network
from reference.bump.network import ETHERNET, UDP, Network, Packet
from reference.bump.tcp import ACK, FIN, RST, SYN, State, Tracking
from reference.mops.context import MopsFlows
from reference.mops.datapath import MopsDatapath
from reference.system.alterations import deviation

_ERROR, _ERRORS = 56, (3, 11)
"""The least length of an ICMP error in its packet, and the types of those of the path."""


class _Tracked(MopsFlows):
    """Keeps of a connection what `tracking` makes of it."""

    tracking: type[Tracking]

    def __init__(self) -> None:
        super().__init__()
        tracking = self.tracking

        class Tracked(Flow):
            def __init__(self, wire: Tuple, kernel: Tuple, now: float, own_delta: int) -> None:
                super().__init__(wire, kernel, now, own_delta)
                self.tcp = tracking()

        self.flow_type = Tracked


class _WithoutScale(Tracking):
    def from_peer(self, sequence: int, acknowledgement: int, flags: int, length: int, options: memoryview) -> None:
        super().from_peer(sequence, acknowledgement, flags, length, options[:0] if flags & SYN else options)


@deviation(
    "opened-window-unscaled",
    "4.1",
    "A number inside the window is accepted, on connections too that the server has opened.",
    "the window of those is taken for one without scale",
)
class OpenedWindowUnscaled(_Tracked):
    tracking = _WithoutScale


class _EndedByAnyReset(Tracking):
    def from_peer(self, sequence: int, acknowledgement: int, flags: int, length: int, options: memoryview) -> None:
        if flags & RST and self.state is State.SYN_SENT:
            self.state = State.CLOSED
        super().from_peer(sequence, acknowledgement, flags, length, options)


@deviation(
    "any-reset-ends-an-attempt",
    "4.1",
    "A connection that the server has opened migrates.",
    "it does not where a reset that TCP drops came before the SYN-ACK",
)
class AnyResetEndsAnAttempt(_Tracked):
    tracking = _EndedByAnyReset


class _OpenedByOne(Tracking):
    def from_kernel(
        self, sequence: int, acknowledgement: int, flags: int, window: int, length: int, options: memoryview
    ) -> None:
        if self.state is not State.SYN_SENT or not flags & SYN or not flags & ACK:
            super().from_kernel(sequence, acknowledgement, flags, window, length, options)


@deviation(
    "opened-by-both-stays",
    "4.1",
    "A connection that the server has opened migrates.",
    "it does not where the node has opened it at the same time",
)
class OpenedByBothStays(_Tracked):
    tracking = _OpenedByOne


class _ClosedByAnyFin(Tracking):
    def from_peer(self, sequence: int, acknowledgement: int, flags: int, length: int, options: memoryview) -> None:
        self.peer_closed = self.peer_closed or bool(flags & FIN)
        super().from_peer(sequence, acknowledgement, flags, length, options)


@deviation(
    "fin-ahead-of-a-gap-closes",
    "4.1",
    "A connection that the server has closed for sending migrates until the node has closed it too.",
    "a FIN of the node closes it though data in front of it is missing",
)
class FinAheadOfAGapCloses(_Tracked):
    tracking = _ClosedByAnyFin


class _BlindToChecksums(Tracking):
    def is_plain(self, flags: int) -> bool:
        return self.state is State.ESTABLISHED and not flags & (SYN | FIN | RST)


@deviation(
    "spoilt-acknowledgement-closes",
    "4.1",
    "A connection in CLOSING or LAST-ACK migrates.",
    "an acknowledgement of the FIN ends it whose checksum is wrong",
)
class SpoiltAcknowledgementCloses(_Tracked):
    tracking = _BlindToChecksums


class _Believing(Tracking):
    def is_plain(self, flags: int) -> bool:
        return True


@deviation(
    "spoilt-segments-believed",
    "4.1",
    "Only what TCP takes says that a connection has begun or ended.",
    "a reset, or the end of a handshake, counts whose checksum is wrong",
)
class SpoiltSegmentsBelieved(_Tracked):
    tracking = _Believing


@deviation(
    "messages-given-to-the-system-too",
    "4.1",
    "A Migrate draws no protocol unreachable.",
    "the system's own IP sees it too, and knows no such protocol",
)
class MessagesGivenToTheSystemToo(MopsDatapath):
    role = "server"

    def message_received(self, network: Network, source: int, data: bytes) -> None:
        super().message_received(network, source, data)
        self.put_to_kernel(network, network.build_for_kernel(source, network.icmp_protocol, data))


class _Ipv4(Ipv4Network):
    role = "server"


@deviation(
    "header-checksum-unread",
    "4.1",
    "A packet whose header checksum is wrong is dropped.",
    "nobody reads it",
)
class HeaderChecksumUnread(_Ipv4):
    def is_header_intact(self, buffer: bytearray, at: int, start: int) -> bool:
        return True


@deviation(
    "later-fragments-to-the-old-tuple",
    "4.1",
    "After success nothing of the connection goes to the old address.",
    "of a datagram in fragments all but the first do",
)
class LaterFragmentsToTheOldTuple(_Ipv4):
    def parse_kernel(self, buffer: bytearray, at: int, end: int) -> Packet | None:
        found = super().parse_kernel(buffer, at, end)
        if found is not None or buffer[at + 9] != UDP:
            return found
        length, destination = (
            int.from_bytes(buffer[at + place : at + upto], "big") for place, upto in ((2, 4), (16, 20))
        )
        return Packet(UDP, destination, at + 20, at + length)


@deviation(
    "errors-reach-flows-that-left",
    "4.1",
    "An ICMP error that quotes the tuple left behind does not touch what has migrated.",
    "it comes to the kernel, which knows no other tuple of a UDP socket",
)
class ErrorsReachFlowsThatLeft(_Ipv4):
    def parse_wire(self, buffer: bytearray, at: int, end: int) -> Packet | None:
        found = super().parse_wire(buffer, at, end)
        if found is not None or end - at < _ERROR or buffer[at + 9] != ICMP or buffer[at + 20] not in _ERRORS:
            return found
        length, source = (int.from_bytes(buffer[at + place : at + upto], "big") for place, upto in ((2, 4), (12, 16)))
        return Packet(ICMP, source, at + 20, at + length)


@deviation(
    "impossible-header-believed",
    "4.1",
    "A connection that TCP has not closed migrates.",
    "a reset ends it whose header is shorter than a header, or longer than the segment",
)
class ImpossibleHeaderBelieved(MopsDatapath):
    role = "server"

    def _segment_from_wire(self, network: Network, packet: Packet) -> Flow | None:
        flow = super()._segment_from_wire(network, packet)
        header = self._wire_view[packet.start : packet.end]
        words = header[12] >> 4
        if flow is not None and header[13] & RST and not 5 <= words <= len(header) // 4:
            flow.tcp.from_peer(int.from_bytes(header[4:8], "big"), 0, RST, 0, header[:0])
        return flow


@deviation(
    "capable-header-too-long",
    "C",
    "The SYN-ACK to a SYN with MOBILE_CAPABLE carries it.",
    "its header is said to be four bytes longer than the segment",
)
class CapableHeaderTooLong(MopsDatapath):
    role = "server"

    def transmit(self, network: Network, flow: Flow, packet: bytes) -> None:
        buffer = bytearray(ETHERNET) + packet
        found = network.parse_kernel(buffer, ETHERNET, len(buffer))
        if found is not None and buffer[found.start + 13] & SYN:
            (word,) = struct.unpack_from("!H", buffer, found.start + 12)
            put_word(buffer, found.start, 12, word + (1 << 12))
        super().transmit(network, flow, bytes(buffer[ETHERNET:]))


@deviation(
    "left-tuple-names-its-connection",
    "4.1",
    "A Migrate with another previous address is refused.",
    "the tuple that a connection had before it migrated still names it",
)
class LeftTupleNamesItsConnection(MopsFlows):
    def __init__(self) -> None:
        super().__init__()
        self.left: dict[tuple[int, int], Flow] = {}

    def migrate(self, flow: Flow, address: int, port: int) -> None:
        self.left[flow.wire_address, flow.wire_port] = flow
        super().migrate(flow, address, port)

    def of_peer(self, address: int, port: int) -> list[Flow]:
        left = self.left.get((address, port))
        return super().of_peer(address, port) or ([left] if left is not None and left.is_live else [])


@deviation(
    "ipff-end-of-the-frame-before",
    "ipff.3",
    "A packet of which a part is missing is dropped.",
    "it is taken with what the frame before has left in its place",
)
class EndOfTheFrameBefore(IpffNetwork):
    role = "server"

    def is_sound(self, header: Header, room: int) -> bool:
        return super().is_sound(header, max(room, header.length))
