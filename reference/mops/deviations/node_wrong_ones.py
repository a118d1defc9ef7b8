# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations of a mobile node in what wrong acknowledgements and replies leave behind, and of accepted connections."""

import time
from collections import Counter
from typing import Any

from reference.bump.flows import Flow
from reference.bump.network import Network
from reference.mops.acknowledgements import AnycastAcknowledgement, NatAcknowledgement
from reference.mops.anycast import AnycastServers
from reference.mops.context import Endpoint, context_of
from reference.mops.exchange import Exchange
from reference.mops.message import Migrate
from reference.mops.mobile_node import MobileNode
from reference.mops.nat_table import NatTable
from reference.system.alterations import deviation

_LATER_S = 0.4
_BEARABLE = 50


class _NatDoubts(NatTable):
    """Counts acknowledgements in which nothing was believed, by their sender."""

    bearable = 0

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.doubts: Counter[int] = Counter()

    def receive(self, network: Network, source: int, data: bytes) -> bool:
        believed = self.doubts[source] <= self.bearable and super().receive(network, source, data)
        self.doubts[source] += not believed
        return believed


@deviation(
    "nat-wrong-one-locks-out",
    "4.3",
    "An acknowledgement that is ignored changes nothing.",
    "after one, nothing of its sender is learnt any more",
)
class NatWrongOneLocksOut(_NatDoubts):
    def receive(self, network: Network, source: int, data: bytes) -> bool:
        return not self.doubts[source] and super().receive(network, source, data)


@deviation(
    "nat-fifty-wrong-ones-lock-out",
    "4.3",
    "An acknowledgement that is ignored changes nothing.",
    "after fifty, nothing of their sender is learnt any more",
)
class NatFiftyWrongOnesLockOut(_NatDoubts):
    bearable = _BEARABLE


@deviation(
    "nat-wrong-one-learnt-later",
    "4.3",
    "An acknowledgement that is ignored changes nothing.",
    "0.4 s later its first translation is taken for that of the port that it names",
)
class NatWrongOneLearntLater(NatTable):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.wrong: list[tuple[float, NatAcknowledgement]] = []

    def receive(self, network: Network, source: int, data: bytes) -> bool:
        believed = super().receive(network, source, data)
        message = NatAcknowledgement.parse(data)
        if not believed and message is not None and message.ports:
            self.wrong.append((time.monotonic() + _LATER_S, message))
        return believed

    def outermost(self, network: Network, protocol: int, flow: Flow) -> Endpoint:
        for due, message in self.wrong:
            original, translated = message.ports[0]
            if due <= time.monotonic() and original == flow.own_port:
                return message.translated, translated
        return super().outermost(network, protocol, flow)


@deviation(
    "nat-accepted-unlearnt",
    "4.3",
    "The acknowledgement of level 1 is learnt for the socket that it names.",
    "for connections that the node has accepted it is not",
)
class NatAcceptedUnlearnt(NatTable):
    def outermost(self, network: Network, protocol: int, flow: Flow) -> Endpoint:
        if not context_of(flow).is_active:
            return network.to_ipff(network.own), flow.own_port
        return super().outermost(network, protocol, flow)


class _AnycastDoubts(AnycastServers):
    """Counts acknowledgements that were not believed, by their sender."""

    def __init__(self) -> None:
        self.doubts: Counter[int] = Counter()

    def receive(self, network: Network, source: int, data: bytes) -> bool:
        believed = self.is_trusted(source) and super().receive(network, source, data)
        self.doubts[source] += not believed
        return believed

    def is_trusted(self, source: int) -> bool:
        """Whether a sender is believed at all."""
        return not self.doubts[source]


@deviation(
    "anycast-wrong-one-locks-out",
    "4.2",
    "An acknowledgement that is ignored changes nothing.",
    "after one, nothing of its sender is believed any more",
)
class AnycastWrongOneLocksOut(_AnycastDoubts):
    pass


