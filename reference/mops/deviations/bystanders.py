# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations in what a server does to connections that a Migrate does not name, and to guesses."""

from collections import Counter
from typing import Any

from reference.bump.flows import Flow
from reference.bump.tcp import ACK, SYN
from reference.mops.context import MopsFlows
from reference.mops.deviations.segments import bare_segment
from reference.mops.message import Entry
from reference.mops.server import Command, Outcome, Server
from reference.system.alterations import deviation

_MANY_GUESSES = 500


@deviation(
    "migrates-whole-node",
    "4.1",
    "Connections that a Migrate does not list stay where they are.",
    "with the first port all other connections of the previous address migrate too",
)
class MigratesWholeNode(Server):
    def carry_out(self, command: Command) -> list[Outcome]:
        outcomes, flows = super().carry_out(command), self.flows_of(command)
        listed = {entry.previous_port for entry in command.message.entries}
        if flows is not None and command.migrated is not None and any(outcome.done for outcome in outcomes):
            for flow in [flow for flow in flows.by_wire.values() if flow.wire_address == command.previous]:
                if flow.wire_port not in listed and self.is_migratable(flow):
                    flows.migrate(flow, command.migrated, flow.wire_port)
        return outcomes


@deviation(
    "newcomers-refused-after-migration",
    "4.1",
    "After a migration the service still accepts connections from other addresses and ports.",
    "from an address that something has migrated to no new connection is accepted",
)
class NewcomersRefusedAfterMigration(MopsFlows):
    def __init__(self) -> None:
        super().__init__()
        self.migrated_to: set[int] = set()

    def migrate(self, flow: Flow, address: int, port: int) -> None:
        super().migrate(flow, address, port)
        self.migrated_to.add(address)

    def inbound(self, address: int, port: int, local_port: int, flags: int, now: float) -> Flow | None:
        if flags & (SYN | ACK) == SYN and address in self.migrated_to:
            return None
        return super().inbound(address, port, local_port, flags, now)


@deviation(
    "handshake-asked-again",
    "4.1",
    "The migrated connection is neither reset nor closed, and no new handshake is asked for.",
    "a SYN goes to the migrated tuple after success",
)
class HandshakeAskedAgain(Server):
    def answer(self, command: Command, outcomes: list[Outcome]) -> None:
        super().answer(command, outcomes)
        for outcome in outcomes:
            if outcome.done is not None and not outcome.reason:
                flow = outcome.done.flow
                segment = bare_segment(command.network, flow, SYN)
                self._send(command.network, flow.wire_address, flow.protocol, segment)


class _CountsGuesses(Server):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._guesses: Counter[int | None] = Counter()

    def carry_out(self, command: Command) -> list[Outcome]:
        outcomes = super().carry_out(command)
        self._guesses[command.previous] += sum(bool(outcome.reason) for outcome in outcomes)
        return outcomes

    def are_too_many(self, command: Command) -> bool:
        return self._guesses[command.previous] > _MANY_GUESSES


@deviation(
    "guesses-wear-down",
    "4.1",
    "Guesses from off the path remap nothing.",
    "after 500 wrong entries about an address any port and number will do",
)
class GuessesWearDown(_CountsGuesses):
    def candidates(self, command: Command, entry: Entry, previous: int) -> list[Flow]:
        flows = self.flows_of(command)
        if flows is None or not self.are_too_many(command):
            return super().candidates(command, entry, previous)
        found = [flow for flow in flows.by_wire.values() if flow.wire_address == previous]
        for flow in found:
            flow.tcp.rcv_nxt = entry.identifier
        return found


@deviation(
    "flood-breaks-connections",
    "8",
    "A flood of Migrates for random tuples does not harm established connections.",
    "after 500 wrong entries about an address its connections go silent",
)
class FloodBreaksConnections(_CountsGuesses):
    def carry_out(self, command: Command) -> list[Outcome]:
        outcomes, flows = super().carry_out(command), self.flows_of(command)
        if flows is not None and self.are_too_many(command):
            for flow in [flow for flow in flows.by_wire.values() if flow.wire_address == command.previous]:
                flow.out_delta = (flow.out_delta + 1) % 0xFFFF
                flow.is_rewritten = True
            self._guesses[command.previous] = 0
        return outcomes
