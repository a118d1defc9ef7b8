# SPDX-License-Identifier: GPL-2.0-or-later
"""Variants in what a mobile node takes for a reply or an acknowledgement, and when it speaks."""

from reference.bump.flows import Flow
from reference.bump.network import Network
from reference.mops.acknowledgements import AnycastAcknowledgement, NatAcknowledgement
from reference.mops.anycast import AnycastServers
from reference.mops.context import Endpoint, context_of
from reference.mops.exchange import Exchange, Moving
from reference.mops.message import SUCCESS, VERSION, Migrate, length_for
from reference.mops.mobile_node import MobileNode
from reference.mops.nat_table import NatTable
from reference.system.alterations import variant


@variant(
    "node-takes-count-entries",
    "4.1",
    "Nothing forbids a receiver to take Count entries and to ignore what follows.",
    "bytes and entries of a reply that follow those which Count says are passed over",
)
class TakesCountEntries(MobileNode):
    def read(self, data: bytes) -> Migrate | None:
        message = Migrate.parse(data)
        if message is None or not message.count or len(data) < length_for(message.count):
            return None
        if not self.is_checksum_right(data) or not self.is_version_known(message.version):
            return None
        return Migrate.parse(data[: length_for(message.count)])


@variant(
    "node-goes-by-ports",
    "4.1",
    "Addresses, ports and the sender tell already which request is answered.",
    "the identifiers of a reply are not compared",
)
class GoesByPorts(MobileNode):
    def read(self, data: bytes) -> Migrate | None:
        message = super().read(data)
        if message is None:
            return None
        known = {entry[:2]: entry for one in self.exchanges for entry in one.message.entries}
        entries = tuple(known.get(entry[:2], entry) for entry in message.entries)
        return Migrate(message.code, message.protocol, message.previous, message.migrated, entries)


@variant(
    "node-speaks-at-once",
    "B",
    "Appendix B: at this very moment the client remaps its socket.",
    "it sends from the new address as soon as it has asked",
)
class SpeaksAtOnce(MobileNode):
    def waits(self, network: Network, flow: Flow) -> bool:
        return False


@variant(
    "nat-in-order-of-arrival",
    "4.3",
    "Levels are acknowledged in their order: what comes before the level below matches nothing yet.",
    "a level is learnt only where the one below is known already",
)
class NatInOrderOfArrival(NatTable):
    def is_believed(self, network: Network, message: NatAcknowledgement, original: Endpoint) -> bool:
        if message.level == 1:
            return super().is_believed(network, message, original)
        below = {to for (_, _, level, _), to in self.learnt.items() if level == message.level - 1}
        return original in below


@variant(
    "nat-believes-its-gateway",
    "4.3",
    "Only a NAT router can send this message: the one that the node has as its gateway passes on what others said.",
    "an acknowledgement from any other address is ignored",
)
class NatBelievesItsGateway(NatTable):
    def is_router(self, network: Network, source: int) -> bool:
        return network.text(source) in self.gateways


@variant(
    "nat-takes-count-entries",
    "4.3",
    "Nothing forbids a receiver to take Count entries and to ignore what follows.",
    "bytes and entries that follow those which Count says are passed over",
)
class NatTakesCountEntries(NatTable):
    def is_sound(self, message: NatAcknowledgement) -> bool:
        right = message.version == VERSION and message.code == 0 and self.is_level_known(message.level)
        return right and 0 < message.count <= len(message.ports)

    def pairs(self, message: NatAcknowledgement) -> tuple[tuple[int, int], ...]:
        return message.ports[: message.count]


@variant(
    "nat-all-or-nothing",
    "4.3",
    "A message that lists what this host does not have may be meant for another one.",
    "an acknowledgement that lists a port of no socket is ignored as a whole",
)
class NatAllOrNothing(NatTable):
    def is_believed(self, network: Network, message: NatAcknowledgement, original: Endpoint) -> bool:
        return all(super(NatAllOrNothing, self).is_believed(network, message, (message.original, port))
                   for port, _ in message.ports)  # fmt: skip


@variant(
    "nat-keeps-the-first",
    "4.3",
    "Nothing is said of a router that changes its mapping.",
    "a second translation of a socket is ignored",
)
class NatKeepsTheFirst(NatTable):
    def _learn(self, network: Network, message: NatAcknowledgement, original: Endpoint, to: Endpoint) -> None:
        if (network.name, message.protocol, message.level, original) not in self.learnt:
            super()._learn(network, message, original, to)


@variant(
    "anycast-address-kept",
    "4.1",
    "The destination port and IP do not change, as they belong to the server.",
    "the Migrate goes to the unicast address, and the data to the anycast address as before",
)
class AnycastAddressKept(MobileNode):
    def address_from_now(self, flow: Flow, moving: Moving) -> int:
        return flow.wire_address


@variant(
    "anycast-negotiated-only",
    "4.2",
    "The acknowledgement answers a SYN with MOBILE_CAPABLE: for another one it is unasked for.",
    "one for a connection that did not negotiate MOBILE_CAPABLE is ignored",
)
class AnycastNegotiatedOnly(AnycastServers):
    def learn(self, network: Network, flow: Flow, unicast: int) -> None:
        if context_of(flow).peer_capable:
            super().learn(network, flow, unicast)


@variant(
    "anycast-takes-what-it-knows",
    "4.2",
    "Nothing forbids a receiver to take the fields that it knows and to ignore what follows.",
    "an acknowledgement that is too long is taken",
)
class AnycastTakesWhatItKnows(AnycastServers):
    def is_sound(self, message: AnycastAcknowledgement) -> bool:
        return message.version == VERSION and message.code == 0


@variant(
    "anycast-keeps-the-first",
    "4.2",
    "Nothing is said of a second acknowledgement.",
    "the unicast address that a connection has learnt stays",
)
class AnycastKeepsTheFirst(AnycastServers):
    def learn(self, network: Network, flow: Flow, unicast: int) -> None:
        if context_of(flow).unicast is None:
            super().learn(network, flow, unicast)


@variant(
    "node-tells-of-failure-by-silence",
    "4.1",
    "Only of silence is it said that the application is told; what it sees of a failure is not.",
    "a connection that the server has refused is dead, and its application is told when it next sends",
)
class TellsOfFailureBySilence(MobileNode):
    refused = False

    def finish(self, exchange: Exchange, code: int) -> None:
        self.refused = code != SUCCESS
        super().finish(exchange, code)

    def exhausted(self, exchange: Exchange) -> None:
        self.refused = False
        super().exhausted(exchange)

    def report(self, network: Network, protocol: int, flow: Flow) -> None:
        if not self.refused:
            super().report(network, protocol, flow)
