# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations of a mobile node in the Migrates and replies of its later moves, and of UDP."""

from collections import Counter
from dataclasses import replace
from typing import Any

from reference.bump.flows import Flow
from reference.bump.network import UDP, Network
from reference.mops.context import Endpoint, context_of
from reference.mops.deviations.node_tuples import MovesOnce
from reference.mops.exchange import Exchange, Moving
from reference.mops.message import Entry, Migrate
from reference.mops.mobile_node import MobileNode
from reference.system.alterations import deviation

_LATER_S = 0.4


class _Experienced(MobileNode):
    """Whether it has moved before, or was answered before."""

    @property
    def has_moved_before(self) -> bool:
        return self.counters["moves"] > 1

    @property
    def was_answered_before(self) -> bool:
        return self.has_moved_before and self.counters["replies_taken"] > 0


@deviation(
    "node-later-checksum-wrong",
    "4.1",
    "The checksum of a Migrate is right.",
    "from the second move on it is off by one",
)
class LaterChecksumWrong(_Experienced):
    def encode(self, message: Migrate) -> bytes:
        data = super().encode(message)
        return data[:3] + bytes([data[3] ^ 1]) + data[4:] if self.has_moved_before else data


@deviation(
    "node-later-reserved-not-zero",
    "4.1",
    "The Reserved field of a Migrate is zero.",
    "from the second move on it is the number of moves",
)
class LaterReservedNotZero(_Experienced):
    def encode(self, message: Migrate) -> bytes:
        moves = self.counters["moves"]
        return super().encode(replace(message, reserved=moves) if self.has_moved_before else message)


@deviation(
    "node-later-migrated-address-old",
    "4.1",
    "Migrated Source Address is the node's new address.",
    "from the second move on it is the one that was left",
)
class LaterMigratedAddressOld(_Experienced):
    def request(self, network: Network, protocol: int, previous: int, sockets: list[Moving]) -> Migrate:
        message = super().request(network, protocol, previous, sockets)
        return replace(message, migrated=message.previous) if self.has_moved_before else message


@deviation(
    "node-checksum-checked-once",
    "4.1",
    "A reply whose checksum is wrong is ignored.",
    "after the first success any checksum will do",
)
class ChecksumCheckedOnce(_Experienced):
    def is_checksum_right(self, data: bytes) -> bool:
        return self.was_answered_before or super().is_checksum_right(data)


@deviation(
    "node-source-checked-once",
    "4.1",
    "A reply from another source than the server's address is ignored.",
    "after the first success any source will do",
)
class SourceCheckedOnce(_Experienced):
    def is_source_right(self, exchange: Exchange, source: int) -> bool:
        return self.was_answered_before or super().is_source_right(exchange, source)


@deviation(
    "node-version-checked-once",
    "4.1",
    "A reply whose Version is not 1 is ignored.",
    "after the first success any version will do",
)
class VersionCheckedOnce(_Experienced):
    def is_version_known(self, version: int) -> bool:
        return self.was_answered_before or super().is_version_known(version)


@deviation(
    "node-addresses-checked-once",
    "4.1",
    "A reply whose Protocol, addresses or ports match no outstanding request is ignored.",
    "after the first success any addresses will do",
)
class AddressesCheckedOnce(_Experienced):
    def are_addresses_right(self, exchange: Exchange, message: Migrate) -> bool:
        return self.was_answered_before or super().are_addresses_right(exchange, message)


@deviation(
    "node-repeats-spent",
    "4.1",
    "A Migrate is repeated as often as claimed.",
    "a server is sent so many repeats in all: what one move has used the next one lacks",
)
class RepeatsSpent(MobileNode):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.spent: Counter[int] = Counter()

    def drop_exchanges(self, network: Network) -> None:
        self._account(exchange for exchange in self.exchanges if exchange.network is network)
        super().drop_exchanges(network)

    def finish(self, exchange: Exchange, code: int) -> None:
        self._account([exchange])
        super().finish(exchange, code)

    def is_exhausted(self, exchange: Exchange) -> bool:
        return exchange.sent + self.spent[exchange.server] > self.retries

    def _account(self, exchanges: Any) -> None:
        for exchange in exchanges:
            self.spent[exchange.server] += exchange.sent - 1


@deviation(
    "node-udp-moves-once",
    "4.1",
    "A UDP socket with a Unique ID is migrated.",
    "it is at the first move, and never again",
)
class UdpMovesOnce(MovesOnce):
    def is_about(self, moving: Moving) -> bool:
        return moving.protocol == UDP


