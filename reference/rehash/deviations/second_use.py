# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations that show at a second use: repeats, later moves, later connections, and half a second later."""

from reference.bump.flows import Flow
from reference.bump.tcp import ACK, RST
from reference.rehash.address import RehashAddress
from reference.rehash.context import Context, Exchange, RehashFlows, Segment, context_of
from reference.rehash.host import Host
from reference.rehash.option import ADDR, Option
from reference.rehash.receiver import Verdict
from reference.system.alterations import deviation

_LATER_S = 0.4


@deviation(
    "repeated-addr-answered-once",
    "6.2",
    "A REHASH-ADDR repeated after the connection was rehashed is answered with REHASH-INIT again.",
    "the first repeat is answered, the ones after it are not",
)
class RepeatedAddrAnsweredOnce(Host):
    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._answered: set[Flow] = set()

    def address_retransmitted(self, flow: Flow, option: Option) -> Verdict:
        verdict = super().address_retransmitted(flow, option)
        if verdict is not Verdict.SERVED:
            return verdict
        is_first = flow not in self._answered
        self._answered.add(flow)
        return Verdict.SERVED if is_first else Verdict.ORDINARY


@deviation(
    "repeated-addr-answered-with-data-only",
    "6.2",
    "A REHASH-ADDR repeated after the connection was rehashed is answered with REHASH-INIT again.",
    "a repeat without data is not answered",
)
class RepeatedAddrAnsweredWithDataOnly(Host):
    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._served: set[tuple[Flow, int]] = set()

    def address_served(self, flow: Flow, context: Context, segment: Segment, now: float) -> None:
        is_first = (flow, flow.wire_address) not in self._served
        self._served.add((flow, flow.wire_address))
        if is_first or segment.length:
            super().address_served(flow, context, segment, now)


@deviation(
    "repeats-name-the-new-address-as-old",
    "6.2",
    "Old IP address in REHASH-ADDR is the address the connection had before the move.",
    "in repeats it is the new one",
)
class RepeatsNameTheNewAddressAsOld(Host):
    def address(self, flow: Flow, context: Context, exchange: Exchange) -> Option:
        option = super().address(flow, context, exchange)
        return option._replace(old=option.new) if exchange.sent > 1 else option


@deviation(
    "repeats-without-nonce",
    "6.2",
    "REHASH-ADDR carries the peer's nonce of that connection.",
    "in repeats it is 0",
)
class RepeatsWithoutNonce(Host):
    def address(self, flow: Flow, context: Context, exchange: Exchange) -> Option:
        option = super().address(flow, context, exchange)
        return option._replace(nonce=0) if exchange.sent > 1 else option


@deviation(
    "nonce-of-the-tuple",
    "6.1",
    "A nonce is valid for the lifetime of its connection.",
    "every connection on a tuple has the nonce of the first one",
)
class NonceOfTheTuple(Host):
    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._nonces: dict[tuple[int, int, int], int] = {}

    def _new_context(self, flow: Flow, is_active: bool) -> Context:
        context = super()._new_context(flow, is_active)
        context.own_nonce = self._nonces.setdefault(flow.wire, context.own_nonce)
        return context


@deviation(
    "peer-moves-nine-times",
    "6.2",
    "A connection moves as often as its peer.",
    "after nine times it stays",
)
class PeerMovesNineTimes(Host):
    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._moves: dict[Flow, int] = {}

    def find(self, option: Option, segment: Segment) -> Flow | None:
        flow = super().find(option, segment)
        return flow if flow is not None and self._moves.get(flow, 0) < 9 else None

    def peer_moved(self, flow: Flow, context: Context, address: int) -> None:
        self._moves[flow] = self._moves.get(flow, 0) + 1
        super().peer_moved(flow, context, address)


@deviation(
    "host-moves-nine-times",
    "6.2",
    "A move is announced, however many there were before.",
    "the tenth one is not announced",
)
class HostMovesNineTimes(Host):
    def begin_move(self, flow: Flow, context: Context, old: int, now: float) -> None:
        if self.counters["moves"] < 10:
            super().begin_move(flow, context, old, now)


