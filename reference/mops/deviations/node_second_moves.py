# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations of a mobile node that shows them at its second move, at home, or after an answer that was not success."""

from collections.abc import Iterable
from typing import Any

from reference.bump.flows import Flow
from reference.bump.network import Network
from reference.mops.context import Endpoint
from reference.mops.exchange import Exchange, Moving
from reference.mops.message import FAILED, Migrate
from reference.mops.mobile_node import MobileNode
from reference.system.alterations import deviation

_MOST_MOVES = 5


@deviation(
    "node-second-move-one-server",
    "4.1",
    "All the node's mobile connections to a server are migrated, at each move.",
    "from the second move on one server alone is asked",
)
class SecondMoveOneServer(MobileNode):
    def in_messages(self, leaving: Iterable[Moving]) -> list[list[Moving]]:
        messages = super().in_messages(leaving)
        return messages if self.counters["moves"] < 2 else messages[:1]


@deviation(
    "node-number-of-the-first-move",
    "4.1",
    "The sequence number is that of the moment of the move.",
    "the second move names the number of the first",
)
class NumberOfTheFirstMove(MobileNode):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.numbers: dict[Flow, int] = {}

    def sequence_number(self, flow: Flow) -> int:
        return self.numbers.setdefault(flow, super().sequence_number(flow))


@deviation(
    "node-home-without-migrate",
    "4.1",
    "A node that moves back to its first address migrates its connections like at any other move.",
    "back home it asks nobody",
)
class HomeWithoutMigrate(MobileNode):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.homes: dict[Network, int] = {}

    def move(self, network: Network, address: int, now: float) -> None:
        self.homes.setdefault(network, network.own)
        super().move(network, address, now)

    def begin(self, exchange: Exchange) -> None:
        if exchange.network.own != self.homes[exchange.network]:
            super().begin(exchange)


@deviation(
    "node-third-move-names-second",
    "4.1",
    "A move after a success names the tuple of that success.",
    "the third move names the tuple that the second one has named",
)
class ThirdMoveNamesSecond(MobileNode):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.named: dict[Flow, list[Endpoint]] = {}

    def previous(self, network: Network, protocol: int, flow: Flow) -> Endpoint:
        named = self.named.setdefault(flow, [])
        named.append(super().previous(network, protocol, flow))
        return named[1] if len(named) == 3 else named[-1]


@deviation(
    "node-five-moves",
    "4.1",
    "After ten moves all connections are at the last address.",
    "after the fifth move no Migrate is sent any more",
)
class FiveMoves(MobileNode):
    def begin(self, exchange: Exchange) -> None:
        if self.counters["moves"] <= _MOST_MOVES:
            super().begin(exchange)


class _Shunning(MobileNode):
    """Keeps servers that have not agreed, and never asks them again."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.shunned: set[int] = set()

    def begin(self, exchange: Exchange) -> None:
        if exchange.server not in self.shunned:
            super().begin(exchange)


@deviation(
    "node-refusal-shuns-server",
    "4.1",
    "A failure leaves no trace: a later connection to the server is migrated.",
    "a server that has refused is asked nothing any more",
)
class RefusalShunsServer(_Shunning):
    def finish(self, exchange: Exchange, code: int) -> None:
        super().finish(exchange, code)
        if code == FAILED:
            self.shunned.add(exchange.server)


@deviation(
    "node-silence-shuns-server",
    "4.1",
    "Silence leaves no trace: a later connection to the server is migrated.",
    "a server that was silent once is asked nothing any more",
)
class SilenceShunsServer(_Shunning):
    def exhausted(self, exchange: Exchange) -> None:
        super().exhausted(exchange)
        self.shunned.add(exchange.server)


@deviation(
    "node-partial-failure-rolls-names-back",
    "4.1",
    "After a failure of some connections the others are named with the tuple of their success.",
    "the next move names them with the tuple that they had before",
)
class PartialFailureRollsNamesBack(MobileNode):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.rolled_back: dict[Flow, Endpoint] = {}

    def failed(self, exchange: Exchange, sockets: list[Moving], now: float) -> None:
        if sockets:
            served = [one for one in exchange.sockets if one not in sockets]
            self.rolled_back |= {one.flow: (exchange.message.previous, one.entry.previous_port) for one in served}
        super().failed(exchange, sockets, now)

    def previous(self, network: Network, protocol: int, flow: Flow) -> Endpoint:
        return self.rolled_back.get(flow) or super().previous(network, protocol, flow)


@deviation(
    "node-second-guess-with-the-first-port",
    "4.1",
    "Previous Source Port is the port that the socket had at Previous Source Address.",
    "refused after two moves, it names the address of the first with the port before it",
)
class SecondGuessWithTheFirstPort(MobileNode):
    def failed(self, exchange: Exchange, sockets: list[Moving], now: float) -> None:
        for one in sockets:
            further = one.context.previous[1:]
            one.context.previous[1:] = [(address, one.entry.previous_port) for address, _ in further]
        super().failed(exchange, sockets, now)


@deviation(
    "node-late-success-believed",
    "4.1",
    "The success of an earlier move is no answer to a later one.",
    "it is taken for the answer to whatever that server is being asked",
)
class LateSuccessBelieved(MobileNode):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.asked: list[Exchange] = []

    def begin(self, exchange: Exchange) -> None:
        self.asked.append(exchange)
        super().begin(exchange)

    def exchange_of(self, network: Network, source: int, message: Migrate) -> Exchange | None:
        found = super().exchange_of(network, source, message)
        if found is None and any(self.is_answer(one, network, source, message) for one in self.asked):
            return next((one for one in self.exchanges if one.server == source), None)
        return found


@deviation(
    "node-late-success-hangs",
    "4.1",
    "When the success of one move comes during the next the application sees data or an error in the end.",
    "the later request is dropped, and the connection waits for ever",
)
class LateSuccessHangs(MobileNode):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.dropped: list[Exchange] = []

    def drop_exchanges(self, network: Network) -> None:
        self.dropped = [one for one in self.exchanges if one.network is network]
        super().drop_exchanges(network)

    def unasked(self, network: Network, source: int, message: Migrate | None) -> None:
        if message is not None and any(self.is_answer(one, network, source, message) for one in self.dropped):
            self.exchanges = [one for one in self.exchanges if one.server != source]
