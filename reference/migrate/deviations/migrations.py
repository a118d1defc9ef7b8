# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations of a host whose peer moves: what a right Migrate SYN leads to."""

from reference.bump.flows import Flow
from reference.bump.tcp import FIN, RST
from reference.migrate.context import Context, Segment, SlowStart, context_of
from reference.migrate.datapath import MigrateDatapath
from reference.migrate.host import FixedHost
from reference.migrate.option import Migrate
from reference.system.alterations import deviation

MANY = 16


@deviation(
    "migrate-syn-not-answered",
    "2",
    "A Migrate SYN with valid Token and Request is answered by a SYN-ACK at the new tuple.",
    "the connection is at the new tuple, and no SYN-ACK says so",
)
class MigrateSynNotAnswered(FixedHost):
    def send_syn_ack(self, flow: Flow, context: Context) -> None:
        context.syn_acks += 1


@deviation(
    "migrate-opened-connections-stay",
    "2",
    "After the Migrate handshake the connection goes on at the new tuple.",
    "one that the host has opened is answered for, and stays",
)
class OpenedConnectionsStay(FixedHost):
    def peer_moved(self, flow: Flow, context: Context, segment: Segment) -> None:
        old = flow.wire_address, flow.wire_port
        super().peer_moved(flow, context, segment)
        if context.is_active:
            context.awaits_ack = False
            self.flows.place(flow, *old, flow.own_port)


@deviation(
    "migrate-nine-migrations-at-most",
    "2",
    "A connection can migrate again.",
    "its tenth migration is refused",
)
class NineMigrationsAtMost(FixedHost):
    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._served: dict[Flow, int] = {}

    def find(self, option: Migrate, segment: Segment) -> Flow | None:
        flow = super().find(option, segment)
        return None if flow is not None and self._served.get(flow, 0) >= 9 else flow

    def peer_moved(self, flow: Flow, context: Context, segment: Segment) -> None:
        self._served[flow] = self._served.get(flow, 0) + 1
        super().peer_moved(flow, context, segment)


@deviation(
    "migrate-no-way-back",
    "2",
    "A connection can migrate back to its first address.",
    "a tuple that it has had before is refused",
)
class NoWayBack(FixedHost):
    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._had: dict[Flow, list[tuple[int, int, int]]] = {}

    def is_in_use(self, flow: Flow, segment: Segment) -> bool:
        return segment.tuple in self._had.get(flow, []) or super().is_in_use(flow, segment)

    def peer_moved(self, flow: Flow, context: Context, segment: Segment) -> None:
        if flow.wire != segment.tuple:
            self._had.setdefault(flow, []).append(flow.wire)
        super().peer_moved(flow, context, segment)


@deviation(
    "migrate-peer-keeps-its-port",
    "2",
    "The Migrate SYN is served from another port as well as from another address.",
    "from another port it is refused",
)
class PeerKeepsItsPort(FixedHost):
    def find(self, option: Migrate, segment: Segment) -> Flow | None:
        flow = super().find(option, segment)
        return None if flow is not None and flow.wire_port != segment.port else flow


@deviation(
    "migrate-token-at-any-port",
    "2",
    "Where a Token is looked up at the port, a Migrate SYN to another one gets a reset.",
    "it moves the connection, own port and all",
)
class TokenAtAnyPort(FixedHost):
    def is_port_right(self, flow: Flow, segment: Segment) -> bool:
        return True


@deviation(
    "migrate-old-tuple-reset",
    "basic",
    "At the moment of the migration the old tuple gets no segment.",
    "it gets a reset",
)
class OldTupleReset(FixedHost):
    def peer_moved(self, flow: Flow, context: Context, segment: Segment) -> None:
        if flow.wire != segment.tuple:
            self.mechanics.originate(flow, context.next, 0, RST)
        super().peer_moved(flow, context, segment)


@deviation(
    "migrate-old-tuple-closed-where-data-is-outstanding",
    "basic",
    "At the moment of the migration the old tuple gets no segment.",
    "where data is not acknowledged it gets a FIN",
)
class OldTupleClosed(FixedHost):
    def peer_moved(self, flow: Flow, context: Context, segment: Segment) -> None:
        if flow.wire != segment.tuple and context.next != context.acknowledged:
            self.mechanics.originate(flow, context.next, flow.tcp.rcv_nxt, FIN | 0x10)
        super().peer_moved(flow, context, segment)


