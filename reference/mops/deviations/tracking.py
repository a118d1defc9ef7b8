# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations in what a host that stands beside its kernel makes of the segments of a connection."""

from reference.bump.flows import Flow, Tuple
from reference.bump.ipv4 import ICMP, Ipv4Network
from reference.bump.network import UDP, Network, Packet
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
