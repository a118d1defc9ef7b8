# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations in what a REHASH-ADDR does, whose nonce is right."""

from reference.bump.flows import Flow, Tuple
from reference.bump.tcp import FIN, RST, SYN, State
from reference.rehash.context import Context, Segment, context_of
from reference.rehash.host import Host
from reference.rehash.option import ADDR, INIT, Option
from reference.rehash.receiver import Verdict
from reference.system.deviations import deviation


@deviation(
    "addr-not-answered",
    "6.2",
    "A REHASH-ADDR that was served is answered with REHASH-INIT.",
    "it is answered with a duplicate ACK without option",
)
class AddrNotAnswered(Host):
    def address_served(self, flow: Flow, context: Context, segment: Segment, now: float) -> None:
        self.mechanics.acknowledge(flow, None)


class _OtherAnswer(Host):
    """The REHASH-INIT that answers a REHASH-ADDR, made otherwise."""

    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._answering: set[Context] = set()

    def address_served(self, flow: Flow, context: Context, segment: Segment, now: float) -> None:
        self._answering.add(context)
        super().address_served(flow, context, segment, now)

    def init(self, flow: Flow, context: Context) -> Option:
        option = super().init(flow, context)
        if context not in self._answering:
            return option
        self._answering.discard(context)
        return self.answer(context, option)

    def answer(self, context: Context, option: Option) -> Option:
        raise NotImplementedError


@deviation(
    "addr-answered-with-addr",
    "6.2",
    "A REHASH-ADDR that was served is answered with REHASH-INIT.",
    "it is answered with a REHASH-ADDR",
)
class AddrAnsweredWithAddr(_OtherAnswer):
    def answer(self, context: Context, option: Option) -> Option:
        return option._replace(control=ADDR)


@deviation(
    "addr-answered-with-peer-nonce",
    "6.2",
    "The REHASH-INIT sent as acknowledgement carries the sender's own unchanged nonce.",
    "it carries the nonce of the peer",
)
class AddrAnsweredWithPeerNonce(_OtherAnswer):
    def answer(self, context: Context, option: Option) -> Option:
        return option._replace(nonce=context.peer_nonce or 0)


@deviation(
    "addr-answered-with-old",
    "6.2",
    "The REHASH-INIT sent as acknowledgement has Old 0.",
    "it has the host's address as Old",
)
class AddrAnsweredWithOld(_OtherAnswer):
    def answer(self, context: Context, option: Option) -> Option:
        return option._replace(old=self.network.own)


@deviation(
    "addr-payload-dropped",
    "6.2",
    "Payload and acknowledgement of the segment that carried REHASH-ADDR are processed.",
    "the connection moves, and a segment with data is dropped",
)
class AddrPayloadDropped(Host):
    def incoming(self, segment: Segment, now: float) -> Flow | None:
        before = self.counters["addr_served"]
        flow = super().incoming(segment, now)
        if flow is None or not segment.length or self.counters["addr_served"] == before:
            return flow
        self.init_deadlines[flow] = now
        return None


@deviation(
    "addr-unknown-dropped",
    "6.2",
    "A REHASH-ADDR whose Old address and ports are no connection is treated as an ordinary segment for no connection.",
    "it is dropped in silence",
)
class AddrUnknownDropped(Host):
    def address_received(self, segment: Segment, option: Option) -> tuple[Verdict, Flow | None]:
        verdict, flow = super().address_received(segment, option)
        known = self.flows.occupant(segment.address, segment.port, segment.local_port)
        return (Verdict.DROPPED if verdict is Verdict.ORDINARY and known is None else verdict), flow


@deviation(
    "wrong-nonce-reset",
    "6.2",
    "A REHASH-ADDR with a wrong nonce is dropped in silence.",
    "its sender gets a reset",
)
class WrongNonceReset(Host):
    def wrong_nonce(self, flow: Flow, segment: Segment) -> tuple[Verdict, Flow | None]:
        return Verdict.ORDINARY, None


