# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations in which connections a REHASH-ADDR moves, and in what is where afterwards."""

from reference.bump.flows import Flow, Tuple
from reference.bump.tcp import FIN, RST, SYN, State
from reference.rehash.context import Context, Segment, context_of
from reference.rehash.host import Host
from reference.rehash.option import Option
from reference.rehash.receiver import Verdict
from reference.system.alterations import deviation


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
    "A REHASH-ADDR to a tuple that another connection has moves nothing, and both connections continue.",
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
    "they still reach it",
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
    "A new peer at the old address and port can open a connection to the same service.",
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
    "it is silently discarded",
)
class RepeatedAddrDropped(Host):
    def address_retransmitted(self, flow: Flow, option: Option) -> Verdict:
        verdict = super().address_retransmitted(flow, option)
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
    "A reset with REHASH-ADDR leaves the connection where it is or ends it.",
    "the connection moves and lives on",
)
class ResetRehashes(Host):
    def can_carry_address(self, flags: int) -> bool:
        return not flags & SYN

    def incoming(self, segment: Segment, now: float) -> Flow | None:
        served = self.counters["addr_served"]
        flow = super().incoming(segment, now)
        return None if segment.flags & RST and self.counters["addr_served"] > served else flow


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
    "The host whose peer has moved enters slow start.",
    "it continues with the congestion window of the old path",
)
class ToldWithoutSlowStart(Host):
    def receiver_slow_start(self, context: Context) -> None:
        pass
