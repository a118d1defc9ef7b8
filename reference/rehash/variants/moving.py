# SPDX-License-Identifier: GPL-2.0-or-later
"""Variants of a host that moves."""

from reference.bump.flows import Flow
from reference.bump.tcp import ACK, FIN, State
from reference.rehash.context import Context, Exchange, context_of
from reference.rehash.host import Host
from reference.rehash.sender import RETRY_S
from reference.system.alterations import variant

GIVEN_UP_AFTER_S = 3.0


@variant(
    "gives-up-by-time",
    "6.2",
    "Hosts might allow for a maximum number of retries: another end of the repeating is as good.",
    "REHASH-ADDR is repeated for 3 s, however often that is",
)
class GivesUpByTime(Host):
    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._began: dict[Exchange, float] = {}

    def begin_move(self, flow: Flow, context: Context, old: int, now: float) -> None:
        super().begin_move(flow, context, old, now)
        if context.exchange is not None:
            self._began[context.exchange] = now

    def retransmit(self, flow: Flow, context: Context, exchange: Exchange, now: float) -> None:
        if now - self._began.get(exchange, now) >= GIVEN_UP_AFTER_S:
            self.fail(flow, context)
        else:
            super().retransmit(flow, context, exchange, now)

    def is_exhausted(self, exchange: Exchange) -> bool:
        return False

    def may_carry(self, exchange: Exchange, now: float) -> bool:
        return True


@variant(
    "no-maximum",
    "6.2",
    "Hosts might allow for a maximum number of retries: a permission.",
    "REHASH-ADDR is repeated until REHASH-INIT comes",
)
class NoMaximum(Host):
    def is_exhausted(self, exchange: Exchange) -> bool:
        return False

    def may_carry(self, exchange: Exchange, now: float) -> bool:
        return True


@variant(
    "failed-move-ends-the-stream",
    "6.2",
    "A connection that fails to rehash is closed: how the application learns of it is not said.",
    "the application reads the end of the stream, and its data is reset",
)
class FailedMoveEndsTheStream(Host):
    def fail(self, flow: Flow, context: Context) -> None:
        self.counters["failed"] += 1
        context.is_failed = True
        context.exchange = context.slow_start = None
        self.moving.pop(flow, None)
        self.mechanics.tell_kernel(flow, FIN | ACK)

    def answers_when_failed(self, length: int) -> bool:
        return length > 0


@variant(
    "data-held-until-init",
    "6.2",
    "The first segment from the new address carries REHASH-ADDR; when the data follows is not said.",
    "until REHASH-INIT has come REHASH-ADDR is on segments without data alone, and data waits",
)
class DataHeldUntilInit(Host):
    def may_carry(self, exchange: Exchange, now: float) -> bool:
        return False


@variant(
    "announces-after-inactivity",
    "5",
    "A duplicate ACK might be generated after a period of inactivity time.",
    "a connection without data is announced 2.5 s after the move",
)
class AnnouncesAfterInactivity(Host):
    def announce(self, flow: Flow, context: Context, exchange: Exchange, now: float) -> None:
        exchange.last = now + 2.5 - RETRY_S

    def may_carry(self, exchange: Exchange, now: float) -> bool:
        if not exchange.sent:
            exchange.last = now
        return not exchange.sent or super().may_carry(exchange, now)


@variant(
    "reset-while-moving-believed",
    "6.2",
    "A reset in the window ends a connection (RFC 9293, 3.10.7.4).",
    "a reset in answer to REHASH-ADDR ends the connection, whatever Old addresses are left to try",
)
class ResetWhileMovingBelieved(Host):
    def is_reset_believed(self, context: Context) -> bool:
        return True


@variant(
    "unmovable-connections-aborted",
    "6.1",
    "Without an init exchange connection mobility will not occur.",
    "connections without one are closed when the host moves, and nothing goes out on them",
)
class UnmovableConnectionsAborted(Host):
    def move(self, address: int, now: float) -> None:
        for flow in list(self.flows.by_kernel.values()):
            context = context_of(flow)
            if context is not None and flow.tcp.state is State.ESTABLISHED and not self.is_movable(flow):
                self.fail(flow, context)
        super().move(address, now)


@variant(
    "second-move-names-the-address-before",
    "6.2",
    "Old is the previous address.",
    "a host that moves on before an answer names the address that it has just left first",
)
class SecondMoveNamesTheAddressBefore(Host):
    def begin_move(self, flow: Flow, context: Context, old: int, now: float) -> None:
        super().begin_move(flow, context, old, now)
        if context.exchange is not None and old in context.exchange.olds:
            context.exchange.olds.sort(key=lambda one: one != old)
