# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations that show with many connections, several services, or connections opened by the server."""

from dataclasses import replace

from reference.bump.flows import Flow
from reference.mops.context import mobile
from reference.mops.message import Entry
from reference.mops.server import Command, Outcome, Server
from reference.system.alterations import deviation

_MOST = 16
_LONGEST_LIST = 100


@deviation(
    "sixteen-entries-at-most",
    "4.1",
    "All n ports of a Migrate are remapped.",
    "the first 16 are, and success is reported for all",
)
class SixteenEntriesAtMost(Server):
    def carry_out(self, command: Command) -> list[Outcome]:
        entries = command.message.entries
        few = replace(command, message=replace(command.message, entries=entries[:_MOST]))
        known = {entry for entry in entries[_MOST:] if self.candidates(command, entry, command.previous or 0)}
        return super().carry_out(few) + [
            Outcome(entry, "" if entry in known else "no such socket") for entry in entries[_MOST:]
        ]


@deviation(
    "one-service-at-a-time",
    "4.1",
    "A Migrate remaps the node's connections to all services that it lists.",
    "only those to the service of the first one are remapped",
)
class OneServiceAtATime(Server):
    def candidates(self, command: Command, entry: Entry, previous: int) -> list[Flow]:
        first = super().candidates(command, command.message.entries[0], previous)
        moved = self._of_peer(command, command.migrated or 0, command.message.entries[0].migrated_port)
        services = {flow.own_port for flow in first + moved}
        return [flow for flow in super().candidates(command, entry, previous) if flow.own_port in services]


@deviation(
    "opened-connections-stay",
    "4.1",
    "A connection that the server has opened migrates like one that it has accepted.",
    "only those that it has accepted migrate",
)
class OpenedConnectionsStay(Server):
    def is_migratable(self, flow: Flow) -> bool:
        context = mobile(flow)
        return (context is None or not context.is_active) and super().is_migratable(flow)


@deviation(
    "long-failed-list-cut",
    "4.1",
    "A failed reply lists all ports that failed.",
    "it lists no more than a hundred",
)
class LongFailedListCut(Server):
    def failed_entries(self, command: Command, failed: list[Entry]) -> list[Entry]:
        return failed[:_LONGEST_LIST]


@deviation(
    "port-twice-both-succeed",
    "4.1",
    "Entries whose tuple the connection is not at are listed as failed.",
    'a second entry with one previous port is answered "success"',
)
class PortTwiceBothSucceed(Server):
    def carry_out(self, command: Command) -> list[Outcome]:
        outcomes = super().carry_out(command)
        return [replace(one, reason="") if one.reason == "port occurs twice" else one for one in outcomes]
