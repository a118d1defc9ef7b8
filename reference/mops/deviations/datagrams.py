# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations of a server with UDP sockets."""

import copy
from dataclasses import replace

from reference.bump.flows import Flow
from reference.bump.network import TCP, UDP
from reference.mops.context import last_move
from reference.mops.message import Entry, Migrate
from reference.mops.server import Command, Outcome, Server
from reference.system.alterations import deviation


@deviation(
    "udp-unique-id-low-half",
    "4.1",
    "The Unique ID of a UDP socket is compared for equality, all 32 bits.",
    "its low 16 bits are compared",
)
class UdpUniqueIdLowHalf(Server):
    def is_unique_id_right(self, flow: Flow, unique_id: int, identifier: int) -> bool:
        same_half = flow.protocol == UDP and (identifier ^ unique_id) & 0xFFFF == 0
        return same_half or super().is_unique_id_right(flow, unique_id, identifier)


@deviation(
    "udp-previous-port-ignored",
    "4.1",
    "A UDP socket is named by its previous port.",
    "it is found by its previous address alone",
)
class UdpPreviousPortIgnored(Server):
    def candidates(self, command: Command, entry: Entry, previous: int) -> list[Flow]:
        flows = self.flows_of(command)
        if flows is None or command.message.protocol != UDP:
            return super().candidates(command, entry, previous)
        return [flow for flow in flows.by_wire.values() if flow.wire_address == previous]


@deviation(
    "udp-migrates-once",
    "4.1",
    "A migrated UDP socket can migrate again.",
    "it migrates only once",
)
class UdpMigratesOnce(Server):
    def is_migratable(self, flow: Flow) -> bool:
        return (flow.protocol != UDP or last_move(flow) is None) and super().is_migratable(flow)


@deviation(
    "udp-first-entry-only",
    "4.1",
    "All UDP sockets of a Migrate are remapped.",
    "only the first one is, and success is reported for all",
)
class UdpFirstEntryOnly(Server):
    def carry_out(self, command: Command) -> list[Outcome]:
        first, *others = command.message.entries
        if command.message.protocol != UDP:
            return super().carry_out(command)
        outcomes = super().carry_out(replace(command, message=replace(command.message, entries=(first,))))
        return outcomes + [Outcome(entry) for entry in others]


@deviation(
    "udp-heard-at-the-old-tuple",
    "4.1",
    "After success a UDP socket takes nothing from the old tuple.",
    "it still does",
)
class UdpHeardAtTheOldTuple(Server):
    def migrate(self, command: Command, entry: Entry) -> Outcome:
        outcome, flows = super().migrate(command, entry), self.flows_of(command)
        if outcome.done is not None and flows is not None and command.message.protocol == UDP:
            shadow = copy.copy(outcome.done.flow)
            shadow.set_wire(outcome.done.address, outcome.done.port)
            flows.by_wire[shadow.wire] = shadow
        return outcome


@deviation(
    "udp-reply-says-tcp",
    "4.1",
    "The fields of a reply equal the request's, Code and Checksum excepted.",
    "Protocol of a reply is always that of TCP",
)
class UdpReplySaysTcp(Server):
    def reply_message(self, command: Command, code: int, entries: list[Entry]) -> Migrate:
        message = super().reply_message(command, code, entries)
        return replace(message, protocol=TCP) if message.protocol == UDP else message
