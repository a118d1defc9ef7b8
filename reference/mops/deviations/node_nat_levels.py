# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations in how much, how long and at which moment a mobile node learns of NAT and of anycast servers."""

from typing import Any

from reference.bump.flows import Flow
from reference.bump.network import Network
from reference.mops.acknowledgements import NatAcknowledgement
from reference.mops.anycast import AnycastServers
from reference.mops.context import Endpoint, MobileContext, context_of
from reference.mops.exchange import Exchange, Moving
from reference.mops.mobile_node import MobileNode
from reference.mops.nat_table import NatTable
from reference.system.alterations import deviation


@deviation(
    "nat-eight-levels",
    "4.3",
    "Up to 255 levels are supported.",
    "levels above 8 are ignored",
)
class NatEightLevels(NatTable):
    def is_level_known(self, level: int) -> bool:
        return 0 < level <= 8


@deviation(
    "nat-level-signed",
    "4.3",
    "Up to 255 levels are supported.",
    "levels from 128 on count as negative",
)
class NatLevelSigned(NatTable):
    def is_level_known(self, level: int) -> bool:
        return 0 < level < 128


@deviation(
    "nat-254-levels",
    "4.3",
    "Up to 255 levels are supported.",
    "level 255 is ignored",
)
class Nat254Levels(NatTable):
    def is_level_known(self, level: int) -> bool:
        return 0 < level < 255


@deviation(
    "nat-gap-jumped",
    "4.3",
    "A level that chains to none below is ignored.",
    "the highest level that has come is named, whatever is missing below it",
)
class NatGapJumped(NatTable):
    def outermost(self, network: Network, protocol: int, flow: Flow) -> Endpoint:
        found = super().outermost(network, protocol, flow)
        if found == (network.to_ipff(network.own), flow.own_port):
            return found
        levels = {level: to for (name, _, level, _), to in self.learnt.items() if name == network.name}
        return levels[max(levels)]


@deviation(
    "nat-last-level-counts",
    "4.3",
    "In whatever order they come, the highest level that chains to the socket is named.",
    "what came last is named",
)
class NatLastLevelCounts(NatTable):
    def outermost(self, network: Network, protocol: int, flow: Flow) -> Endpoint:
        found = super().outermost(network, protocol, flow)
        if found == (network.to_ipff(network.own), flow.own_port):
            return found
        chained, endpoint = [], (network.to_ipff(network.own), flow.own_port)
        for level in range(1, 256):
            further = self.learnt.get((network.name, protocol, level, endpoint))
            if further is None:
                break
            chained.append(further)
            endpoint = further
        return max(chained, key=list(self.learnt.values()).index)


@deviation(
    "nat-changed-mapping-unlearnt",
    "4.3",
    "A later acknowledgement of a level replaces an earlier one.",
    "a second translation of a socket makes the node forget both",
)
class NatChangedMappingUnlearnt(NatTable):
    def _learn(self, network: Network, message: NatAcknowledgement, original: Endpoint, to: Endpoint) -> None:
        key = network.name, message.protocol, message.level, original
        if self.learnt.get(key, to) != to:
            del self.learnt[key]
        else:
            super()._learn(network, message, original, to)


@deviation(
    "nat-first-pair-decides",
    "4.3",
    "A socket of the node that is listed among unknown ports is learnt.",
    "where the first port that is listed is unknown nothing is learnt",
)
class NatFirstPairDecides(NatTable):
    def is_believed(self, network: Network, message: NatAcknowledgement, original: Endpoint) -> bool:
        first = message.original, message.ports[0][0]
        return super().is_believed(network, message, first) and super().is_believed(network, message, original)


@deviation(
    "nat-one-socket",
    "B",
    "The node remembers the translations of all its sockets.",
    "it remembers the one that it has learnt last",
)
class NatOneSocket(NatTable):
    def receive(self, network: Network, source: int, data: bytes) -> bool:
        before = dict(self.learnt)
        believed = super().receive(network, source, data)
        message = NatAcknowledgement.parse(data)
        if believed and message is not None and message.level == 1:
            for key in before:
                self.learnt.pop(key, None)
        return believed


@deviation(
    "nat-deaf-while-asking",
    "4.3",
    "What a router acknowledges of a Migrate is learnt.",
    "while a Migrate is unanswered NAT acknowledgements are ignored",
)
class NatDeafWhileAsking(MobileNode):
    def nat_received(self, network: Network, source: int, data: bytes) -> None:
        if not self.exchanges:
            super().nat_received(network, source, data)


@deviation(
    "nat-deaf-after-a-move",
    "4.3",
    "What a router acknowledges of a Migrate is learnt.",
    "NAT acknowledgements are believed until the first move",
)
class NatDeafAfterAMove(MobileNode):
    def nat_received(self, network: Network, source: int, data: bytes) -> None:
        if not self.counters["moves"]:
            super().nat_received(network, source, data)


@deviation(
    "nat-forgotten-with-success",
    "4.3",
    "What a router acknowledges of a Migrate is named at the next move.",
    "with a success all translations are forgotten",
)
class NatForgottenWithSuccess(MobileNode):
    def succeeded(self, exchange: Exchange, moving: Moving) -> None:
        super().succeeded(exchange, moving)
        self.nat.forget(exchange.network)


@deviation(
    "anycast-once",
    "4.2",
    "Further Migrates of the connection go to the unicast address too.",
    "the first move goes to the unicast address, later ones to the anycast address",
)
class AnycastOnce(MobileNode):
    def server(self, flow: Flow, context: MobileContext) -> int:
        return flow.kernel_address if self.counters["moves"] > 1 else super().server(flow, context)


@deviation(
    "anycast-one-home",
    "4.2",
    "Two connections to one anycast address are migrated each at its own unicast address.",
    "all of them go to the unicast address that was learnt first",
)
class AnycastOneHome(AnycastServers):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.homes: dict[int, int] = {}

    def learn(self, network: Network, flow: Flow, unicast: int) -> None:
        super().learn(network, flow, self.homes.setdefault(flow.wire_address, unicast))


@deviation(
    "anycast-second-unlearns",
    "4.2",
    "Of two acknowledgements for one connection the later one counts.",
    "with the second one the node forgets both",
)
class AnycastSecondUnlearns(AnycastServers):
    def learn(self, network: Network, flow: Flow, unicast: int) -> None:
        context = context_of(flow)
        context.unicast = unicast if context.unicast in (None, unicast) else None