@deviation(
    "node-udp-checksum-ignored",
    "4.1",
    "A reply whose checksum is wrong is ignored.",
    "a reply about UDP sockets is believed whatever its checksum",
)
class UdpChecksumIgnored(MobileNode):
    def is_checksum_right(self, data: bytes) -> bool:
        message = Migrate.parse(data)
        about_udp = message is not None and message.protocol == UDP
        return about_udp or super().is_checksum_right(data)


@deviation(
    "node-udp-source-ignored",
    "4.1",
    "A reply from another source than the server's address is ignored.",
    "a reply about UDP sockets is believed whoever sends it",
)
class UdpSourceIgnored(MobileNode):
    def is_source_right(self, exchange: Exchange, source: int) -> bool:
        return exchange.message.protocol == UDP or super().is_source_right(exchange, source)


@deviation(
    "node-udp-identifier-ignored",
    "4.1",
    "A reply whose identifiers are not those of the request is ignored.",
    "that of a UDP socket is not looked at",
)
class UdpIdentifierIgnored(MobileNode):
    def are_entries_right(self, exchange: Exchange, message: Migrate) -> bool:
        if exchange.message.protocol != UDP:
            return super().are_entries_right(exchange, message)
        return super().are_entries_right(exchange, replace(message, entries=self._ours(exchange, message)))

    @staticmethod
    def _ours(exchange: Exchange, message: Migrate) -> tuple[Entry, ...]:
        known = {(one.previous_port, one.migrated_port): one for one in exchange.message.entries}
        return tuple(known.get((one.previous_port, one.migrated_port), one) for one in message.entries)


@deviation(
    "node-forged-reply-locks-out",
    "4.1",
    "A reply that answers no request is ignored.",
    "after one, the honest reply of that server is ignored as well",
)
class ForgedReplyLocksOut(MobileNode):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.spoilt: list[Exchange] = []

    def unasked(self, network: Network, source: int, message: Migrate | None) -> None:
        self.spoilt += [one for one in self.exchanges if one.server == source]

    def exchange_of(self, network: Network, source: int, message: Migrate) -> Exchange | None:
        found = super().exchange_of(network, source, message)
        return None if found in self.spoilt else found


@deviation(
    "node-accepted-moves-once",
    "4.1",
    "A node that moves again names the tuple of the last success as the previous one.",
    "a connection that it has accepted is named with its first tuple for ever",
)
class AcceptedMovesOnce(MobileNode):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.first: dict[Flow, Endpoint] = {}

    def previous(self, network: Network, protocol: int, flow: Flow) -> Endpoint:
        previous = super().previous(network, protocol, flow)
        return previous if context_of(flow).is_active else self.first.setdefault(flow, previous)


@deviation(
    "node-later-data-in-flight-waits",
    "4.1",
    "After success the stream goes on without a byte lost.",
    "from the second move on a connection with data in flight waits for ever",
)
class LaterDataInFlightWaits(_Experienced):
    def waits(self, network: Network, flow: Flow) -> bool:
        if self.has_moved_before and flow.tcp.snd_una != flow.tcp.snd_nxt:
            self.lost.add(flow)
        return super().waits(network, flow)

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.lost: set[Flow] = set()

    def succeeded(self, exchange: Exchange, moving: Moving) -> None:
        super().succeeded(exchange, moving)
        if moving.flow in self.lost:
            moving.context.is_pending = True


@deviation(
    "node-resets-after-a-second-move",
    "4.1",
    "The node neither resets nor closes a connection that has moved.",
    "0.4 s after the success of a second move the application is told that it is dead",
)
class ResetsAfterASecondMove(_Experienced):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.due: list[tuple[float, Exchange, Moving]] = []
        self.now = 0.0

    def reply_received(self, network: Network, source: int, data: bytes, now: float) -> None:
        self.now = now
        super().reply_received(network, source, data, now)

    def succeeded(self, exchange: Exchange, moving: Moving) -> None:
        super().succeeded(exchange, moving)
        if self.has_moved_before:
            self.due.append((self.now + _LATER_S, exchange, moving))

    def next_deadline(self) -> float | None:
        ours = super().next_deadline()
        return min([*(at for at, _, _ in self.due), *([] if ours is None else [ours])], default=None)

    def tick(self, now: float) -> None:
        super().tick(now)
        for _, exchange, moving in [one for one in self.due if one[0] <= now]:
            self.die(exchange, moving)
        self.due = [one for one in self.due if one[0] > now]
