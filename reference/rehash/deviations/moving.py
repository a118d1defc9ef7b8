# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations of a host that moves, in what it sends."""

from reference.bump.flows import Flow
from reference.bump.tcp import MAXIMUM_OPTIONS as MAXIMUM
from reference.bump.tcp import State
from reference.rehash.address import RehashAddress
from reference.rehash.context import Context, Exchange
from reference.rehash.host import Host
from reference.rehash.option import ADDR, Option
from reference.system.alterations import deviation


@deviation(
    "move-not-announced",
    "6.2",
    "A host that moves sends REHASH-ADDR on every connection with a completed init exchange.",
    "it continues on the new address and announces nothing",
)
class MoveNotAnnounced(Host):
    def begin_move(self, flow: Flow, context: Context, old: int, now: float) -> None:
        context.addresses = [self.network.own]


@deviation(
    "move-announced-on-one-connection",
    "6.2",
    "A host that moves sends REHASH-ADDR on every connection with a completed init exchange.",
    "it sends it on the first one; the others continue on the new address and announce nothing",
)
class MoveAnnouncedOnOneConnection(Host):
    def begin_move(self, flow: Flow, context: Context, old: int, now: float) -> None:
        if not self.moving:
            super().begin_move(flow, context, old, now)


@deviation(
    "second-move-not-announced",
    "6.2",
    "A second move is announced like the first.",
    "a connection that has moved before continues on the next address and announces nothing",
)
class SecondMoveNotAnnounced(Host):
    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._moved: set[Flow] = set()

    def begin_move(self, flow: Flow, context: Context, old: int, now: float) -> None:
        if flow not in self._moved:
            super().begin_move(flow, context, old, now)
        self._moved.add(flow)


@deviation(
    "unmarked-connections-announced",
    "6.1",
    "A host sends no REHASH-ADDR on a connection on which the peer sent no REHASH-INIT.",
    "it sends it on every connection, with nonce 0",
)
class UnmarkedConnectionsAnnounced(Host):
    def is_movable(self, flow: Flow) -> bool:
        return flow.tcp.state is State.ESTABLISHED


@deviation(
    "addr-not-in-first-segment",
    "6.2",
    "The first segment of a connection from the new address carries REHASH-ADDR.",
    "a duplicate ACK without option goes before it",
)
class AddrNotInFirstSegment(Host):
    def announce(self, flow: Flow, context: Context, exchange: Exchange, now: float) -> None:
        self.mechanics.acknowledge(flow, None)
        super().announce(flow, context, exchange, now)


@deviation(
    "addr-in-first-segment-only",
    "6.2",
    "Every segment of the connection carries REHASH-ADDR until REHASH-INIT arrives.",
    "segments of the kernel go out without, only duplicate ACKs carry it",
)
class AddrInFirstSegmentOnly(Host):
    def address_on(self, flow: Flow, context: Context, sequence: int, length: int) -> Option | None:
        return None


@deviation(
    "addr-not-in-retransmissions",
    "5",
    "A data segment that carried REHASH-ADDR carries it again when it is retransmitted.",
    "the retransmission has no option",
)
class AddrNotInRetransmissions(Host):
    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._sent: set[tuple[Flow, int]] = set()

    def address_on(self, flow: Flow, context: Context, sequence: int, length: int) -> Option | None:
        if length and (flow, sequence) in self._sent:
            return None
        self._sent.add((flow, sequence))
        return super().address_on(flow, context, sequence, length)


@deviation(
    "addr-after-init",
    "6.2",
    "After REHASH-INIT has arrived no segment carries REHASH-ADDR.",
    "the next three segments with data still carry it",
)
class AddrAfterInit(Host):
    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._olds: dict[Flow, int] = {}

    def finish(self, flow: Flow, context: Context) -> None:
        self._olds[flow] = context.addresses[0]
        super().finish(flow, context)
        context.answers_left = -3

    def must_reissue(self, flow: Flow, context: Context) -> bool:
        return context.answers_left < 0 or super().must_reissue(flow, context)

    def init_on(self, flow: Flow, context: Context, sequence: int, length: int) -> Option | None:
        if context.answers_left >= 0:
            return super().init_on(flow, context, sequence, length)
        context.reissues += 1
        if not length:
            return None
        context.answers_left += 1
        return Option(ADDR, context.peer_nonce or 0, self._olds[flow], self.network.own)


