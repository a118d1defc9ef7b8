# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations in how the entries of one command are carried out together."""

from collections import Counter
from dataclasses import replace

from reference.mops.server import Command, Outcome, Server
from reference.system.alterations import deviation


@deviation(
    "atomic-without-rollback",
    "4.1",
    "When one port of an atomic Migrate fails, all ports are rolled back.",
    "the reply says failed, but the ports that could migrate stay migrated",
)
class AtomicWithoutRollback(Server):
    def must_roll_back(self, command: Command, outcomes: list[Outcome]) -> bool:
        return False


@deviation(
    "best-effort-rolled-back",
    "4.1",
    "After a Migrate with code 0 the ports that have migrated stay migrated.",
    "one failed port rolls all others back",
)
class BestEffortRolledBack(Server):
    def must_roll_back(self, command: Command, outcomes: list[Outcome]) -> bool:
        return any(outcome.reason for outcome in outcomes)


@deviation(
    "atomic-ignored",
    "4.1",
    "A Migrate with code 1 is answered.",
    "a Migrate with code 1 is discarded",
)
class AtomicIgnored(Server):
    def is_request(self, code: int) -> bool:
        return code == 0


@deviation(
    "ports-swapped",
    "4.1",
    "Every previous port is remapped to the migrated port of its own entry.",
    "with several entries each gets the migrated port of the next",
)
class PortsSwapped(Server):
    def carry_out(self, command: Command) -> list[Outcome]:
        entries = command.message.entries
        shifted = tuple(
            entry._replace(migrated_port=entries[(index + 1) % len(entries)].migrated_port)
            for index, entry in enumerate(entries)
        )
        outcomes = super().carry_out(replace(command, message=replace(command.message, entries=shifted)))
        return [replace(outcome, entry=entry) for outcome, entry in zip(outcomes, entries, strict=True)]


@deviation(
    "first-entry-only",
    "4.1",
    "All n ports of a Migrate are remapped.",
    "only the first port is remapped, and success is reported for all",
)
class FirstEntryOnly(Server):
    def carry_out(self, command: Command) -> list[Outcome]:
        first, *others = command.message.entries
        outcomes = super().carry_out(replace(command, message=replace(command.message, entries=(first,))))
        return outcomes + [Outcome(entry) for entry in others]


@deviation(
    "twice-in-one-message",
    "4.1",
    "Of two entries with the same migrated port at most one succeeds.",
    "success is reported for an entry whose tuple an earlier entry of the message has taken",
)
class TwiceInOneMessage(Server):
    def carry_out(self, command: Command) -> list[Outcome]:
        taken: set[int] = set()
        outcomes = []
        for outcome in super().carry_out(command):
            repeated = outcome.entry.migrated_port in taken
            outcomes.append(replace(outcome, reason="") if repeated else outcome)
            taken.add(outcome.entry.migrated_port)
        return outcomes


@deviation(
    "port-twice-breaks-connection",
    "4.1",
    "Two entries with the same previous port leave the connection alive at exactly one tuple.",
    "they leave it alive at none",
)
class PortTwiceBreaksConnection(Server):
    def carry_out(self, command: Command) -> list[Outcome]:
        outcomes = super().carry_out(command)
        ports = Counter(entry.previous_port for entry in command.message.entries)
        for outcome in outcomes:
            if outcome.done is not None and ports[outcome.entry.previous_port] > 1:
                flow = outcome.done.flow
                flow.out_delta = (flow.out_delta + 1) % 0xFFFF
        return outcomes