@deviation(
    "wrong-nonce-acknowledged",
    "6.2",
    "A REHASH-ADDR with a wrong nonce is dropped in silence.",
    "the connection's peer gets a duplicate ACK",
)
class WrongNonceAcknowledged(Host):
    def wrong_nonce(self, flow: Flow, segment: Segment) -> tuple[Verdict, Flow | None]:
        self.mechanics.acknowledge(flow, None)
        return Verdict.DROPPED, None


@deviation(
    "wrong-nonce-data-taken",
    "6.2",
    "No data is taken from a segment with a REHASH-ADDR whose nonce is wrong.",
    "the connection does not move, but the data is taken",
)
class WrongNonceDataTaken(Host):
    def wrong_nonce(self, flow: Flow, segment: Segment) -> tuple[Verdict, Flow | None]:
        return Verdict.ORDINARY, flow


@deviation(
    "uninitialised-moves",
    "6.2",
    "A REHASH-ADDR on a connection that never completed the init exchange moves nothing.",
    "such a connection moves whatever the nonce",
)
class UninitialisedMoves(Host):
    def find(self, option: Option, segment: Segment) -> Flow | None:
        flow = self.flows.by_wire.get((option.old, segment.port, segment.local_port))
        return (
            flow if flow is not None and flow.tcp.state is State.ESTABLISHED and context_of(flow) is not None else None
        )

    def is_nonce_right(self, context: Context, option: Option) -> bool:
        return not context.init_completed or super().is_nonce_right(context, option)


@deviation(
    "half-open-rehashed",
    "6.1",
    "A REHASH-ADDR for a connection whose handshake is not complete does not move it.",
    "a connection moves as soon as both REHASH-INITs have been seen",
)
class HalfOpenRehashed(Host):
    def find(self, option: Option, segment: Segment) -> Flow | None:
        flow = self.flows.by_wire.get((option.old, segment.port, segment.local_port))
        context = None if flow is None else context_of(flow)
        if flow is not None and flow.tcp.state is State.SYN_RECEIVED and context is not None:
            return flow if context.init_completed else None
        return super().find(option, segment)


@deviation(
    "peer-moved-altogether",
    "6.2",
    "A REHASH-ADDR moves only its own connection; others of the same peer stay.",
    "all connections of the peer move with one",
)
class PeerMovedAltogether(Host):
    def peer_moved(self, flow: Flow, context: Context, address: int) -> None:
        old = flow.wire_address
        super().peer_moved(flow, context, address)
        for other in list(self.flows.by_wire.values()):
            if other.wire_address == old and self.is_rehashable(other) and not self.is_in_use(other, address):
                self.flows.rebind(other, address, other.wire_port)


@deviation(
    "rehash-to-tuple-in-use",
    "6.2",
    "A REHASH-ADDR to a tuple that another connection has moves nothing, and both go on.",
    "the moved connection takes the tuple from the other one",
)
class RehashToTupleInUse(Host):
    def is_in_use(self, flow: Flow, address: int) -> bool:
        return False

    def address_received(self, segment: Segment, option: Option) -> tuple[Verdict, Flow | None]:
        flow = self.find(option, segment)
        context = None if flow is None else context_of(flow)
        if flow is None or context is None or flow.wire_address == option.new:
            return super().address_received(segment, option)
        if not self.is_nonce_right(context, option):
            return super().address_received(segment, option)
        self.peer_moved(flow, context, option.new)
        return Verdict.SERVED, flow


@deviation(
    "old-tuple-still-served",
    "6.2",
    "After the rehash segments from the old address do not reach the connection.",
    "they go on to reach it",
)
class OldTupleStillServed(Host):
    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._old: dict[Tuple, Flow] = {}

    def peer_moved(self, flow: Flow, context: Context, address: int) -> None:
        self._old[flow.wire] = flow
        super().peer_moved(flow, context, address)

    def incoming(self, segment: Segment, now: float) -> Flow | None:
        wire = (segment.address, segment.port, segment.local_port)
        if wire not in self.flows.by_wire and not segment.flags & (SYN | RST) and segment.option is None:
            flow = self._old.get(wire)
            if flow is not None and flow.is_live:
                return flow
        return super().incoming(segment, now)


