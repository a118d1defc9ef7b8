# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations that depend on what else a connection or a host has: its state, its number, its neighbours."""

from reference.bump.flows import Flow
from reference.bump.tcp import RST, SYN
from reference.rehash.context import Context, Exchange, Segment, context_of
from reference.rehash.host import Host
from reference.rehash.option import Option
from reference.rehash.slow_start import SlowStart
from reference.system.alterations import deviation

MANY = 16


@deviation(
    "half-closed-does-not-move",
    "6.2",
    "A connection of which one side is closed moves like an open one.",
    "a REHASH-ADDR for it means nothing",
)
class HalfClosedDoesNotMove(Host):
    def find(self, option: Option, segment: Segment) -> Flow | None:
        flow = super().find(option, segment)
        return None if flow is None or flow.tcp.is_half_closed else flow


@deviation(
    "half-closed-not-announced",
    "6.2",
    "A connection of which one side is closed moves like an open one.",
    "a host that moves does not take it along",
)
class HalfClosedNotAnnounced(Host):
    def is_movable(self, flow: Flow) -> bool:
        return super().is_movable(flow) and not flow.tcp.is_half_closed


@deviation(
    "half-closed-moves-in-silence",
    "6.2",
    "REHASH-INIT comes exactly where a connection has moved.",
    "a half-closed one moves, and no REHASH-INIT comes",
)
class HalfClosedMovesInSilence(Host):
    def address_served(self, flow: Flow, context: Context, segment: Segment, now: float) -> None:
        if not flow.tcp.is_half_closed:
            super().address_served(flow, context, segment, now)


@deviation(
    "half-closed-acknowledged-and-left",
    "6.2",
    "REHASH-INIT comes exactly where a connection has moved.",
    "for a half-closed one it comes, and the connection is back at the old address with the next segment of the kernel",
)
class HalfClosedAcknowledgedAndLeft(Host):
    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._olds: dict[Flow, int] = {}

    def peer_moved(self, flow: Flow, context: Context, address: int) -> None:
        if flow.tcp.is_half_closed:
            self._olds[flow] = flow.wire_address
        super().peer_moved(flow, context, address)

    def tick(self, now: float) -> None:
        super().tick(now)
        for flow in [one for one in self._olds if one not in self.init_deadlines]:
            self.flows.rebind(flow, self._olds.pop(flow), flow.wire_port)


@deviation(
    "closed-connections-announced",
    "6.2",
    "A host that moves sends nothing on a connection that both sides have closed.",
    "it sends REHASH-ADDR on those that it has not forgotten yet",
)
class ClosedConnectionsAnnounced(Host):
    def is_movable(self, flow: Flow) -> bool:
        context = context_of(flow)
        is_closed = flow.tcp.our_fin_acknowledged and flow.tcp.peer_closed
        return super().is_movable(flow) or (is_closed and context is not None and context.init_completed)


@deviation(
    "reset-releases-held-data",
    "6.2",
    "A reset ends a connection that has moved.",
    "what a reset acknowledges makes room for data that is held for slow start, and it is sent",
)
class ResetReleasesHeldData(Host):
    def accounted(self, flow: Flow, segment: Segment, now: float) -> None:
        super().accounted(flow, segment._replace(flags=segment.flags & ~RST), now)


@deviation(
    "sixteen-connections-announced",
    "6.2",
    "A host that moves sends REHASH-ADDR on every connection with a completed init exchange.",
    "it sends it on sixteen at most; the others continue on the new address and announce nothing",
)
class SixteenConnectionsAnnounced(Host):
    def begin_move(self, flow: Flow, context: Context, old: int, now: float) -> None:
        if len(self.moving) < MANY:
            super().begin_move(flow, context, old, now)


@deviation(
    "sixteen-connections-move",
    "6.2",
    "A REHASH-ADDR with the right Old address and nonce moves the connection.",
    "sixteen connections move from one address at most",
)
class SixteenConnectionsMove(Host):
    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._moved: dict[int, int] = {}

    def find(self, option: Option, segment: Segment) -> Flow | None:
        return super().find(option, segment) if self._moved.get(option.old, 0) < MANY else None

    def peer_moved(self, flow: Flow, context: Context, address: int) -> None:
        self._moved[flow.wire_address] = self._moved.get(flow.wire_address, 0) + 1
        super().peer_moved(flow, context, address)


