# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations in which sockets a mobile node takes along: open, half-open or closed, mobile or not."""

from dataclasses import replace

from reference.bump.flows import Flow, Flows
from reference.bump.network import TCP, Network
from reference.bump.tcp import State
from reference.mops.choices import Choices
from reference.mops.deviations.segments import HearsErrors
from reference.mops.exchange import Exchange, Moving
from reference.mops.message import MIGRATE_ATOMIC, Migrate
from reference.mops.mobile_node import MobileNode
from reference.system.alterations import deviation


class _ListsMore(MobileNode):
    """Lists sockets in further states."""

    states: tuple[State, ...] = ()

    def is_movable(self, protocol: int, flow: Flow) -> bool:
        is_more = protocol == TCP and flow.tcp.state in self.states and flow.parked_at is None
        return is_more or super().is_movable(protocol, flow)


@deviation(
    "node-half-open-listed",
    "4.1",
    "A Migrate lists only sockets connected to the server.",
    "one whose SYN has no answer is listed too",
)
class HalfOpenListed(_ListsMore):
    states = (State.SYN_SENT,)


@deviation(
    "node-closed-listed",
    "4.1",
    "A Migrate lists only sockets connected to the server.",
    "one that both sides have closed is listed too",
)
class ClosedListed(_ListsMore):
    states = (State.CLOSED, State.TIME_WAIT)


@deviation(
    "node-immobile-goes-along",
    "3",
    "A socket without MOBILE_ALLOWED sends nothing from the new address.",
    "it is not listed, and sends from the new address like before",
)
class ImmobileGoesAlong(MobileNode):
    @staticmethod
    def _leave_behind(flows: Flows, flow: Flow, old: int, address: int) -> None:
        if flow.tcp.state is not State.ESTABLISHED:
            MobileNode._leave_behind(flows, flow, old, address)


@deviation(
    "node-choice-outlives-socket",
    "3",
    "A TCP socket whose application did not choose is mobile.",
    "a port keeps the choice of the socket that had it before",
)
class ChoiceOutlivesSocket(Choices):
    role = "mobile node"

    def forget(self, protocol: str, port: int) -> None:
        """Nothing is forgotten."""


@deviation(
    "node-icmp-error-ends-all-asking",
    "2.1",
    "An ICMP error about the Migrate to one server leaves the connections to others alone.",
    "it makes the node give up whatever waits for an answer",
)
class IcmpErrorEndsAllAsking(HearsErrors):
    def error_received(self, network: Network, error: bytes) -> None:
        if self.node is not None and error[17] == network.icmp_protocol:
            waiting, self.node.exchanges = self.node.exchanges, []
            for exchange in waiting:
                self.node.exhausted(exchange)


@deviation(
    "node-atomic-failure-partial",
    "4.1",
    "After failed to a code 1 request nothing is sent from any of the migrated tuples.",
    "its requests are atomic, and of a failure the ports that the reply lists are dead alone",
)
class AtomicFailurePartial(MobileNode):
    def request(self, network: Network, protocol: int, previous: int, sockets: list[Moving]) -> Migrate:
        return replace(super().request(network, protocol, previous, sockets), code=MIGRATE_ATOMIC)


@deviation(
    "node-repeats-count-up",
    "4.1",
    "A repeat lists the same entries, identifiers included, as the first transmission.",
    "the identifiers of each repeat are one more",
)
class RepeatsCountUp(MobileNode):
    def retransmit(self, exchange: Exchange) -> None:
        entries = tuple(
            entry._replace(identifier=(entry.identifier + 1) % (1 << 32)) for entry in exchange.message.entries
        )
        exchange.message = replace(exchange.message, entries=entries)
        for moving, entry in zip(exchange.sockets, entries, strict=True):
            moving.entry = entry
        exchange.data = self.encode(exchange.message)
