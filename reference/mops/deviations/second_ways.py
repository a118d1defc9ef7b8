# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations of connections that have moved before, that one side has closed, or that an atomic Migrate has moved."""

from reference.bump.flows import Flow, Flows, Tuple
from reference.bump.tcp import ACK, SYN
from reference.mops.context import MopsFlows, Move, last_move
from reference.mops.deviations.bindings import shadow_of
from reference.mops.deviations.lost_agreements import _Rejuvenated
from reference.mops.message import Entry
from reference.mops.server import Command, Outcome, Server
from reference.system.alterations import deviation


def _has_left(flow: Flow, kernel: Tuple) -> bool:
    """Whether a connection of this tuple has migrated twice."""
    move = last_move(flow)
    return move is not None and move.previous != kernel[:2]


@deviation(
    "previous-tuple-ignored-after-a-move",
    "4.1",
    "A Migrate with another previous address or port than the socket's is refused.",
    "a connection that has migrated is found by its number and one of both",
)
class PreviousTupleIgnoredAfterAMove(Server):
    def candidates(self, command: Command, entry: Entry, previous: int) -> list[Flow]:
        found = super().candidates(command, entry, previous)
        flows = self.flows_of(command)
        if found or flows is None:
            return found
        named = [
            flow
            for flow in flows.by_kernel.values()
            if flow.wire_address == previous or flow.wire_port == entry.previous_port
        ]
        moved = [flow for flow in named if last_move(flow) is not None]
        return [flow for flow in moved if self.is_identifier_matched(flow, entry.identifier)]


@deviation(
    "newcomer-ends-after-two-moves",
    "4.1",
    "A new connection at the old tuple does not disturb the migrated connection.",
    "a SYN from the first tuple ends a connection that has migrated twice",
)
class NewcomerEndsAfterTwoMoves(MopsFlows):
    def inbound(self, address: int, port: int, local_port: int, flags: int, now: float) -> Flow | None:
        wire = (address, port, local_port)
        migrated = self.by_kernel.get(wire)
        is_new = flags & (SYN | ACK) == SYN and wire not in self.by_wire
        if is_new and migrated is not None and _has_left(migrated, wire):
            self.free(migrated)
        return super().inbound(address, port, local_port, flags, now)


@deviation(
    "atomic-old-tuple-heard",
    "4.1",
    "After success data from the old tuple does not reach the connection.",
    "after a Migrate of code 1 it does",
)
class AtomicOldTupleHeard(Server):
    def carry_out(self, command: Command) -> list[Outcome]:
        outcomes = super().carry_out(command)
        flows = self.flows_of(command)
        if flows is not None and self.is_atomic(command) and not any(outcome.reason for outcome in outcomes):
            for outcome in outcomes:
                if outcome.done is not None:
                    self.keep(flows, outcome.done.flow, (outcome.done.address, outcome.done.port))
        return outcomes

    @staticmethod
    def keep(flows: Flows, flow: Flow, end: tuple[int, int]) -> None:
        """Hear the connection at a tuple that it has left."""
        wire = (*end, flow.own_port)
        flows.by_wire.setdefault(wire, shadow_of(flow, wire))


@deviation(
    "half-closed-moves-once",
    "4.1",
    "A migrated connection can migrate again.",
    "one that a side has closed can not",
)
class HalfClosedMovesOnce(Server):
    def is_migratable(self, flow: Flow) -> bool:
        half_closed = flow.tcp.peer_closed or flow.tcp.our_fin is not None
        return not (half_closed and last_move(flow) is not None) and super().is_migratable(flow)


@deviation(
    "half-closed-moves-though-refused",
    "4.1",
    "A refused entry leaves its connection at the old tuple.",
    "one that the server has closed moves in silence, though the answer is failed",
)
class HalfClosedMovesThoughRefused(Server):
    def find(self, command: Command, entry: Entry, previous: int) -> tuple[Flow | None, str]:
        found, wrong = super().find(command, entry, previous)
        flows, migrated = self.flows_of(command), command.migrated
        if wrong.startswith("identifier") and flows is not None and migrated is not None:
            for flow in self.candidates(command, entry, previous):
                if flow.tcp.our_fin is not None:
                    flows.migrate(flow, migrated, entry.migrated_port)
        return found, wrong


class _RejuvenatedTwice(_Rejuvenated):
    __slots__ = ()

    def spoil(self, buffer: bytearray, at: int, end: int) -> None:
        move: Move | None = last_move(self)
        if move is not None and move.previous != (self.kernel_address, self.kernel_port):
            super().spoil(buffer, at, end)


@deviation(
    "timestamps-jump-back-at-the-second-move",
    "4.1",
    "After success timestamps do not go back.",
    "at a second move they go back by a quarter of their space",
)
class TimestampsJumpBackAtTheSecondMove(MopsFlows):
    flow_type = _RejuvenatedTwice