@deviation(
    "both-services-of-a-port-move",
    "6.2",
    "A REHASH-ADDR moves only its own connection.",
    "connections of the same port of the peer to other services move with it",
)
class BothServicesOfAPortMove(Host):
    def peer_moved(self, flow: Flow, context: Context, address: int) -> None:
        old, port = flow.wire_address, flow.wire_port
        super().peer_moved(flow, context, address)
        for other in self.flows.of_peer(old, port):
            if self.is_rehashable(other) and not self.is_in_use(other, address):
                self.flows.rebind(other, address, port)


@deviation(
    "nonce-zero-is-none",
    "6.2",
    "REHASH-ADDR carries the peer's nonce of that connection.",
    "a peer whose nonce is 0 is not told of a move",
)
class NonceZeroIsNone(Host):
    def is_movable(self, flow: Flow) -> bool:
        context = context_of(flow)
        return super().is_movable(flow) and context is not None and context.peer_nonce != 0


@deviation(
    "burst-exceeds-the-maximum",
    "6.2",
    "REHASH-ADDR is not sent more often than the host's maximum.",
    "a burst of data goes out with it whatever the number",
)
class BurstExceedsTheMaximum(Host):
    def may_carry(self, exchange: Exchange, now: float) -> bool:
        return True


@deviation(
    "reset-while-moving-ignored",
    "6.2",
    "A reset that answers the only REHASH-ADDR ends its repeating.",
    "resets count for nothing while a move is not acknowledged",
)
class ResetWhileMovingIgnored(Host):
    def is_reset_believed(self, context: Context) -> bool:
        return context.exchange is None


@deviation(
    "init-lost-after-acknowledged-data",
    "6.1",
    "A data segment that carried REHASH-INIT carries it again when it is retransmitted.",
    "not when data before it was acknowledged",
)
class InitLostAfterAcknowledgedData(Host):
    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._first: dict[Context, int] = {}

    def kernel_opens(self, flow: Flow, is_answer: bool, sequence: int, is_again: bool) -> None:
        super().kernel_opens(flow, is_answer, sequence, is_again)
        if (context := context_of(flow)) is not None:
            self._first[context] = (sequence + 1) & 0xFFFFFFFF

    def carried_init(self, context: Context, sequence: int, length: int) -> bool:
        is_untouched = context.acknowledged == self._first.get(context)
        return is_untouched and super().carried_init(context, sequence, length)


@deviation(
    "transfer-stalls-after-a-move",
    "6.2",
    "The stream goes on after the move without a byte lost.",
    "of what is held in slow start no more than twelve segments ever go out",
)
class TransferStallsAfterAMove(SlowStart):
    def restart(self) -> None:
        super().restart()
        self._left = 12

    def admits(self, sequence: int, length: int) -> bool:
        return self._left > 0 and super().admits(sequence, length)

    def sent(self, sequence: int, length: int) -> None:
        self._left -= 1
        super().sent(sequence, length)


@deviation(
    "former-address-of-a-peer-shunned",
    "5",
    "Other connections of the peer's old address are served after a move as before it.",
    "whatever comes from an address that a peer has left is dropped",
)
class FormerAddressOfAPeerShunned(Host):
    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._left_by_peers: set[int] = set()

    def peer_moved(self, flow: Flow, context: Context, address: int) -> None:
        self._left_by_peers.add(flow.wire_address)
        super().peer_moved(flow, context, address)

    def incoming(self, segment: Segment, now: float) -> Flow | None:
        is_shunned = segment.address in self._left_by_peers and not segment.flags & RST
        return None if is_shunned else super().incoming(segment, now)


@deviation(
    "syn-at-the-old-tuple-ends-the-connection",
    "6.2",
    "A SYN from the old address and port does not disturb the connection that has moved.",
    "it ends the connection",
)
class SynAtTheOldTupleEndsTheConnection(Host):
    def incoming(self, segment: Segment, now: float) -> Flow | None:
        flow = self.flows.by_kernel.get((segment.address, segment.port, segment.local_port))
        is_old = flow is not None and flow.wire_address != segment.address
        if flow is not None and is_old and segment.flags & SYN and (context := context_of(flow)) is not None:
            self.fail(flow, context)
        return super().incoming(segment, now)
