# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations in which socket a command is taken to mean, and which tuple it may have."""

from reference.bump.flows import Flow, Flows
from reference.bump.tcp import State
from reference.mops.context import last_move
from reference.mops.message import Entry
from reference.mops.server import Command, Server
from reference.system.alterations import deviation


@deviation(
    "previous-address-ignored",
    "4.1",
    "A Migrate with a wrong Previous Source Address is refused.",
    "a socket is found by its previous port alone",
)
class PreviousAddressIgnored(Server):
    def candidates(self, command: Command, entry: Entry, previous: int) -> list[Flow]:
        flows = self.flows_of(command) or Flows()
        return [flow for flow in flows.by_wire.values() if flow.wire_port == entry.previous_port]


@deviation(
    "previous-port-ignored",
    "4.1",
    "A Migrate with a wrong Previous Source Port is refused.",
    "a socket is found by its previous address alone",
)
class PreviousPortIgnored(Server):
    def candidates(self, command: Command, entry: Entry, previous: int) -> list[Flow]:
        flows = self.flows_of(command) or Flows()
        return [flow for flow in flows.by_wire.values() if flow.wire_address == previous]


@deviation(
    "protocol-ignored",
    "4.1",
    "A Migrate moves sockets of the protocol it names only; UDP without a Unique ID never migrates.",
    "TCP sockets migrate whatever protocol is named",
)
class ProtocolIgnored(Server):
    def flows_of(self, command: Command) -> Flows | None:
        return command.network.flows


@deviation(
    "half-open-migrates",
    "4.1",
    "Only opened sockets are remapped.",
    "a connection whose handshake is not complete migrates",
)
class HalfOpenMigrates(Server):
    def is_migratable(self, flow: Flow) -> bool:
        return flow.tcp.state is State.SYN_RECEIVED or super().is_migratable(flow)


@deviation(
    "closed-migrates",
    "4.1",
    "A Migrate for a connection that is closed already is refused.",
    "a connection in TIME-WAIT or just closed migrates with success",
)
class ClosedMigrates(Server):
    def is_migratable(self, flow: Flow) -> bool:
        return flow.tcp.state in (State.TIME_WAIT, State.CLOSED) or super().is_migratable(flow)


@deviation(
    "tuple-in-use-taken",
    "4.1",
    "A Migrate to a tuple that another connection uses is refused, and both connections continue.",
    "the migrating connection takes the tuple from the other one",
)
class TupleInUseTaken(Server):
    def is_in_use(self, flows: Flows, flow: Flow, address: int, port: int) -> bool:
        return False


@deviation(
    "migrates-once",
    "4.1",
    "A migrated connection can migrate again.",
    "a connection migrates only once",
)
class MigratesOnce(Server):
    def is_migratable(self, flow: Flow) -> bool:
        return last_move(flow) is None and super().is_migratable(flow)
