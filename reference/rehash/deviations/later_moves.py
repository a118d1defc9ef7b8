# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations at a second move, and at a second forged one."""

from reference.bump.flows import Flow, Tuple
from reference.rehash.context import Context, RehashFlows, Segment
from reference.rehash.host import Host
from reference.rehash.option import Option
from reference.rehash.receiver import Verdict
from reference.system.alterations import deviation

_LATER_S = 0.4


@deviation(
    "mover-slow-starts-once",
    "6.2",
    "After a successful rehash the host starts in slow start.",
    "after the first one of a connection alone",
)
class MoverSlowStartsOnce(Host):
    def sender_slow_start(self, context: Context) -> None:
        if self.counters["moves"] < 2:
            super().sender_slow_start(context)
        else:
            context.slow_start = None


class _CountsMoves(Host):
    """Counts how often the peer of each connection has moved."""

    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._moves: dict[Context, int] = {}

    def moves_of(self, context: Context) -> int:
        return self._moves.get(context, 0)

    def receiver_slow_start(self, context: Context) -> None:
        self._moves[context] = self.moves_of(context) + 1
        super().receiver_slow_start(context)


@deviation(
    "told-slow-starts-once",
    "6.2",
    "The host that was told of the move starts in slow start too.",
    "after the first one of a connection alone",
)
class ToldSlowStartsOnce(_CountsMoves):
    def begin_slow_start(self, context: Context) -> None:
        if self.moves_of(context) < 2:
            super().begin_slow_start(context)


@deviation(
    "first-address-heard-again",
    "6.2",
    "After the rehash, segments from the old address do not reach the connection.",
    "after a second move those from the first address do",
)
class FirstAddressHeardAgain(RehashFlows):
    def __init__(self) -> None:
        super().__init__()
        self._left: dict[Flow, list[Tuple]] = {}

    def rebind(self, flow: Flow, address: int, port: int) -> None:
        left = self._left.setdefault(flow, [])
        left.append(flow.wire)
        super().rebind(flow, address, port)
        if len(left) > 1 and left[0] not in self.by_wire:
            shadow = Flow(left[0], flow.kernel, flow.seen, flow.own_delta)
            shadow.tcp, shadow.contexts = flow.tcp, flow.contexts
            self.by_wire[left[0]] = shadow


@deviation(
    "second-acknowledgement-with-old",
    "6.2",
    "The REHASH-INIT that acknowledges a move carries Old 0.",
    "from the second move on it carries the address of the peer",
)
class SecondAcknowledgementWithOld(_CountsMoves):
    def init(self, flow: Flow, context: Context) -> Option:
        option = super().init(flow, context)
        return option._replace(old=flow.wire_address) if self.moves_of(context) > 1 else option


@deviation(
    "addr-counted-over-all-moves",
    "6.2",
    "REHASH-ADDR is repeated until REHASH-INIT comes or the host's maximum is reached.",
    "those of earlier moves of the connection count",
)
class AddrCountedOverAllMoves(Host):
    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._sent: dict[Context, int] = {}

    def begin_move(self, flow: Flow, context: Context, old: int, now: float) -> None:
        super().begin_move(flow, context, old, now)
        if context.exchange is not None:
            context.exchange.sent += self._sent.get(context, 0)

    def finish(self, flow: Flow, context: Context) -> None:
        if context.exchange is not None:
            self._sent[context] = context.exchange.sent
        super().finish(flow, context)


@deviation(
    "second-wrong-nonce-accepted",
    "6.2",
    "A REHASH-ADDR with a wrong nonce does not move the connection.",
    "the second one does",
)
class SecondWrongNonceAccepted(Host):
    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._guessed: set[Flow] = set()

    def wrong_nonce(self, flow: Flow, segment: Segment) -> tuple[Verdict, Flow | None]:
        self._guessed.add(flow)
        return super().wrong_nonce(flow, segment)

    def address_received(self, segment: Segment, option: Option) -> tuple[Verdict, Flow | None]:
        flow = self.find(option, segment)
        context = None if flow is None else flow.contexts.get(Context)
        if flow in self._guessed and context is not None:
            option = option._replace(nonce=context.own_nonce)
        return super().address_received(segment, option)


@deviation(
    "wrong-nonce-served-later",
    "6.2",
    "A REHASH-ADDR with a wrong nonce does not move the connection.",
    "0.4 s later it has",
)
class WrongNonceServedLater(Host):
    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._due: list[tuple[float, Flow, int]] = []
        self._now = 0.0

    def incoming(self, segment: Segment, now: float) -> Flow | None:
        self._now = now
        return super().incoming(segment, now)

    def wrong_nonce(self, flow: Flow, segment: Segment) -> tuple[Verdict, Flow | None]:
        self._due.append((self._now + _LATER_S, flow, segment.address))
        return super().wrong_nonce(flow, segment)

    def next_deadline(self) -> float | None:
        ours = super().next_deadline()
        return min([*(at for at, _, _ in self._due), *([] if ours is None else [ours])], default=None)

    def tick(self, now: float) -> None:
        super().tick(now)
        for _, flow, address in [one for one in self._due if one[0] <= now]:
            if flow.is_live:
                self.flows.rebind(flow, address, flow.wire_port)
        self._due = [one for one in self._due if one[0] > now]
