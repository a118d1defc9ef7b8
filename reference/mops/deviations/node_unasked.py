# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations in unsolicited packets of a mobile node."""

from typing import Any

from reference.bump.network import TCP, Network
from reference.bump.tcp import ACK, RST
from reference.mops.acknowledgements import NatAcknowledgement
from reference.mops.deviations.segments import bare_segment
from reference.mops.exchange import Exchange
from reference.mops.message import SUCCESS, Migrate
from reference.mops.mobile_node import MobileNode
from reference.system.alterations import deviation


@deviation(
    "node-resets-what-moves",
    "4.1",
    "The node neither resets nor closes a connection because its address goes away.",
    "its connections are reset at the server before it continues",
)
class ResetsWhatMoves(MobileNode):
    def move(self, network: Network, address: int, now: float) -> None:
        for flow in network.flows.by_kernel.values():
            if self.is_movable(TCP, flow):
                self.mechanics.send(network, flow.wire_address, TCP, bare_segment(network, flow, RST | ACK))
        super().move(network, address, now)


@deviation(
    "node-late-reply-revives",
    "4.1",
    "A reply that comes after the socket was declared dead does not bring it back.",
    "the connection continues on the new tuple, though the application is gone",
)
class LateReplyRevives(MobileNode):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._given_up: list[Exchange] = []

    def exhausted(self, exchange: Exchange) -> None:
        super().exhausted(exchange)
        self._given_up.append(exchange)

    def reply_received(self, network: Network, source: int, data: bytes, now: float) -> None:
        super().reply_received(network, source, data, now)
        message = Migrate.parse(data)
        for exchange in self._given_up:
            if message is not None and message.code == SUCCESS and self.is_answer(exchange, network, source, message):
                for moving in exchange.sockets:
                    flow = moving.flow
                    self.mechanics.send(network, flow.wire_address, TCP, bare_segment(network, flow, ACK))


@deviation(
    "node-answers-nat-acknowledgement",
    "4.3",
    "The node never answers a NAT acknowledgement.",
    "it sends it on to the server of the connection",
)
class AnswersNatAcknowledgement(MobileNode):
    def nat_received(self, network: Network, source: int, data: bytes) -> None:
        super().nat_received(network, source, data)
        message = NatAcknowledgement.parse(data)
        ports = {port for port, _ in message.ports} if message is not None else set()
        for flow in network.flows.by_kernel.values():
            if flow.own_port in ports:
                self.mechanics.send(network, flow.wire_address, network.icmp_protocol, data)


@deviation(
    "node-answers-anycast-acknowledgement",
    "4.2",
    "The node never answers an anycast acknowledgement.",
    "it sends it back",
)
class AnswersAnycastAcknowledgement(MobileNode):
    def anycast_received(self, network: Network, source: int, data: bytes) -> None:
        super().anycast_received(network, source, data)
        self.mechanics.send(network, source, network.icmp_protocol, data)
