# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations in what a mobile node asks for."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from reference.bump.flows import Flow
from reference.bump.network import TCP, UDP, Network
from reference.mops.context import Endpoint, choice_of, set_choice
from reference.mops.exchange import Exchange, Moving
from reference.mops.message import Migrate
from reference.mops.mobile_node import MobileNode
from reference.system.deviations import deviation


@deviation(
    "node-sequence-unacknowledged",
    "4.1",
    "With data sent and not acknowledged the sequence number is SND.NXT.",
    "the sequence number is that of the oldest unacknowledged byte",
)
class SequenceUnacknowledged(MobileNode):
    def sequence_number(self, flow: Flow) -> int:
        return flow.tcp.snd_una


@deviation(
    "node-sequence-ahead",
    "4.1",
    "The sequence number of an entry is the next one to send.",
    "the sequence number is one too large",
)
class SequenceAhead(MobileNode):
    def sequence_number(self, flow: Flow) -> int:
        return (flow.tcp.snd_nxt + 1) % (1 << 32)


@deviation(
    "node-sequence-behind",
    "4.1",
    "The sequence number of an entry is the next one to send.",
    "the sequence number is that of the last byte sent",
)
class SequenceBehind(MobileNode):
    def sequence_number(self, flow: Flow) -> int:
        return (flow.tcp.snd_nxt - 1) % (1 << 32)


@deviation(
    "node-one-socket-only",
    "4.1",
    "All mobile connections to a server are migrated.",
    "only the first socket of every message is migrated",
)
class OneSocketOnly(MobileNode):
    def in_messages(self, leaving: Iterable[Moving]) -> list[list[Moving]]:
        return [sockets[:1] for sockets in super().in_messages(leaving)]


@deviation(
    "node-one-server-only",
    "4.1",
    "A Migrate goes to each server the node has mobile connections with.",
    "only the first server is told",
)
class OneServerOnly(MobileNode):
    def in_messages(self, leaving: Iterable[Moving]) -> list[list[Moving]]:
        messages = super().in_messages(leaving)
        return [one for one in messages if one[0].server == messages[0][0].server]


@deviation(
    "node-foreign-sockets-listed",
    "4.1",
    "A Migrate lists only sockets connected to the server it is sent to.",
    "all sockets of a protocol are listed to the server of the first",
)
class ForeignSocketsListed(MobileNode):
    def in_messages(self, leaving: Iterable[Moving]) -> list[list[Moving]]:
        sockets = list(leaving)
        by_protocol = ([one for one in sockets if one.protocol == protocol] for protocol in (TCP, UDP))
        return [one for one in by_protocol if one]


@deviation(
    "node-protocols-mixed",
    "4.1",
    "Sockets of several protocols are migrated in one message for each protocol.",
    "UDP sockets are listed in the message of the TCP sockets to the same server",
)
class ProtocolsMixed(MobileNode):
    def in_messages(self, leaving: Iterable[Moving]) -> list[list[Moving]]:
        mixed: dict[int, list[Moving]] = {}
        for moving in leaving:
            mixed.setdefault(moving.server, []).append(moving)
        return list(mixed.values())


@deviation(
    "node-previous-address-new",
    "4.1",
    "Previous Source Address is the address before the move.",
    "the new address is named as the previous one too",
)
class PreviousAddressNew(MobileNode):
    def request(self, network: Network, protocol: int, previous: int, sockets: list[Moving]) -> Migrate:
        message = super().request(network, protocol, previous, sockets)
        return replace(message, previous=message.migrated)


@deviation(
    "node-migrated-address-old",
    "4.1",
    "Migrated Source Address is the new address.",
    "the previous address is named as the migrated one too",
)
class MigratedAddressOld(MobileNode):
    def request(self, network: Network, protocol: int, previous: int, sockets: list[Moving]) -> Migrate:
        message = super().request(network, protocol, previous, sockets)
        return replace(message, migrated=message.previous)


@deviation(
    "node-previous-port-wrong",
    "4.1",
    "Previous Source Port is the port before the move.",
    "the previous port is one too large",
)
class PreviousPortWrong(MobileNode):
    def request(self, network: Network, protocol: int, previous: int, sockets: list[Moving]) -> Migrate:
        for moving in sockets:
            moving.entry = moving.entry._replace(previous_port=moving.entry.previous_port % 65535 + 1)
        return super().request(network, protocol, previous, sockets)


@deviation(
    "node-migrated-port-in-use",
    "A",
    "The migrated port is one no other socket has towards the same server.",
    "all sockets of a message are to have the port of the first",
)
class MigratedPortInUse(MobileNode):
    def request(self, network: Network, protocol: int, previous: int, sockets: list[Moving]) -> Migrate:
        for moving in sockets:
            moving.entry = moving.entry._replace(migrated_port=sockets[0].entry.migrated_port)
        return super().request(network, protocol, previous, sockets)