@deviation(
    "migrate-data-to-the-old-tuple-too",
    "2",
    "After the migration no segments are sent to the old tuple.",
    "an acknowledgement goes there when the SYN-ACK was acknowledged",
)
class DataToTheOldTupleToo(FixedHost):
    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._before: dict[Flow, tuple[int, int]] = {}

    def peer_moved(self, flow: Flow, context: Context, segment: Segment) -> None:
        self._before[flow] = flow.wire_address, flow.wire_port
        super().peer_moved(flow, context, segment)

    def accounted(self, flow: Flow, segment: Segment) -> None:
        super().accounted(flow, segment)
        context = context_of(flow)
        if segment.length and flow in self._before and context is not None:
            now = flow.wire_address, flow.wire_port
            flow.set_wire(*self._before[flow])
            self.mechanics.acknowledge(flow)
            flow.set_wire(*now)


@deviation(
    "migrate-all-connections-of-the-peer-move",
    "basic",
    "A Migrate SYN moves the connection that its Token names, and no other.",
    "all connections from the old address move, each with its port",
)
class AllConnectionsOfThePeerMove(FixedHost):
    def peer_moved(self, flow: Flow, context: Context, segment: Segment) -> None:
        others = [one for one in self.flows.by_wire.values() if one.wire_address == flow.wire_address]
        super().peer_moved(flow, context, segment)
        for other in others:
            if other is not flow:
                self.flows.rebind(other, segment.address, other.wire_port)


@deviation(
    "migrate-sixteen-connections-of-a-peer-move",
    "basic",
    "A Migrate SYN moves the connection that its Token names.",
    "sixteen of one address move at most",
)
class SixteenConnectionsOfAPeerMove(FixedHost):
    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._moved: dict[int, int] = {}

    def find(self, option: Migrate, segment: Segment) -> Flow | None:
        return super().find(option, segment) if self._moved.get(segment.address, 0) < MANY else None

    def peer_moved(self, flow: Flow, context: Context, segment: Segment) -> None:
        self._moved[segment.address] = self._moved.get(segment.address, 0) + 1
        super().peer_moved(flow, context, segment)


@deviation(
    "migrate-half-closed-does-not-migrate",
    "basic",
    "A connection on which one host has sent its FIN migrates.",
    "its Token names none",
)
class HalfClosedDoesNotMigrate(FixedHost):
    def find(self, option: Migrate, segment: Segment) -> Flow | None:
        flow = super().find(option, segment)
        return None if flow is None or flow.tcp.is_half_closed else flow


@deviation(
    "migrate-shut-window-stays-shut",
    "2",
    "The streams go on across the migration.",
    "a window that is shut at the migration stays shut",
)
class ShutWindowStaysShut(FixedHost):
    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._shut: set[Flow] = set()

    def peer_moved(self, flow: Flow, context: Context, segment: Segment) -> None:
        super().peer_moved(flow, context, segment)
        if not context.peer_window:
            self._shut.add(flow)

    def incoming(self, segment: Segment, now: float) -> Flow | None:
        flow = super().incoming(segment, now)
        return None if flow in self._shut and not segment.length else flow


@deviation(
    "migrate-application-sees-the-migration",
    "2",
    "The application keeps the socket it has: no error and no end of stream.",
    "a connection that is resumed out of MIGRATE-WAIT ends for its application",
)
class ApplicationSeesTheMigration(FixedHost):
    def peer_moved(self, flow: Flow, context: Context, segment: Segment) -> None:
        was_waiting = context.wait_until is not None
        super().peer_moved(flow, context, segment)
        if was_waiting:
            self.mechanics.tell_kernel(flow, RST)


@deviation(
    "migrate-held-data-never-sent",
    "2",
    "The streams go on across the migration without a byte lost.",
    "what the application says while the connection is silent is never sent",
)
class HeldDataNeverSent(SlowStart):
    def hold(self, sequence: int, packet: bytes) -> None:
        self.kept = {*getattr(self, "kept", ()), sequence} if not self.outstanding else getattr(self, "kept", set())
        super().hold(sequence, packet)

    def admits(self, sequence: int, length: int) -> bool:
        return sequence not in getattr(self, "kept", ()) and super().admits(sequence, length)


@deviation(
    "migrate-timestamps-end-with-the-migration",
    "basic",
    "Options agreed on at the opening are those of the connection after the migration.",
    "its data has no timestamps any more",
)
class TimestampsEndWithTheMigration(MigrateDatapath):
    def later_options(self, context: Context, options: bytes, length: int) -> bytes | None:
        return b"" if length and context.peer_reqno is not None else super().later_options(context, options, length)
