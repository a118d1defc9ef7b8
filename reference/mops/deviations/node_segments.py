# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations of a mobile node in the segments and packets that follow a move, and in those that follow later still."""

import struct
from typing import Any

from reference.bump.checksum import checksum
from reference.bump.datapath import Fields
from reference.bump.flows import Flow
from reference.bump.network import ETHERNET, TCP, Network, Packet
from reference.bump.tcp import ACK, FIN, RST, SACK, SYN, TIMESTAMPS, distance, split
from reference.mops.context import context_of
from reference.mops.deviations.segments import AfterAMove, HearsErrors, bare_segment
from reference.mops.exchange import Exchange, Moving
from reference.mops.message import MIGRATE, MIGRATE_TYPE, Entry, Migrate, message_type
from reference.mops.mobile_node import MobileNode
from reference.system.alterations import deviation

_LATER_S = 0.4


@deviation(
    "node-timestamps-lost",
    "4.1",
    "The TCP options of a connection stay in use after the move.",
    "segments carry no Timestamps once the connection has moved",
)
class TimestampsLost(AfterAMove):
    def segment_from_kernel(
        self, network: Network, packet: Packet, flow: Flow, fields: Fields, data: int
    ) -> Flow | None:
        if self.has_moved and not fields[5] & SYN:
            fields = self.without(TIMESTAMPS, packet, data, fields)
        return super().segment_from_kernel(network, packet, flow, fields, data)


@deviation(
    "node-timestamps-go-back",
    "4.1",
    "Timestamps do not go back after the move.",
    "they are 2^30 less once the connection has moved",
)
class TimestampsGoBack(AfterAMove):
    def segment_from_kernel(
        self, network: Network, packet: Packet, flow: Flow, fields: Fields, data: int
    ) -> Flow | None:
        options = bytes(self._kernel_view[packet.start + 20 : data])
        at = next((options.index(one) for kind, one in split(options) if kind == TIMESTAMPS), None)
        if self.has_moved and at is not None:
            value = (int.from_bytes(options[at + 2 : at + 6], "big") - (1 << 30)) % (1 << 32)
            earlier = options[: at + 2] + value.to_bytes(4, "big") + options[at + 6 :]
            fields = self.replace_options(packet, data, fields, earlier)
        return super().segment_from_kernel(network, packet, flow, fields, data)


@deviation(
    "node-sack-lost",
    "4.1",
    "The TCP options of a connection stay in use after the move.",
    "acknowledgements carry no SACK blocks once the connection has moved",
)
class SackLost(AfterAMove):
    def segment_from_kernel(
        self, network: Network, packet: Packet, flow: Flow, fields: Fields, data: int
    ) -> Flow | None:
        if self.has_moved:
            fields = self.without(SACK, packet, data, fields)
        return super().segment_from_kernel(network, packet, flow, fields, data)


@deviation(
    "node-close-lost",
    "4.1",
    "What the application sends and its close follow the success.",
    "a connection that has moved never sends a FIN",
)
class CloseLost(AfterAMove):
    def segment_from_kernel(
        self, network: Network, packet: Packet, flow: Flow, fields: Fields, data: int
    ) -> Flow | None:
        if fields[5] & FIN and (self.has_moved or context_of(flow).is_pending):
            return None
        return super().segment_from_kernel(network, packet, flow, fields, data)


@deviation(
    "node-retransmits-early",
    "4.1",
    "Nothing is sent from the new tuple before success.",
    "what was sent before the move is retransmitted from the new tuple at once",
)
class RetransmitsEarly(AfterAMove):
    def segment_from_kernel(
        self, network: Network, packet: Packet, flow: Flow, fields: Fields, data: int
    ) -> Flow | None:
        context = context_of(flow)
        if not context.is_pending or distance(fields[2], flow.tcp.snd_nxt) <= 0 or packet.end == data:
            return super().segment_from_kernel(network, packet, flow, fields, data)
        context.is_pending = False
        going = super().segment_from_kernel(network, packet, flow, fields, data)
        context.is_pending = True
        return going


@deviation(
    "node-refuses-clients-after-a-move",
    "4.1",
    "After a move the node accepts new connections at its new address.",
    "it answers no SYN any more",
)
class RefusesClientsAfterAMove(AfterAMove):
    def _segment_from_wire(self, network: Network, packet: Packet) -> Flow | None:
        moved = self.node is not None and self.node.counters["moves"] > 0
        if moved and self._from_wire[packet.start + 13] & (SYN | ACK) == SYN:
            return None
        return super()._segment_from_wire(network, packet)


