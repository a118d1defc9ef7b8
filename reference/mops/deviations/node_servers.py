# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations of a mobile node with several servers, sockets or repeats: what one does to the others, and how many."""

from collections.abc import Iterable
from dataclasses import replace

from reference.bump.flows import Flow
from reference.bump.network import TCP, UDP, Network
from reference.mops.context import choice_of, context_of
from reference.mops.exchange import Exchange, Moving
from reference.mops.message import Entry, Migrate
from reference.mops.mobile_node import MobileNode
from reference.system.alterations import deviation

_LONG = 32


@deviation(
    "node-silence-ends-all",
    "4.1",
    "A server that does not answer costs the sockets of that server alone.",
    "when one server is given up all mobile connections die",
)
class SilenceEndsAll(MobileNode):
    def exhausted(self, exchange: Exchange) -> None:
        super().exhausted(exchange)
        for flow in list(exchange.network.flows.by_kernel.values()):
            if self.is_movable(TCP, flow):
                self.die(exchange, Moving(TCP, flow, context_of(flow), exchange.server))


@deviation(
    "node-refusal-ends-others",
    "4.1",
    "What one server answers concerns its own sockets alone.",
    "when one server refuses, whatever waits for another one is dead",
)
class RefusalEndsOthers(MobileNode):
    def failed(self, exchange: Exchange, sockets: list[Moving], now: float) -> None:
        super().failed(exchange, sockets, now)
        if sockets:
            others, self.exchanges = self.exchanges, []
            for other in others:
                self.exhausted(other)


@deviation(
    "node-success-ends-all-repeats",
    "4.1",
    "The success of one server leaves the requests to others as they are.",
    "no Migrate is repeated any more once one was answered",
)
class SuccessEndsAllRepeats(MobileNode):
    answered = False

    def finish(self, exchange: Exchange, code: int) -> None:
        super().finish(exchange, code)
        for other in self.exchanges:
            other.deadline += 3600


@deviation(
    "node-repeats-to-first-server",
    "4.1",
    "A Migrate that is not answered is repeated, to each server.",
    "of several requests the oldest alone is repeated",
)
class RepeatsToFirstServer(MobileNode):
    def tick(self, now: float) -> None:
        for other in self.exchanges[1:]:
            if other.deadline <= now:
                other.deadline, other.sent = now + self.retry_interval_s, other.sent + 1
                if other.sent > self.retries + 1:
                    self.exchanges.remove(other)
                    self.exhausted(other)
        super().tick(now)


@deviation(
    "node-one-repeat",
    "4.1",
    "A Migrate is repeated as often as the profile says.",
    "it is repeated once",
)
class OneRepeat(MobileNode):
    def is_exhausted(self, exchange: Exchange) -> bool:
        return exchange.sent > min(1, self.retries)


@deviation(
    "node-gives-up-with-the-last-repeat",
    "4.1",
    "A success that answers the last repeat within the interval counts.",
    "the sockets are dead a fifth of the interval after the last repeat",
)
class GivesUpWithTheLastRepeat(MobileNode):
    def interval(self, exchange: Exchange) -> float:
        whole = super().interval(exchange)
        return whole / 5 if exchange.sent > self.retries else whole


@deviation(
    "node-sixteen-sockets",
    "4.1",
    "All the node's mobile connections to a server are migrated.",
    "a server is asked for sixteen at most",
)
class SixteenSockets(MobileNode):
    def in_messages(self, leaving: Iterable[Moving]) -> list[list[Moving]]:
        return [sockets[:16] for sockets in super().in_messages(leaving)]


@deviation(
    "node-one-message-a-server",
    "4.1",
    "All the node's mobile connections to a server are migrated, in one message or several.",
    "what does not fit into the first message to a server is not asked for",
)
class OneMessageAServer(MobileNode):
    def in_messages(self, leaving: Iterable[Moving]) -> list[list[Moving]]:
        first = {(one[0].server, one[0].protocol): one for one in reversed(super().in_messages(leaving))}
        return list(first.values())


@deviation(
    "node-long-message-checksum",
    "4.1",
    "The checksum of a Migrate is right.",
    "that of a message with more than 32 entries covers the first 32 alone",
)
class LongMessageChecksum(MobileNode):
    def encode(self, message: Migrate) -> bytes:
        whole = super().encode(message)
        if len(message.entries) <= _LONG:
            return whole
        short = super().encode(replace(message, entries=message.entries[:_LONG], count=len(message.entries)))
        return whole[:2] + short[2:4] + whole[4:]


