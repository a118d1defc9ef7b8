# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations in the second use of anything: moves, messages, tuples."""

from collections import Counter
from typing import Any

from reference.bump.flows import Flow, Flows, Tuple
from reference.bump.tcp import ACK, SYN
from reference.mops.context import MopsFlows, last_move
from reference.mops.deviations.bindings import shadow_of
from reference.mops.message import Entry
from reference.mops.server import Command, Outcome, Server
from reference.system.alterations import deviation


class _Remembers(Server):
    """Remembers where each connection has been, and by which messages it came there."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.moves: Counter[Tuple] = Counter()
        self.been: set[tuple[Tuple, int, int]] = set()
        self.carried_out: dict[object, Flow] = {}

    @staticmethod
    def recorded(command: Command, entry: Entry) -> object:
        """What an entry looks like when it comes again."""
        return command.previous, command.migrated, *entry

    def migrate(self, command: Command, entry: Entry) -> Outcome:
        outcome = super().migrate(command, entry)
        if outcome.done is not None:
            flow = outcome.done.flow
            self.moves[flow.kernel] += 1
            self.been.add((flow.kernel, outcome.done.address, outcome.done.port))
            self.carried_out[self.recorded(command, entry)] = flow
        return outcome


@deviation(
    "migrates-twice",
    "4.1",
    "A connection migrates as often as its node moves.",
    "a connection migrates twice, and then never again",
)
class MigratesTwice(_Remembers):
    def is_migratable(self, flow: Flow) -> bool:
        return self.moves[flow.kernel] < 2 and super().is_migratable(flow)


@deviation(
    "never-home-again",
    "4.1",
    "A migrated connection can migrate back to the tuple it first had.",
    "a tuple where the connection has been is refused",
)
class NeverHomeAgain(_Remembers):
    def is_in_use(self, flows: Flows, flow: Flow, address: int, port: int) -> bool:
        return (flow.kernel, address, port) in self.been or super().is_in_use(flows, flow, address, port)


@deviation(
    "earlier-move-carried-out-again",
    "4.1",
    "A retransmission of a first Migrate after a second one changes nothing.",
    "it moves the connection back",
)
class EarlierMoveCarriedOutAgain(_Remembers):
    def migrate(self, command: Command, entry: Entry) -> Outcome:
        flow, flows = self.carried_out.get(self.recorded(command, entry)), self.flows_of(command)
        if flow is not None and flows is not None and flow.is_live and command.migrated is not None:
            flows.migrate(flow, command.migrated, entry.migrated_port)
            return Outcome(entry)
        return super().migrate(command, entry)


@deviation(
    "recorded-migrate-moves-a-later-connection",
    "4.1",
    "A Migrate recorded from an earlier connection moves no later one.",
    "a number that was right once for a tuple is right for whoever has the tuple next",
)
class RecordedMigrateMovesALaterConnection(_Remembers):
    def find(self, command: Command, entry: Entry, previous: int) -> tuple[Flow | None, str]:
        flows = self.candidates(command, entry, previous)
        if self.recorded(command, entry) in self.carried_out and flows:
            return flows[0], ""
        return super().find(command, entry, previous)


@deviation(
    "syn-ends-the-migrated-connection",
    "4.1",
    "A SYN from the migrated tuple does not end the connection.",
    "it takes the tuple over",
)
class SynEndsTheMigratedConnection(MopsFlows):
    def inbound(self, address: int, port: int, local_port: int, flags: int, now: float) -> Flow | None:
        flow = self.by_wire.get((address, port, local_port))
        if flow is not None and flags & (SYN | ACK) == SYN and last_move(flow) is not None:
            self.free(flow)
        return super().inbound(address, port, local_port, flags, now)


@deviation(
    "any-address-will-do",
    "4.1",
    "Data from a tuple that no Migrate has named reaches nothing.",
    "a connection takes data from its port at any address",
)
class AnyAddressWillDo(MopsFlows):
    def inbound(self, address: int, port: int, local_port: int, flags: int, now: float) -> Flow | None:
        wire = (address, port, local_port)
        if wire not in self.by_wire and not flags & SYN:
            for flow in self.by_wire.values():
                if (flow.wire_port, flow.own_port) == (port, local_port) and flow.is_live:
                    return shadow_of(flow, wire)
        return super().inbound(address, port, local_port, flags, now)


@deviation(
    "left-address-shunned",
    "4.1",
    "After a move other traffic of the node's old address is served as before.",
    "an address that a connection has left opens no other one",
)
class LeftAddressShunned(MopsFlows):
    def __init__(self) -> None:
        super().__init__()
        self.left: set[int] = set()

    def migrate(self, flow: Flow, address: int, port: int) -> None:
        self.left.add(flow.wire_address)
        super().migrate(flow, address, port)
        self.left.discard(address)

    def inbound(self, address: int, port: int, local_port: int, flags: int, now: float) -> Flow | None:
        wire = (address, port, local_port)
        if flags & (SYN | ACK) == SYN and address in self.left and wire not in self.by_wire:
            return None
        return super().inbound(address, port, local_port, flags, now)
