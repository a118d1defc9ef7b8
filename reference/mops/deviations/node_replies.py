# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations in which replies a mobile node believes, and what it makes of them."""

from typing import Any

from reference.bump.network import Network
from reference.mops.exchange import Exchange, Moving
from reference.mops.message import FAILED, SUCCESS, Entry, Migrate
from reference.mops.mobile_node import MobileNode
from reference.system.alterations import deviation


@deviation(
    "node-reply-source-ignored",
    "4.1",
    "A reply from another source than the server is ignored.",
    "a reply is believed whoever sends it",
)
class ReplySourceIgnored(MobileNode):
    def is_source_right(self, exchange: Exchange, source: int) -> bool:
        return True


@deviation(
    "node-reply-protocol-ignored",
    "4.1",
    "A reply of another protocol is ignored.",
    "a reply is believed whatever its protocol",
)
class ReplyProtocolIgnored(MobileNode):
    def is_protocol_right(self, exchange: Exchange, message: Migrate) -> bool:
        return True


@deviation(
    "node-reply-addresses-ignored",
    "4.1",
    "A reply whose addresses match no request is ignored.",
    "a reply is believed whatever its addresses",
)
class ReplyAddressesIgnored(MobileNode):
    def are_addresses_right(self, exchange: Exchange, message: Migrate) -> bool:
        return True


@deviation(
    "node-reply-entries-ignored",
    "4.1",
    "A reply whose ports or identifiers match no request is ignored.",
    "a success is believed whatever it lists",
)
class ReplyEntriesIgnored(MobileNode):
    def are_entries_right(self, exchange: Exchange, message: Migrate) -> bool:
        return message.code == SUCCESS or super().are_entries_right(exchange, message)


@deviation(
    "node-reply-identifiers-ignored",
    "4.1",
    "A reply whose identifiers match no request is ignored.",
    "a success is believed when its ports are right",
)
class ReplyIdentifiersIgnored(MobileNode):
    def are_entries_right(self, exchange: Exchange, message: Migrate) -> bool:
        ports = [entry[:2] for entry in message.entries] == [entry[:2] for entry in exchange.message.entries]
        return (message.code == SUCCESS and ports) or super().are_entries_right(exchange, message)


@deviation(
    "node-reply-checksum-ignored",
    "4.1",
    "A reply whose checksum is wrong is ignored.",
    "a reply is believed whatever its checksum",
)
class ReplyChecksumIgnored(MobileNode):
    def is_checksum_right(self, data: bytes) -> bool:
        return True


@deviation(
    "node-reply-version-ignored",
    "4.1",
    "A reply whose Version is not 1 is ignored.",
    "a reply is believed whatever its version",
)
class ReplyVersionIgnored(MobileNode):
    def is_version_known(self, version: int) -> bool:
        return True


@deviation(
    "node-reply-length-ignored",
    "4.1",
    "A reply whose Count does not match its length is ignored.",
    "Count and length of a reply are not compared",
)
class ReplyLengthIgnored(MobileNode):
    def is_length_right(self, message: Migrate, length: int) -> bool:
        return True


@deviation(
    "node-reply-reserved-not-ignored",
    "4.1",
    "A reply with bits set in Reserved is taken like any other.",
    "such a reply is ignored",
)
class ReplyReservedNotIgnored(MobileNode):
    def read(self, data: bytes) -> Migrate | None:
        message = super().read(data)
        return None if message is not None and message.reserved else message


@deviation(
    "node-failed-ports-go-on",
    "4.1",
    "After failed nothing is sent of a connection that the reply lists.",
    "the connections continue whatever failed",
)
class FailedPortsGoOn(MobileNode):
    def failed_entries(self, message: Migrate) -> set[Entry]:
        return set()


@deviation(
    "node-all-die-on-partial-failure",
    "4.1",
    "After failed the connections that the reply does not list continue.",
    "all connections of the request are dead",
)
class AllDieOnPartialFailure(MobileNode):
    def exchange_of(self, network: Network, source: int, message: Migrate) -> Exchange | None:
        self.asked = super().exchange_of(network, source, message)
        return self.asked

    def failed_entries(self, message: Migrate) -> set[Entry]:
        failed = super().failed_entries(message)
        return set(self.asked.message.entries) if failed and self.asked is not None else failed


@deviation(
    "node-contrary-reply-believed",
    "4.1",
    "A second reply to a request already answered changes nothing.",
    "a second reply that says failed ends the connections",
)
class ContraryReplyBelieved(MobileNode):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.answered: list[Exchange] = []

    def succeeded(self, exchange: Exchange, moving: Moving) -> None:
        self.answered.append(exchange)
        super().succeeded(exchange, moving)

    def unasked(self, network: Network, source: int, message: Migrate | None) -> None:
        for exchange in self.answered:
            if message is not None and message.code == FAILED and self.is_answer(exchange, network, source, message):
                for moving in exchange.sockets:
                    self.die(exchange, moving)


@deviation(
    "node-replies-answered",
    "4.1",
    "The node never answers a reply.",
    "a reply that answers nothing is sent back",
)
class NodeRepliesAnswered(MobileNode):
    def unasked(self, network: Network, source: int, message: Migrate | None) -> None:
        if message is not None:
            self.mechanics.send(network, source, network.icmp_protocol, message.pack())