@deviation(
    "only-one-old-address",
    "6.2",
    "A host that has moved twice before REHASH-INIT comes tries every Old address that the peer may know.",
    "it names the first one alone",
)
class OnlyOneOldAddress(Host):
    def begin_move(self, flow: Flow, context: Context, old: int, now: float) -> None:
        super().begin_move(flow, context, old, now)
        if context.exchange is not None:
            del context.exchange.olds[1:]


@deviation(
    "only-the-last-old-address",
    "6.2",
    "A host that has moved twice before REHASH-INIT comes tries every Old address that the peer may know.",
    "it names the address that it has just left alone",
)
class OnlyTheLastOldAddress(Host):
    def begin_move(self, flow: Flow, context: Context, old: int, now: float) -> None:
        context.addresses = [old]
        super().begin_move(flow, context, old, now)


@deviation(
    "listener-moves-once",
    "8",
    "After a move a service bound to the old address accepts connections at the new one.",
    "after a second move it does not",
)
class ListenerMovesOnce(RehashAddress):
    moves = 0

    def listens_on(self, bound: bool) -> bool:
        if not bound:
            return True
        self.moves += 1
        return self.moves == 1


class _Later(Host):
    """Something happens to a connection some time after the second of two moves, if they and it were at leisure."""

    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._due: dict[Flow, tuple[float, int]] = {}
        self._moved: dict[Flow, float] = {}
        self._now = 0.0

    def incoming(self, segment: Segment, now: float) -> Flow | None:
        self._now = now
        flow = super().incoming(segment, now)
        if flow is not None and segment.length:
            self._due.pop(flow, None)
        return flow

    def peer_moved(self, flow: Flow, context: Context, address: int) -> None:
        if self._now - self._moved.get(flow, self._now) > _LATER_S:
            self._due[flow] = self._now + _LATER_S, flow.wire_address
        self._moved[flow] = self._now
        super().peer_moved(flow, context, address)

    def next_deadline(self) -> float | None:
        ours, due = super().next_deadline(), min((at for at, _ in self._due.values()), default=None)
        return due if ours is None else ours if due is None else min(ours, due)

    def tick(self, now: float) -> None:
        super().tick(now)
        for flow, (at, old) in list(self._due.items()):
            if at <= now:
                del self._due[flow]
                context = context_of(flow)
                if flow.is_live and context is not None:
                    self.happens(flow, context, old)

    def happens(self, flow: Flow, context: Context, old: int) -> None:
        raise NotImplementedError


@deviation(
    "moved-connection-ends-later",
    "6.2",
    "A REHASH-ADDR with the right Old address and nonce moves the connection.",
    "0.4 s after a second move it is closed, if it is silent",
)
class MovedConnectionEndsLater(_Later):
    def happens(self, flow: Flow, context: Context, old: int) -> None:
        self.mechanics.tell_kernel(flow, RST | ACK)


@deviation(
    "moved-connection-returns-later",
    "6.2",
    "A REHASH-ADDR with the right Old address and nonce moves the connection.",
    "0.4 s after a second move it is back at its old address, if it is silent",
)
class MovedConnectionReturnsLater(_Later):
    def happens(self, flow: Flow, context: Context, old: int) -> None:
        self.flows.rebind(flow, old, flow.wire_port)


@deviation(
    "announced-without-a-move",
    "6.2",
    "A host whose address does not change sends no REHASH-ADDR.",
    "every third segment with data is answered with REHASH-ADDR, Old and New being the current address",
)
class AnnouncedWithoutAMove(Host):
    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._segments: dict[Flow, int] = {}

    def accounted(self, flow: Flow, segment: Segment, now: float) -> None:
        super().accounted(flow, segment, now)
        context = context_of(flow)
        if not segment.length or context is None or not context.init_completed or self.counters["moves"]:
            return
        self._segments[flow] = self._segments.get(flow, 0) + 1
        if self._segments[flow] % 3 == 0:
            own = self.network.own
            self.mechanics.acknowledge(flow, Option(ADDR, context.peer_nonce or 0, own, own))


@deviation(
    "unmovable-connections-speak-on",
    "6.1",
    "A connection on which the peer sent no REHASH-INIT sends nothing from the new address.",
    "it continues from there as if nothing had happened",
)
class UnmovableConnectionsSpeakOn(RehashFlows):
    def park(self, flow: Flow, own: int) -> None:
        """It stays on the wire."""
