# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations in the tuples that a mobile node names, comes from and goes to."""

from dataclasses import replace
from typing import Any

from reference.bump.flows import Flow
from reference.bump.network import Network
from reference.mops.context import Endpoint
from reference.mops.exchange import Exchange, Moving
from reference.mops.message import Migrate
from reference.mops.mobile_node import MobileNode
from reference.system.alterations import deviation


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
        if self.is_about(moving):
            self.moved.add(moving.flow)
        super().succeeded(exchange, moving)

    def is_about(self, moving: Moving) -> bool:
        """Whether what has moved never moves again."""
        return True


@deviation(
    "node-migrated-port-not-taken",
    "4.1",
    "The node receives the continued session at the Migrated Source Port of its entry.",
    "the entry names the port after it, and the node continues on the one that it had",
)
class MigratedPortNotTaken(MobileNode):
    def request(self, network: Network, protocol: int, previous: int, sockets: list[Moving]) -> Migrate:
        for moving in sockets:
            moving.entry = moving.entry._replace(migrated_port=moving.entry.migrated_port % 65535 + 1)
        return super().request(network, protocol, previous, sockets)
