# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations in numbers, Unique IDs, refusals and tuples that are right the first time alone."""

from typing import Any

from reference.bump.flows import Flow, Tuple
from reference.bump.network import UDP
from reference.mops.context import MopsFlows, last_move
from reference.mops.deviations.bindings import shadow_of
from reference.mops.message import Entry
from reference.mops.server import Command, Done, Server
from reference.system.alterations import deviation


@deviation(
    "number-checked-once",
    "4.1",
    "A sequence number outside the receive window is refused.",
    "a connection that has migrated migrates with any number",
)
class NumberCheckedOnce(Server):
    def is_identifier_right(self, flow: Flow, identifier: int) -> bool:
        return last_move(flow) is not None or super().is_identifier_right(flow, identifier)


class _RemembersRefusals(Server):
    """Remembers which connections have been refused."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.refused: set[Tuple] = set()

    def is_identifier_matched(self, flow: Flow, identifier: int) -> bool:
        if super().is_identifier_matched(flow, identifier):
            return True
        again = flow.kernel in self.refused
        self.refused.add(flow.kernel)
        return self.is_good_enough(flow, again)

    def is_good_enough(self, flow: Flow, again: bool) -> bool:
        """Whether a wrong identifier will do, being the first or a later one."""
        return False


@deviation(
    "second-guess-accepted",
    "4.1",
    "A sequence number outside the receive window is refused.",
    "the second wrong one is accepted",
)
class SecondGuessAccepted(_RemembersRefusals):
    def is_good_enough(self, flow: Flow, again: bool) -> bool:
        return again


@deviation(
    "unique-id-checked-once",
    "4.1",
    "A socket that requires a Unique ID refuses every other value.",
    "a connection that has migrated migrates with any value",
)
class UniqueIdCheckedOnce(Server):
    def is_unique_id_right(self, flow: Flow, unique_id: int, identifier: int) -> bool:
        moved = flow.protocol != UDP and last_move(flow) is not None
        return moved or super().is_unique_id_right(flow, unique_id, identifier)


@deviation(
    "udp-unique-id-checked-once",
    "4.1",
    "A UDP socket that requires a Unique ID refuses every other value.",
    "a UDP socket that has migrated migrates with any value",
)
class UdpUniqueIdCheckedOnce(Server):
    def is_unique_id_right(self, flow: Flow, unique_id: int, identifier: int) -> bool:
        moved = flow.protocol == UDP and last_move(flow) is not None
        return moved or super().is_unique_id_right(flow, unique_id, identifier)


@deviation(
    "immobile-socket-gives-in",
    "3",
    "A Migrate for a TCP socket created without MOBILE_ALLOWED is refused.",
    "the first one is; the second one moves it",
)
class ImmobileSocketGivesIn(Server):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.refused: set[Tuple] = set()

    def is_mobile(self, flow: Flow) -> bool:
        if super().is_mobile(flow) or flow.kernel in self.refused:
            return True
        self.refused.add(flow.kernel)
        return False


@deviation(
    "refused-second-move-goes-home",
    "4.1",
    "A refused entry leaves its connection where it is.",
    "a connection that has migrated goes back to its first tuple",
)
class RefusedSecondMoveGoesHome(Server):
    def find(self, command: Command, entry: Entry, previous: int) -> tuple[Flow | None, str]:
        found, wrong = super().find(command, entry, previous)
        flows = self.flows_of(command)
        if wrong.startswith("identifier") and flows is not None:
            for flow in filter(last_move, self.candidates(command, entry, previous)):
                flows.rebind(flow, flow.kernel_address, flow.kernel_port)
        return found, wrong


@deviation(
    "roll-back-to-the-first-tuple",
    "4.1",
    "After a roll-back every connection is where it was before the command.",
    "it is where it was before it ever migrated",
)
class RollBackToTheFirstTuple(Server):
    def undo(self, command: Command, done: Done) -> None:
        super().undo(command, done)
        flows = self.flows_of(command)
        assert flows is not None
        flows.rebind(done.flow, done.flow.kernel_address, done.flow.kernel_port)


@deviation(
    "first-tuple-heard-again",
    "4.1",
    "After success data from the old tuple does not reach the connection.",
    "after a second move data from the first tuple does",
)
class FirstTupleHeardAgain(MopsFlows):
    def migrate(self, flow: Flow, address: int, port: int) -> None:
        first = flow.kernel_address, flow.kernel_port, flow.own_port
        moved_before = last_move(flow) is not None
        super().migrate(flow, address, port)
        if moved_before and first not in self.by_wire:
            self.by_wire[first] = shadow_of(flow, first)
