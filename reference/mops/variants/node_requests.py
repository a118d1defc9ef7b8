# SPDX-License-Identifier: GPL-2.0-or-later
"""Variants in when a mobile node asks, how it spreads its sockets over messages, and what the messages say."""

from collections.abc import Iterable
from dataclasses import replace

from reference.bump.flows import Flow, Flows
from reference.bump.network import Network
from reference.mops.context import choice_of, context_of
from reference.mops.exchange import Exchange, Moving, free_port
from reference.mops.message import FAILED, MIGRATE_ATOMIC, Entry, Migrate
from reference.mops.mobile_node import MobileNode
from reference.system.alterations import variant

_LATE_S = 1.8


@variant(
    "node-asks-late",
    "4.1",
    "Nothing says how soon the Migrate follows the new address: DHCP and duplicate address detection take their time.",
    "the Migrate leaves 1.8 s after the address has changed",
)
class AsksLate(MobileNode):
    def begin(self, exchange: Exchange) -> None:
        exchange.deadline += _LATE_S
        self.exchanges.append(exchange)


@variant(
    "node-backs-off",
    "4.1",
    "2 s are recommended: a node may double its interval, as TCP does.",
    "each interval is twice the one before",
)
class BacksOff(MobileNode):
    def interval(self, exchange: Exchange) -> float:
        return super().interval(exchange) * (1 << exchange.sent - 1)


@variant(
    "node-repeats-nothing",
    "4.1",
    "Up to three times includes none, where the profile says so.",
    "a Migrate is sent once",
)
class RepeatsNothing(MobileNode):
    def is_exhausted(self, exchange: Exchange) -> bool:
        return True


@variant(
    "node-atomic",
    "4.1",
    "Code 0 or 1 is a request: which of them is the node's choice.",
    "every request is atomic, and a failure ends all of its connections",
)
class Atomic(MobileNode):
    asked: Exchange | None = None

    def request(self, network: Network, protocol: int, previous: int, sockets: list[Moving]) -> Migrate:
        return replace(super().request(network, protocol, previous, sockets), code=MIGRATE_ATOMIC)

    def exchange_of(self, network: Network, source: int, message: Migrate) -> Exchange | None:
        self.asked = super().exchange_of(network, source, message)
        return self.asked

    def failed_entries(self, message: Migrate) -> set[Entry]:
        return set(self.asked.message.entries) if message.code == FAILED and self.asked else set()


@variant(
    "node-one-migrate-a-connection",
    "4.1",
    "Count is 1 to n: nothing asks for one message for all sockets.",
    "each connection has a Migrate of its own",
)
class OneMigrateAConnection(MobileNode):
    def in_messages(self, leaving: Iterable[Moving]) -> list[list[Moving]]:
        return [[moving] for moving in leaving]


@variant(
    "node-entries-reversed",
    "4.1",
    "No order of entries is named.",
    "the connection that was opened last is listed first",
)
class EntriesReversed(MobileNode):
    def in_messages(self, leaving: Iterable[Moving]) -> list[list[Moving]]:
        return super().in_messages(reversed(list(leaving)))


@variant(
    "node-takes-other-ports",
    "A",
    "The migrated port is whatever free port the node has.",
    "no connection keeps its port",
)
class TakesOtherPorts(MobileNode):
    def migrated_port(self, flows: Flows, server: int, port: int) -> int:
        taken = {own for address, _, own in flows.by_wire if address == server}
        return free_port(flows, server, next(other for other in range(62000, 65536) if other not in {*taken, port}))


@variant(
    "node-number-pulled-back",
    "4.1",
    "A stack that has pulled SND.NXT back after a time-out would prepare the oldest unacknowledged byte next.",
    "with data outstanding the sequence number is SND.UNA",
)
class NumberPulledBack(MobileNode):
    def sequence_number(self, flow: Flow) -> int:
        return flow.tcp.snd_una


@variant(
    "node-migrates-negotiated-only",
    "C",
    "Where both ends have MOBILE_CAPABLE a connection that did not negotiate it cannot migrate.",
    "a connection whose SYN-ACK had no MOBILE_CAPABLE is left where it was",
)
class MigratesNegotiatedOnly(MobileNode):
    def is_mobile(self, protocol: int, flow: Flow) -> bool:
        negotiated = protocol != flow.protocol or protocol == 17 or context_of(flow).peer_capable
        return super().is_mobile(protocol, flow) and negotiated


@variant(
    "node-not-mobile-by-default",
    "3",
    "MOBILE_ALLOWED SHOULD be the default of TCP.",
    "TCP sockets move only where the application has asked for it",
)
class NotMobileByDefault(MobileNode):
    def is_mobile(self, protocol: int, flow: Flow) -> bool:
        return bool(choice_of(flow).mobile)


@variant(
    "node-moves-what-it-opened",
    "A",
    "The draft speaks of sockets that the node has opened to a server.",
    "connections that it has accepted are left where they were",
)
class MovesWhatItOpened(MobileNode):
    def is_movable(self, protocol: int, flow: Flow) -> bool:
        return super().is_movable(protocol, flow) and context_of(flow).is_active


@variant(
    "node-leaves-what-was-closed",
    "2.1",
    "Sockets that the application has left are the system's own affair.",
    "a connection that its own application has closed is left where it was",
)
class LeavesWhatWasClosed(MobileNode):
    def is_movable(self, protocol: int, flow: Flow) -> bool:
        return super().is_movable(protocol, flow) and flow.tcp.our_fin is None