@deviation(
    "node-one-identifier-a-message",
    "4.1",
    "Each entry carries the identifier of its own socket.",
    "all entries carry that of the first",
)
class OneIdentifierAMessage(MobileNode):
    def request(self, network: Network, protocol: int, previous: int, sockets: list[Moving]) -> Migrate:
        for moving in sockets:
            moving.entry = moving.entry._replace(identifier=sockets[0].entry.identifier)
        return super().request(network, protocol, previous, sockets)


@deviation(
    "node-number-of-31-bits",
    "4.1",
    "The sequence number has 32 bits.",
    "numbers from 2147483648 on are sent as 2147483647",
)
class NumberOf31Bits(MobileNode):
    def sequence_number(self, flow: Flow) -> int:
        return min(super().sequence_number(flow), 0x7FFFFFFF)


@deviation(
    "node-unique-id-0-is-none",
    "4.1",
    "A Unique ID is sent as it was given, 0 included.",
    "a Unique ID of 0 counts as none, and the sequence number is sent",
)
class UniqueId0IsNone(MobileNode):
    def identifier(self, protocol: int, flow: Flow) -> int:
        if choice_of(flow).unique_id == 0 and protocol == TCP:
            return self.sequence_number(flow)
        return super().identifier(protocol, flow)


@deviation(
    "node-half-closed-left",
    "2.1",
    "A connection that the server has closed on its side is migrated.",
    "it is left where it was",
)
class HalfClosedLeft(MobileNode):
    def is_movable(self, protocol: int, flow: Flow) -> bool:
        return super().is_movable(protocol, flow) and not flow.tcp.peer_closed


@deviation(
    "node-close-not-counted",
    "2.1",
    "The sequence number follows the FIN that was sent.",
    "that of a connection that its application has closed is one less",
)
class CloseNotCounted(MobileNode):
    def sequence_number(self, flow: Flow) -> int:
        return (super().sequence_number(flow) - (flow.tcp.our_fin is not None)) % (1 << 32)


@deviation(
    "node-one-accepted-a-port",
    "A",
    "Connections that the node has accepted are migrated, several of one local port included.",
    "of those with one local port the one that was accepted first is migrated",
)
class OneAcceptedAPort(MobileNode):
    def in_messages(self, leaving: Iterable[Moving]) -> list[list[Moving]]:
        first = {(moving.protocol, moving.flow.own_port): moving for moving in reversed(list(leaving))}
        return super().in_messages(reversed(list(first.values())))


@deviation(
    "node-first-failed-port-only",
    "4.1",
    "After failed nothing is sent of any connection that the reply lists.",
    "the first one that it lists is dead, the others continue",
)
class FirstFailedPortOnly(MobileNode):
    def failed_entries(self, message: Migrate) -> set[Entry]:
        return set(message.entries[:1]) & super().failed_entries(message)


@deviation(
    "node-udp-never-repeats",
    "4.1",
    "A Migrate that is not answered is repeated.",
    "that of UDP sockets is sent once",
)
class UdpNeverRepeats(MobileNode):
    def is_exhausted(self, exchange: Exchange) -> bool:
        return exchange.message.protocol == UDP or super().is_exhausted(exchange)


@deviation(
    "node-udp-speaks-early",
    "4.1",
    "Nothing is sent from the new tuple before success.",
    "UDP does not wait",
)
class UdpSpeaksEarly(MobileNode):
    def waits(self, network: Network, flow: Flow) -> bool:
        return flow.protocol == TCP


@deviation(
    "node-udp-dead-revives",
    "4.1",
    "A socket that was declared dead stays dead.",
    "a UDP socket that was given up sends and hears again",
)
class UdpDeadRevives(MobileNode):
    def die(self, exchange: Exchange, moving: Moving) -> None:
        super().die(exchange, moving)
        if moving.protocol == UDP and exchange.sent > self.retries:
            moving.context.is_dead = False


@deviation(
    "node-udp-refusal-ignored",
    "4.1",
    "After failed nothing is sent of what the reply lists.",
    "UDP sockets continue whatever failed",
)
class UdpRefusalIgnored(MobileNode):
    def failed_entries(self, message: Migrate) -> set[Entry]:
        return set() if message.protocol == UDP else super().failed_entries(message)
