# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations in what a refusal or a roll-back leaves behind."""

from dataclasses import replace
from typing import Any

from reference.bump.flows import Flow, Flows, Tuple
from reference.bump.network import Network
from reference.mops.context import choice_of, set_choice
from reference.mops.message import Entry, Migrate
from reference.mops.server import Command, Done, Outcome, Server
from reference.system.alterations import deviation


class _Claim(Flow):
    """A tuple from which the first segment moves a connection there."""

    __slots__ = ("claimed", "flows")

    def __init__(self, flows: Flows, claimed: Flow, address: int, port: int) -> None:
        super().__init__((address, port, claimed.own_port), claimed.kernel, claimed.seen, claimed.own_delta)
        self.tcp, self.claimed, self.flows, self.is_rewritten = claimed.tcp, claimed, flows, True

    def into_kernel(self, buffer: bytearray, at: int, checksum: int) -> None:
        super().into_kernel(buffer, at, checksum)
        if self.flows.by_wire.get(self.wire) is self:
            del self.flows.by_wire[self.wire]
            self.flows.rebind(self.claimed, self.wire_address, self.wire_port)


class _Claims(Server):
    """Lets whoever asks in vain have the connection with the first segment."""

    def claim(self, command: Command, entry: Entry) -> None:
        """Whatever comes next from the new tuple of an entry moves the connection there."""
        flows, previous, migrated = self.flows_of(command), command.previous, command.migrated
        if flows is None or flows is not command.network.flows or previous is None or migrated is None:
            return
        for flow in self.candidates(command, entry, previous):
            claim: Tuple = (migrated, entry.migrated_port, flow.own_port)
            if claim not in flows.by_wire:
                flows.by_wire[claim] = _Claim(flows, flow, migrated, entry.migrated_port)


@deviation(
    "first-data-takes-over",
    "4.1",
    "After a refusal the new tuple has no connection.",
    "the first segment from the new tuple moves the connection that was refused to it",
)
class FirstDataTakesOver(_Claims):
    def answer(self, command: Command, outcomes: list[Outcome]) -> None:
        super().answer(command, outcomes)
        for outcome in outcomes:
            if outcome.reason.startswith("identifier"):
                self.claim(command, outcome.entry)


@deviation(
    "first-data-takes-over-after-wrong-checksum",
    "4.1",
    "A Migrate whose checksum is wrong changes nothing.",
    "the first segment from the new tuple moves the connection to it",
)
class FirstDataTakesOverAfterWrongChecksum(_Claims):
    def read(self, network: Network, source: int, data: bytes, arrival: float) -> tuple[Command | None, str]:
        command, wrong = super().read(network, source, data, arrival)
        message = Migrate.parse(data)
        if wrong.startswith("checksum") and message is not None:
            for entry in message.entries[: message.count]:
                self.claim(Command(network, source, message, arrival), entry)
        return command, wrong


@deviation(
    "first-data-takes-over-when-limited",
    "4.1",
    "A second command inside the interval changes nothing.",
    "the first segment from the new tuple moves the connection to it",
)
class FirstDataTakesOverWhenLimited(_Claims):
    def limit(self, command: Command) -> tuple[Command | None, str]:
        admitted, wrong = super().limit(command)
        if admitted is None:
            for entry in command.message.entries:
                self.claim(command, entry)
        return admitted, wrong


class _Blocks(Server):
    """Never again moves what it has taken a dislike to."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.blocked: set[Tuple] = set()

    def is_mobile(self, flow: Flow) -> bool:
        return flow.kernel not in self.blocked and super().is_mobile(flow)


@deviation(
    "refused-never-migrates",
    "4.1",
    "A refusal changes nothing but the answer.",
    "a connection that was refused once never migrates",
)
class RefusedNeverMigrates(_Blocks):
    def is_identifier_matched(self, flow: Flow, identifier: int) -> bool:
        matched = super().is_identifier_matched(flow, identifier)
        if not matched:
            self.blocked.add(flow.kernel)
        return matched


@deviation(
    "rolled-back-never-migrates",
    "4.1",
    "A roll-back changes nothing but the answer.",
    "a connection that was rolled back never migrates",
)
class RolledBackNeverMigrates(_Blocks):
    def undo(self, command: Command, done: Done) -> None:
        super().undo(command, done)
        self.blocked.add(done.flow.kernel)


@deviation(
    "unique-id-spent-by-failure",
    "4.1",
    "A one-time Unique ID is replaced after one successful migration.",
    "a wrong one uses it up too",
)
class UniqueIdSpentByFailure(Server):
    def is_unique_id_right(self, flow: Flow, unique_id: int, identifier: int) -> bool:
        right = super().is_unique_id_right(flow, unique_id, identifier)
        if not right:
            set_choice(flow, self.choices.after_success(choice_of(flow)))
        return right


@deviation(
    "unique-id-spent-by-roll-back",
    "4.1",
    "A one-time Unique ID is replaced after one successful migration.",
    "a migration that is rolled back uses it up too",
)
class UniqueIdSpentByRollBack(Server):
    def undo(self, command: Command, done: Done) -> None:
        super().undo(command, replace(done, choice=self.choices.after_success(done.choice)))


@deviation(
    "roll-back-leaves-new-tuple-alive",
    "4.1",
    "After a roll-back the new tuples have no connection.",
    "a connection that was rolled back is reached at its new tuple too",
)
class RollBackLeavesNewTupleAlive(Server):
    def undo(self, command: Command, done: Done) -> None:
        flow, wire = done.flow, done.flow.wire
        super().undo(command, done)
        flows = self.flows_of(command)
        assert flows is not None
        shadow = Flow(wire, flow.kernel, flow.seen, flow.own_delta)
        shadow.tcp = flow.tcp
        flows.by_wire[wire] = shadow


@deviation(
    "roll-back-forgets-the-first",
    "4.1",
    "When one port of an atomic Migrate fails, all ports are rolled back.",
    "the first one of several stays migrated",
)
class RollBackForgetsTheFirst(Server):
    def undo(self, command: Command, done: Done) -> None:
        if done.port != command.message.entries[0].previous_port:
            super().undo(command, done)