@deviation(
    "node-message-to-wrong-server",
    "4.1",
    "A Migrate is sent to the server of the connections in it.",
    "a Migrate goes to an address that differs from the server's in one bit",
)
class MessageToWrongServer(MobileNode):
    def destination(self, network: Network, moving: Moving) -> int:
        return moving.server ^ 1 << 8


@deviation(
    "node-checksum-wrong",
    "4.1",
    "The checksum of a Migrate is right.",
    "the checksum is off by one",
)
class ChecksumWrong(MobileNode):
    def encode(self, message: Migrate) -> bytes:
        data = super().encode(message)
        return data[:3] + bytes([data[3] ^ 1]) + data[4:]


@deviation(
    "node-reserved-not-zero",
    "4.1",
    "The Reserved field of a Migrate is zero.",
    "all bits of Reserved are set",
)
class ReservedNotZero(MobileNode):
    def encode(self, message: Migrate) -> bytes:
        return super().encode(replace(message, reserved=0xFFFF))


@deviation(
    "node-mobile-allowed-ignored",
    "3",
    "A node sends no Migrate for a TCP socket created without MOBILE_ALLOWED.",
    "every TCP socket migrates",
)
class NodeMobileAllowedIgnored(MobileNode):
    def is_mobile(self, protocol: int, flow: Flow) -> bool:
        return protocol == TCP or super().is_mobile(protocol, flow)


@deviation(
    "node-udp-without-unique-id",
    "4.1",
    "A UDP socket without a Unique ID is never listed.",
    "a mobile UDP socket without a Unique ID is listed with zero",
)
class UdpWithoutUniqueId(MobileNode):
    def has_identifier(self, flow: Flow) -> bool:
        return True


@deviation(
    "node-unique-id-not-sent",
    "4.1",
    "The entry of a TCP socket with a Unique ID carries it.",
    "the entry carries the sequence number all the same",
)
class UniqueIdNotSent(MobileNode):
    def identifier(self, protocol: int, flow: Flow) -> int:
        return self.sequence_number(flow) if protocol == TCP else super().identifier(protocol, flow)


@deviation(
    "node-source-address-old",
    "4.1",
    "A Migrate comes from the new address.",
    "a Migrate comes from the address that was lost",
)
class SourceAddressOld(MobileNode):
    old: int | None = None

    def move(self, network: Network, address: int, now: float) -> None:
        self.old = network.own
        super().move(network, address, now)

    def _transmit(self, exchange: Exchange) -> None:
        network, own = exchange.network, exchange.network.own
        network.own = own if self.old is None else self.old
        super()._transmit(exchange)
        network.own = own


@deviation(
    "node-names-first-tuple",
    "4.1",
    "A node that moves again after a success names the tuple of that success as the previous one.",
    "the tuple before the first move is named for ever",
)
class NamesFirstTuple(MobileNode):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.first: dict[Flow, Endpoint] = {}

    def previous(self, network: Network, protocol: int, flow: Flow) -> Endpoint:
        return self.first.setdefault(flow, super().previous(network, protocol, flow))


@deviation(
    "node-moves-once",
    "4.1",
    "A connection that has moved can move again.",
    "a connection moves only once",
)
class MovesOnce(MobileNode):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.moved: set[Flow] = set()

    def is_movable(self, protocol: int, flow: Flow) -> bool:
        return flow not in self.moved and super().is_movable(protocol, flow)

    def succeeded(self, exchange: Exchange, moving: Moving) -> None:
        self.moved.add(moving.flow)
        super().succeeded(exchange, moving)


@deviation(
    "node-protocol-wrong",
    "4.1",
    "Protocol is that of the sockets listed.",
    "TCP sockets are listed under protocol 17",
)
class ProtocolWrong(MobileNode):
    def request(self, network: Network, protocol: int, previous: int, sockets: list[Moving]) -> Migrate:
        return super().request(network, UDP, previous, sockets)


@deviation(
    "node-count-too-large",
    "4.1",
    "Count is the number of entries that the message carries.",
    "Count is one too large",
)
class CountTooLarge(MobileNode):
    def encode(self, message: Migrate) -> bytes:
        return super().encode(replace(message, count=len(message.entries) + 1))


@deviation(
    "node-migrated-port-not-taken",
    "4.1",
    "The node receives the continued session at the Migrated Source Port of its entry.",
    "the entry names the port after it, and the node goes on at the one that it had",
)
class MigratedPortNotTaken(MobileNode):
    def request(self, network: Network, protocol: int, previous: int, sockets: list[Moving]) -> Migrate:
        for moving in sockets:
            moving.entry = moving.entry._replace(migrated_port=moving.entry.migrated_port % 65535 + 1)
        return super().request(network, protocol, previous, sockets)


@deviation(
    "node-one-time-id-kept",
    "4.1",
    "The Migrate after a successful migration carries the next one-time Unique ID.",
    "it carries the one that was used",
)
class NodeOneTimeIdKept(MobileNode):
    def succeeded(self, exchange: Exchange, moving: Moving) -> None:
        choice = choice_of(moving.flow)
        super().succeeded(exchange, moving)
        set_choice(moving.flow, choice)