@deviation(
    "anycast-fifty-wrong-ones-lock-out",
    "4.2",
    "An acknowledgement that is ignored changes nothing.",
    "after fifty, nothing of their sender is believed any more",
)
class AnycastFiftyWrongOnesLockOut(_AnycastDoubts):
    def is_trusted(self, source: int) -> bool:
        return self.doubts[source] <= _BEARABLE


@deviation(
    "anycast-wrong-one-believed-later",
    "4.2",
    "An acknowledgement that is ignored changes nothing.",
    "0.4 s later it counts for all connections to its sender",
)
class AnycastWrongOneBelievedLater(MobileNode):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.wrong: list[tuple[float, int, int]] = []

    def anycast_received(self, network: Network, source: int, data: bytes) -> None:
        before = self.counters["anycast_learnt"]
        super().anycast_received(network, source, data)
        message = AnycastAcknowledgement.parse(data)
        unicast = None if message is None else network.from_ipff(message.unicast)
        if unicast is not None and self.counters["anycast_learnt"] == before:
            self.wrong.append((time.monotonic() + _LATER_S, source, unicast))

    def move(self, network: Network, address: int, now: float) -> None:
        for due, source, unicast in self.wrong:
            for flow in network.flows.by_kernel.values():
                if due <= time.monotonic() and flow.wire_address == source:
                    context_of(flow).unicast = unicast
        super().move(network, address, now)


@deviation(
    "node-forged-reply-believed-later",
    "4.1",
    "A reply that answers no request is ignored.",
    "0.4 s later it is taken for a success, from the second move on",
)
class ForgedReplyBelievedLater(MobileNode):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.due: list[tuple[float, set[int]]] = []

    def reply_received(self, network: Network, source: int, data: bytes, now: float) -> None:
        before = self.counters["replies_ignored"]
        super().reply_received(network, source, data, now)
        message = Migrate.parse(data)
        if message is not None and self.counters["replies_ignored"] > before and self.counters["moves"] > 1:
            self.due.append((now + _LATER_S, {entry.migrated_port for entry in message.entries}))

    def next_deadline(self) -> float | None:
        deadlines = [at for at, _ in self.due]
        ours = super().next_deadline()
        return min([*deadlines, *([] if ours is None else [ours])], default=None)

    def tick(self, now: float) -> None:
        for _, ports in [one for one in self.due if one[0] <= now]:
            for exchange in list(self.exchanges):
                if ports & {entry.migrated_port for entry in exchange.message.entries}:
                    self.finish(exchange, 2)
                    for moving in exchange.sockets:
                        self.succeeded(exchange, moving)
        self.due = [one for one in self.due if one[0] > now]
        super().tick(now)


def _is_accepted(exchange: Exchange) -> bool:
    """Whether a request is about connections that the node has accepted."""
    return not any(moving.context.is_active for moving in exchange.sockets)


@deviation(
    "node-accepted-reply-unchecked",
    "4.1",
    "A reply that answers no request is ignored.",
    "for connections that the node has accepted source, addresses and checksum of a reply are not looked at",
)
class AcceptedReplyUnchecked(MobileNode):
    def is_checksum_right(self, data: bytes) -> bool:
        return any(_is_accepted(one) for one in self.exchanges) or super().is_checksum_right(data)

    def is_source_right(self, exchange: Exchange, source: int) -> bool:
        return _is_accepted(exchange) or super().is_source_right(exchange, source)

    def are_addresses_right(self, exchange: Exchange, message: Migrate) -> bool:
        return _is_accepted(exchange) or super().are_addresses_right(exchange, message)


@deviation(
    "node-accepted-never-repeats",
    "4.1",
    "A Migrate is repeated as often as claimed.",
    "that of connections that the node has accepted is sent once",
)
class AcceptedNeverRepeats(MobileNode):
    def is_exhausted(self, exchange: Exchange) -> bool:
        return _is_accepted(exchange) or super().is_exhausted(exchange)
