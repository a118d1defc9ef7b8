# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations in what a mobile node learns from NAT and anycast acknowledgements."""

from collections.abc import Iterable
from typing import Any

from reference.bump.flows import Flow
from reference.bump.network import TCP, Network
from reference.mops.acknowledgements import AnycastAcknowledgement, NatAcknowledgement
from reference.mops.anycast import AnycastServers
from reference.mops.context import Endpoint
from reference.mops.exchange import Moving
from reference.mops.mobile_node import MobileNode
from reference.mops.nat_table import NatTable
from reference.system.alterations import deviation


@deviation(
    "nat-acknowledgement-ignored",
    "4.3",
    "Behind NAT the translated address and port are named as previous ones.",
    "the node's own tuple is named",
)
class NatAcknowledgementIgnored(NatTable):
    def receive(self, network: Network, source: int, data: bytes) -> bool:
        return False


@deviation(
    "nat-port-untranslated",
    "4.3",
    "Behind NAT Previous Source Port is the outermost translated port.",
    "the translated address is named with the socket's own port",
)
class NatPortUntranslated(NatTable):
    def outermost(self, network: Network, protocol: int, flow: Flow) -> Endpoint:
        return super().outermost(network, protocol, flow)[0], flow.own_port


@deviation(
    "nat-address-untranslated",
    "4.3",
    "Behind NAT Previous Source Address is the outermost translated address.",
    "the translated port is named with the node's own address",
)
class NatAddressUntranslated(NatTable):
    def outermost(self, network: Network, protocol: int, flow: Flow) -> Endpoint:
        return network.to_ipff(network.own), super().outermost(network, protocol, flow)[1]


@deviation(
    "nat-innermost-level",
    "4.3",
    "Of several levels the highest that chains to the socket is named.",
    "level 1 is named",
)
class NatInnermostLevel(NatTable):
    def next_level(self, own: Endpoint, inner: Endpoint, outer: Endpoint) -> Endpoint:
        return outer if inner == own else inner


@deviation(
    "nat-level-0-accepted",
    "4.3",
    "An acknowledgement of level 0 is ignored.",
    "level 0 is taken for level 1",
)
class NatLevel0Accepted(NatTable):
    def is_level_known(self, level: int) -> bool:
        return True

    def level_of(self, message: NatAcknowledgement) -> int:
        return max(message.level, 1)


@deviation(
    "nat-protocol-ignored",
    "4.3",
    "An acknowledgement of another protocol is ignored.",
    "what is learnt for any protocol is learnt for TCP",
)
class NatProtocolIgnored(NatTable):
    def protocol_of(self, network: Network, message: NatAcknowledgement, original: Endpoint) -> int:
        return TCP


@deviation(
    "nat-unknown-original-accepted",
    "4.3",
    "An acknowledgement of level 1 whose Original is no socket of the node is ignored.",
    "an acknowledgement of level 1 is learnt for all sockets that have none of their own",
)
class NatUnknownOriginalAccepted(NatTable):
    def is_ours(self, network: Network, protocol: int, endpoint: Endpoint) -> bool:
        return True

    def outermost(self, network: Network, protocol: int, flow: Flow) -> Endpoint:
        found = super().outermost(network, protocol, flow)
        if found != (network.to_ipff(network.own), flow.own_port):
            return found
        wanted = network.name, protocol, 1
        return next((to for (*key, _), to in self.learnt.items() if tuple(key) == wanted), found)


@deviation(
    "nat-chain-ignored",
    "4.3",
    "An acknowledgement of a higher level that chains to no level below is ignored.",
    "the highest level learnt is named, whatever it translates",
)
class NatChainIgnored(NatTable):
    def outermost(self, network: Network, protocol: int, flow: Flow) -> Endpoint:
        highest = [
            (level, to)
            for (name, one, level, _), to in self.learnt.items()
            if (name, one) == (network.name, protocol) and level > 1
        ]
        return max(highest)[1] if highest else super().outermost(network, protocol, flow)


@deviation(
    "nat-checksum-ignored",
    "4.3",
    "An acknowledgement whose checksum is wrong is ignored.",
    "the checksum is not looked at",
)
class NatChecksumIgnored(NatTable):
    def is_intact(self, data: bytes) -> bool:
        return True