@deviation(
    "node-soft-error-ends-connection",
    "2.1",
    "A soft ICMP error ends no connection.",
    "the connection that one quotes is dead, whichever of its tuples that is",
)
class SoftErrorEndsConnection(HearsErrors):
    def error_received(self, network: Network, error: bytes) -> None:
        peer, (own_port, port) = int.from_bytes(error[24:28], "big"), struct.unpack_from("!HH", error, 28)
        for flow in list(network.flows.by_kernel.values()):
            if (flow.wire_address, flow.wire_port, flow.own_port) == (peer, port, own_port):
                self.give_up(network, TCP, flow)


@deviation(
    "node-migrates-when-reset",
    "A",
    "Without a move the node sends no Migrate.",
    "a reset from a server makes it migrate what else it has there",
)
class MigratesWhenReset(AfterAMove):
    def _segment_from_wire(self, network: Network, packet: Packet) -> Flow | None:
        flow = super()._segment_from_wire(network, packet)
        if flow is not None and self._from_wire[packet.start + 13] & RST:
            for other in network.flows.by_kernel.values():
                if other is not flow and other.wire_address == flow.wire_address and other.is_live:
                    own, entry = network.to_ipff(network.own), Entry(other.own_port, other.own_port, other.tcp.snd_nxt)
                    message = Migrate(MIGRATE, TCP, own, own, (entry,))
                    self.send(network, other.wire_address, network.icmp_protocol, message.pack())
        return flow


@deviation(
    "node-hop-limit-1",
    "4.1",
    "The hop limit of a Migrate is that of a packet for a far server.",
    "it is 1",
)
class HopLimit1(AfterAMove):
    def put_on_wire(self, frame: bytes) -> None:
        packet = bytearray(frame[ETHERNET:])
        if packet[0] >> 4 == 4 and packet[9] != TCP:
            packet[8], packet[10:12] = 1, bytes(2)
            packet[10:12] = checksum(packet[:20]).to_bytes(2, "big")
        super().put_on_wire(frame[:ETHERNET] + bytes(packet))


@deviation(
    "node-undefined-code-is-success",
    "4.1",
    "A reply with a code from 4 to 255 is not taken for a success.",
    "every code but 3 is taken for one",
)
class UndefinedCodeIsSuccess(AfterAMove):
    def message_received(self, network: Network, source: int, data: bytes) -> None:
        if message_type(data) == MIGRATE_TYPE and len(data) > 5 and data[5] > 3 and self.node is not None:
            self.node.reply_received(network, source, data, self.now)
        else:
            super().message_received(network, source, data)


class _SecondThoughts(MobileNode):
    """Does something 0.4 s after a success."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.thoughts: list[tuple[Exchange, Moving]] = []
        self.due = 0.0

    def succeeded(self, exchange: Exchange, moving: Moving) -> None:
        super().succeeded(exchange, moving)
        self.thoughts.append((exchange, moving))
        self.due = 0.0

    def next_deadline(self) -> float | None:
        deadline = super().next_deadline()
        if not self.thoughts:
            return deadline
        return self.due if deadline is None else min(deadline, self.due)

    def tick(self, now: float) -> None:
        super().tick(now)
        if self.thoughts and not self.due:
            self.due = now + _LATER_S
        elif self.thoughts and now >= self.due:
            for exchange, moving in self.thoughts:
                self.think(exchange, moving)
            self.thoughts = []

    def think(self, exchange: Exchange, moving: Moving) -> None:
        """What is done then."""


@deviation(
    "node-resets-later",
    "4.1",
    "After success the connection continues.",
    "0.4 s after the success its server is sent a reset",
)
class ResetsLater(_SecondThoughts):
    def think(self, exchange: Exchange, moving: Moving) -> None:
        if moving.protocol == TCP:
            segment = bare_segment(exchange.network, moving.flow, RST | ACK)
            self.mechanics.send(exchange.network, moving.flow.wire_address, TCP, segment)


@deviation(
    "node-asks-again-later",
    "4.1",
    "Success ends the repeats.",
    "0.4 s after the success the Migrate is sent once more",
)
class AsksAgainLater(_SecondThoughts):
    def think(self, exchange: Exchange, moving: Moving) -> None:
        self.mechanics.send(exchange.network, exchange.server, exchange.network.icmp_protocol, exchange.data)


@deviation(
    "node-dies-later",
    "4.1",
    "After success the connection continues.",
    "0.4 s after the success the application is told that it is dead",
)
class DiesLater(_SecondThoughts):
    def think(self, exchange: Exchange, moving: Moving) -> None:
        self.die(exchange, moving)
