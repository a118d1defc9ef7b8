# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations of a host that has moved, in what it waits for and what it does meanwhile."""

import struct

from reference.bump.flows import Flow
from reference.bump.tcp import ACK, RST
from reference.rehash.context import Context, Exchange, Segment, context_of
from reference.rehash.host import Host
from reference.system.alterations import deviation


def _answer(host: Host, packet: bytes, flags: int) -> None:
    """Answer a TCP segment from the address it was sent to."""
    source, destination = struct.unpack_from("!II", packet, 12)
    segment = packet[(packet[0] & 0xF) << 2 :]
    if packet[9] != 6 or len(segment) < 20 or segment[13] & RST:
        return
    port, local_port, sequence, acknowledgement = struct.unpack_from("!HHII", segment)
    header = struct.pack("!HHIIBBHHH", local_port, port, acknowledgement, sequence, 20 << 2, flags, 0, 0, 0)
    host.mechanics.originate(destination, source, bytearray(header))


@deviation(
    "in-flight-reset",
    "6.2",
    "Segments in flight to the old address are silently discarded while the rehash is under way.",
    "they are answered with a reset",
)
class InFlightReset(Host):
    def in_flight(self, packet: bytes) -> None:
        _answer(self, packet, RST)


@deviation(
    "in-flight-acknowledged",
    "6.2",
    "Segments in flight to the old address are silently discarded while the rehash is under way.",
    "they are answered with an ACK",
)
class InFlightAcknowledged(Host):
    def in_flight(self, packet: bytes) -> None:
        _answer(self, packet, ACK)


@deviation(
    "addr-without-end",
    "6.2",
    "REHASH-ADDR is repeated until the host's maximum is reached, and not more often than that.",
    "it is repeated for ever",
)
class AddrWithoutEnd(Host):
    def is_exhausted(self, exchange: Exchange) -> bool:
        return False

    def may_carry(self, exchange: Exchange, now: float) -> bool:
        return True


@deviation(
    "addr-sent-twice-only",
    "6.2",
    "REHASH-ADDR is repeated until REHASH-INIT comes or the host's maximum is reached.",
    "the connection is closed after two",
)
class AddrSentTwiceOnly(Host):
    def is_exhausted(self, exchange: Exchange) -> bool:
        return exchange.sent >= 2

    def may_carry(self, exchange: Exchange, now: float) -> bool:
        return exchange.sent < 2


@deviation(
    "failed-move-not-closed",
    "6.2",
    "A connection that fails to rehash is closed by the host that initiated the rehash.",
    "it stays open for ever, and nothing goes out on it",
)
class FailedMoveNotClosed(Host):
    def fail(self, flow: Flow, context: Context) -> None:
        self.moving.pop(flow, None)


@deviation(
    "failed-move-goes-on",
    "6.2",
    "A connection that fails to rehash is closed by the host that initiated the rehash.",
    "it continues without REHASH-ADDR",
)
class FailedMoveGoesOn(Host):
    def fail(self, flow: Flow, context: Context) -> None:
        self.finish(flow, context)


@deviation(
    "anything-acknowledges",
    "7",
    "A host that sent REHASH-ADDR takes a REHASH-INIT as its acknowledgement, and nothing else.",
    "any segment of the peer is taken as its acknowledgement",
)
class AnythingAcknowledges(Host):
    def accounted(self, flow: Flow, segment: Segment, now: float) -> None:
        context = context_of(flow)
        if context is not None and context.exchange is not None and not segment.flags & RST:
            self.finish(flow, context)
        super().accounted(flow, segment, now)


@deviation(
    "mover-without-slow-start",
    "6.2",
    "After a successful rehash the host starts in slow start.",
    "it continues with the congestion window of the old path",
)
class MoverWithoutSlowStart(Host):
    def sender_slow_start(self, context: Context) -> None:
        pass


@deviation(
    "move-resets-connections",
    "3",
    "The application keeps the socket it has across moves.",
    "sockets of connections that could move get an error",
)
class MoveResetsConnections(Host):
    def begin_move(self, flow: Flow, context: Context, old: int, now: float) -> None:
        self.fail(flow, context)


@deviation(
    "duplicate-ack-takes-sequence-space",
    "5",
    "The option takes no sequence space.",
    "the sequence number of a duplicate ACK with an option is one too high",
)
class DuplicateAckTakesSequenceSpace(Host):
    def send_address(self, flow: Flow, context: Context, exchange: Exchange, now: float) -> None:
        context.next = (context.next + 1) & 0xFFFFFFFF
        super().send_address(flow, context, exchange, now)
        context.next = (context.next - 1) & 0xFFFFFFFF