@deviation(
    "nat-form-ignored",
    "4.3",
    "An acknowledgement with a wrong Version, Code or Count is ignored.",
    "Version, Code and Count are not looked at",
)
class NatFormIgnored(NatTable):
    def is_sound(self, message: NatAcknowledgement) -> bool:
        return self.is_level_known(message.level)


@deviation(
    "nat-first-entry-only",
    "4.3",
    "An acknowledgement with several entries is learnt for every socket it lists.",
    "only the first entry is learnt",
)
class NatFirstEntryOnly(NatTable):
    def pairs(self, message: NatAcknowledgement) -> Iterable[tuple[int, int]]:
        return message.ports[:1]


@deviation(
    "nat-not-forgotten",
    "4.3",
    "What was learnt before a move is forgotten with it.",
    "a translation is named until there is a new one",
)
class NatNotForgotten(NatTable):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.named: dict[Flow, Endpoint] = {}

    def outermost(self, network: Network, protocol: int, flow: Flow) -> Endpoint:
        found = super().outermost(network, protocol, flow)
        if found != (network.to_ipff(network.own), flow.own_port):
            self.named[flow] = found
        return self.named.get(flow, found)


@deviation(
    "anycast-acknowledgement-ignored",
    "4.2",
    "A node that holds an anycast acknowledgement migrates to the unicast address.",
    "the Migrate goes to the anycast address",
)
class AnycastAcknowledgementIgnored(AnycastServers):
    def receive(self, network: Network, source: int, data: bytes) -> bool:
        return False


@deviation(
    "anycast-ports-ignored",
    "4.2",
    "An acknowledgement whose ports are not those of a connection is ignored.",
    "the first connection to the anycast address is taken for the one that is meant",
)
class AnycastPortsIgnored(AnycastServers):
    def flows(self, network: Network, message: AnycastAcknowledgement, anycast: int) -> Iterable[Flow]:
        found = list(super().flows(network, message, anycast))
        flows = network.flows_of(message.protocol)
        return found or [flow for flow in flows.by_wire.values() if flow.wire_address == anycast][:1] if flows else ()


@deviation(
    "anycast-for-all-connections",
    "4.2",
    "An acknowledgement counts for its own connection only.",
    "it counts for all connections to the anycast address",
)
class AnycastForAllConnections(AnycastServers):
    def flows(self, network: Network, message: AnycastAcknowledgement, anycast: int) -> Iterable[Flow]:
        found = list(super().flows(network, message, anycast))
        flows = network.flows_of(message.protocol)
        return [flow for flow in flows.by_wire.values() if flow.wire_address == anycast] if found and flows else ()


@deviation(
    "anycast-checksum-ignored",
    "4.2",
    "An acknowledgement whose checksum is wrong is ignored.",
    "the checksum is not looked at",
)
class AnycastChecksumIgnored(AnycastServers):
    def is_intact(self, data: bytes) -> bool:
        return True


@deviation(
    "anycast-form-ignored",
    "4.2",
    "An acknowledgement with a wrong Version, Code or length is ignored.",
    "Version, Code and length are not looked at",
)
class AnycastFormIgnored(AnycastServers):
    def is_sound(self, message: AnycastAcknowledgement) -> bool:
        return True


@deviation(
    "anycast-at-once",
    "4.2",
    "Until it moves a node continues on the anycast address.",
    "the connection goes to the unicast address as soon as that is known",
)
class AnycastAtOnce(AnycastServers):
    def learn(self, network: Network, flow: Flow, unicast: int) -> None:
        super().learn(network, flow, unicast)
        flows = network.flows_of(flow.protocol)
        if flows is not None:
            flows.rebind(flow, unicast, flow.wire_port)


@deviation(
    "anycast-data-stays",
    "4.2",
    "The node continues a connection so migrated on the unicast address.",
    "the Migrate goes to the unicast address and the data to the anycast address",
)
class AnycastDataStays(MobileNode):
    def address_from_now(self, flow: Flow, moving: Moving) -> int:
        return flow.wire_address
