# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations in what a mobile node asks for."""

from collections.abc import Iterable
from dataclasses import replace

from reference.bump.flows import Flow
from reference.bump.network import TCP, UDP, Network
from reference.mops.context import choice_of, set_choice
from reference.mops.exchange import Exchange, Moving
from reference.mops.message import Migrate
from reference.mops.mobile_node import MobileNode
from reference.system.alterations import deviation


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
    "only the first server gets a Migrate",
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