@deviation(
    "newcomer-refused",
    "6.2",
    "A newcomer at the old address and port can open a connection to the same service.",
    "its SYN is dropped while the connection that has moved lives",
)
class NewcomerRefused(Host):
    def incoming(self, segment: Segment, now: float) -> Flow | None:
        wire = (segment.address, segment.port, segment.local_port)
        if segment.flags & SYN and wire in self.flows.by_kernel and wire not in self.flows.by_wire:
            return None
        return super().incoming(segment, now)


@deviation(
    "repeated-addr-dropped",
    "6.2",
    "A REHASH-ADDR repeated after the connection was rehashed is answered with REHASH-INIT again.",
    "it is dropped in silence",
)
class RepeatedAddrDropped(Host):
    def address_repeated(self, flow: Flow, option: Option) -> Verdict:
        verdict = super().address_repeated(flow, option)
        return Verdict.DROPPED if verdict is Verdict.SERVED else verdict


@deviation(
    "peer-moves-once",
    "6.1",
    "The nonces exchanged before a move still serve for the moves after it.",
    "a peer can move a connection only once",
)
class PeerMovesOnce(Host):
    def find(self, option: Option, segment: Segment) -> Flow | None:
        flow = super().find(option, segment)
        return flow if flow is not None and flow.wire_address == flow.kernel_address else None


@deviation(
    "reset-rehashes",
    "6.2",
    "A REHASH-ADDR on a reset does not move the connection.",
    "the connection moves, and is reset",
)
class ResetRehashes(Host):
    def can_carry_address(self, flags: int) -> bool:
        return not flags & SYN


@deviation(
    "fin-does-not-rehash",
    "6.2",
    "A REHASH-ADDR on a FIN moves the connection and closes that direction.",
    "a FIN with REHASH-ADDR is one of no connection",
)
class FinDoesNotRehash(Host):
    def can_carry_address(self, flags: int) -> bool:
        return not flags & FIN and super().can_carry_address(flags)


@deviation(
    "told-without-slow-start",
    "6.2",
    "The host that was told of the move enters slow start.",
    "it goes on with the congestion window of the old path",
)
class ToldWithoutSlowStart(Host):
    def receiver_slow_start(self, context: Context) -> None:
        pass


@deviation(
    "option-length-15-accepted",
    "7",
    "An option with a length other than 16 rehashes nothing.",
    "one of length 15 is taken, its last byte as zero",
)
class OptionLength15Accepted(Host):
    def is_length_right(self, length: int) -> bool:
        return length == 15 or super().is_length_right(length)


@deviation(
    "option-length-17-accepted",
    "7",
    "An option with a length other than 16 rehashes nothing.",
    "one of length 17 is taken",
)
class OptionLength17Accepted(Host):
    def is_length_right(self, length: int) -> bool:
        return length == 17 or super().is_length_right(length)


@deviation(
    "undefined-control-is-addr",
    "7",
    "An option whose control header is undefined rehashes nothing.",
    "every control header but REHASH-INIT's is taken for REHASH-ADDR's",
)
class UndefinedControlIsAddr(Host):
    def understood(self, option: Option) -> Option | None:
        return option if option.control == INIT else option._replace(control=ADDR)


@deviation(
    "undefined-control-is-init",
    "7",
    "An option whose control header is undefined completes no init exchange.",
    "every control header but REHASH-ADDR's is taken for REHASH-INIT's",
)
class UndefinedControlIsInit(Host):
    def understood(self, option: Option) -> Option | None:
        return option if option.control == ADDR else option._replace(control=INIT)