@deviation(
    "addr-own-nonce",
    "6.2",
    "REHASH-ADDR carries the peer's nonce of that connection.",
    "it carries the host's own nonce",
)
class AddrOwnNonce(Host):
    def address(self, flow: Flow, context: Context, exchange: Exchange) -> Option:
        return super().address(flow, context, exchange)._replace(nonce=context.own_nonce)


@deviation(
    "addr-old-is-zero",
    "6.2",
    "Old IP address in REHASH-ADDR is the address the connection had before the move.",
    "it is 0",
)
class AddrOldIsZero(Host):
    def address(self, flow: Flow, context: Context, exchange: Exchange) -> Option:
        return super().address(flow, context, exchange)._replace(old=0)


@deviation(
    "addr-old-is-first-address",
    "6.2",
    "A second move is announced with the address before it as Old.",
    "Old is the address that the host had at the start, whatever came between",
)
class AddrOldIsFirstAddress(Host):
    def address(self, flow: Flow, context: Context, exchange: Exchange) -> Option:
        return super().address(flow, context, exchange)._replace(old=self.network.kernel_own)


@deviation(
    "addr-addresses-swapped",
    "6.2",
    "Old is the address before the move and New the one after it.",
    "they have changed places",
)
class AddrAddressesSwapped(Host):
    def address(self, flow: Flow, context: Context, exchange: Exchange) -> Option:
        option = super().address(flow, context, exchange)
        return option._replace(old=option.new, new=option.old)


@deviation(
    "addr-new-is-zero",
    "6.2",
    "New IP address in REHASH-ADDR is the source address of the packet.",
    "it is 0",
)
class AddrNewIsZero(Host):
    def address(self, flow: Flow, context: Context, exchange: Exchange) -> Option:
        return super().address(flow, context, exchange)._replace(new=0)


@deviation(
    "idle-move-not-announced",
    "5",
    "A host that has to send a Rehash option and has no data to send, sends it in a duplicate ACK.",
    "it waits for data to announce a move with",
)
class IdleMoveNotAnnounced(Host):
    def send_address(self, flow: Flow, context: Context, exchange: Exchange, now: float) -> None:
        if exchange.sent:
            super().send_address(flow, context, exchange, now)
        exchange.last = now


@deviation(
    "sack-crowds-addr-out",
    "6.2",
    "Every segment of the connection carries REHASH-ADDR until REHASH-INIT arrives, also when SACK blocks are due.",
    "a segment with SACK blocks that leave no room goes out without it",
)
class SackCrowdsAddrOut(Host):
    def insert(self, options: bytes, option: bytes) -> bytes | None:
        return options + option if len(options) + len(option) <= MAXIMUM else None


@deviation(
    "sack-cut-short",
    "5",
    "A segment with a Rehash option has at most 40 bytes of options, all well-formed.",
    "options that leave no room for it are cut off in the middle",
)
class SackCutShort(Host):
    def insert(self, options: bytes, option: bytes) -> bytes | None:
        return options[: MAXIMUM - len(option)] + option


@deviation(
    "listener-left-behind",
    "8",
    "After a move a service bound to the old address accepts connections at the new one.",
    "it is gone with the address",
)
class ListenerLeftBehind(RehashAddress):
    def listens_on(self, bound: bool) -> bool:
        return not bound


@deviation(
    "listener-on-any-lost",
    "8",
    "After a move a service bound to the any address still accepts connections.",
    "what listens on any address is lost with a move",
)
class ListenerOnAnyLost(RehashAddress):
    def listens_on(self, bound: bool) -> bool:
        return bound
