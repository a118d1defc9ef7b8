# SPDX-License-Identifier: GPL-2.0-or-later
"""The NAT router under test: the Migrates and replies that it passes on, and the connections after them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from conformance.mops.dut.acknowledging import ACKNOWLEDGEMENT, MIGRATE_TYPE, Acknowledgement, Acknowledging
from conformance.mops.dut.flows import Flow, Flows
from conformance.mops.migrate import CODES, ReceivedMigrate, entries_in, in_mops
from conformance.mops.tester.sides import Moved, Node, SentMessage, Server
from layers.mops import FAILED, SUCCESS, MOPSMigrate
from testbed.case.expect import preamble
from testbed.case.verdict import Broken, Finding
from testbed.interruptions import Inconclusive
from testbed.peers.connection import first_segment
from testbed.peers.segment import Segment
from testbed.peers.tcp import TcpPeer
from testbed.peers.through import Tuple
from testbed.wire import chance
from testbed.wire.capture import BEGINNING, Frame, Mark, Sent
from testbed.wire.clock import NANO
from testbed.wire.headers import UDP_PROTOCOL
from testbed.wire.station import Station

MARGIN_S = 0.5
"""How long before the end of a timer a case must have come to its own."""


@dataclass(frozen=True)
class Migration:
    """A Migrate through the device: as it was sent, and as it came to the server."""

    node: Node
    server: Server
    request: SentMessage
    came: ReceivedMigrate

    @property
    def mapped(self) -> list[Tuple]:
        """What the migrated tuples appear as, in the order of the entries."""
        return [(self.came.packet.src, migrated) for _, migrated, _ in self.came.entries]

    def reply(self, code: int = SUCCESS, **fields: Any) -> SentMessage:
        """The server replies; any field can be replaced."""
        return self.server.reply(self.came.message, self.came.packet.src, code, **fields)


class NatRouter(Acknowledging, Flows):
    """The device under test."""

    def check_in_time(self) -> None:
        """Inconclusive where the tester has taken so long that mappings may have ended by themselves."""
        case, mops = self._case, self._ixit.mops
        if case.setup.profile.ics.mops.nat_timers_settable:
            took_s = (case.clock.now_ns() - case.started_ns - case.waits_ns) / NANO
            if took_s > mops.nat_transitory_s - MARGIN_S:
                raise Inconclusive(f"the case has taken {took_s:.1f} s: mappings last {mops.nat_transitory_s:g} s")

    # Migrates

    def _migrates(self, station: Station, since: Mark, codes: Callable[[int], bool]) -> list[ReceivedMigrate]:
        network = station.network
        return [
            ReceivedMigrate(frame, packet, payload, network)
            for frame, payload in self.received_at(station, MIGRATE_TYPE, since)
            if isinstance((packet := network.dissect(frame.data)).payload, MOPSMigrate) and codes(packet.payload.code)
        ]

    def requests_at(self, station: Station, since: Mark) -> list[ReceivedMigrate]:
        """The Migrates, whatever they are like, that have come to a station since a mark, replies excepted."""
        return self._migrates(station, since, lambda code: code not in CODES)

    def replies_at(self, station: Station, since: Mark) -> list[ReceivedMigrate]:
        """The replies, whatever they are like, that have come to a station since a mark."""
        return self._migrates(station, since, lambda code: code in CODES)

    def _first(
        self, find: Callable[[Station, Mark], list[ReceivedMigrate]], at: Station, sent: SentMessage, what: str
    ) -> ReceivedMigrate:
        deadline = self._case.deadline(since_ns=sent.sent.ns)

        def fresh() -> list[ReceivedMigrate]:
            return [one for one in find(at, sent.since) if not one.frame.accounted]

        frame = self._case.look(lambda: next((one.frame for one in fresh()), None), deadline)
        if frame is None:
            reason = f"no {what} at {at.address} within {deadline.within_s:g} s"
            raise Broken(Finding(reason, "1", "0", frames=[sent.sent.frame]), deadline)
        came = fresh()[0]
        frame.account(what)
        return came

    def forwards(self, request: SentMessage, server: Server) -> ReceivedMigrate:
        """A Migrate comes to its server, in time."""
        return self._first(self.requests_at, server.station, request, "Migrate")

    def restores(self, reply: SentMessage, node: Node) -> ReceivedMigrate:
        """A reply comes to the node, in time."""
        return self._first(self.replies_at, node.station, reply, "Migrate reply")

    def forwarded(self, request: SentMessage, server: Server) -> ReceivedMigrate:
        """The Migrate that a case looks into, as preamble."""
        with preamble():
            return self.forwards(request, server)

    def restored(self, reply: SentMessage, node: Node) -> ReceivedMigrate:
        """The reply that a case looks into, as preamble."""
        with preamble():
            return self.restores(reply, node)

    def all_outside(self) -> list[ReceivedMigrate]:
        """Every Migrate and reply that has come on the outside."""
        return [one for at in self.outside.stations for one in self._migrates(at, BEGINNING, lambda _: True)]

    def fragments_at(self, station: Station, since: Mark) -> list[Frame]:
        """Fragments of packets with the number of messages that have come to a station since a mark."""
        network = station.network
        headers = [(frame, network.header(frame.data)) for frame in self._case.trace.received(since)]
        ends = network.icmp_protocol, station.number
        return [
            one
            for one, header in headers
            if header and header.fragment and (header.protocol, header.destination) == ends
        ]

    def sends_on(self, node: Node, server: Server, *moved: Moved, **fields: Any) -> Migration:
        """A Migrate of these connections comes to their server, which knows their tuples from then on; preamble."""
        with preamble():
            return self.passes_migrate(node, server, *moved, **fields)

    def passes_migrate(self, node: Node, server: Server, *moved: Moved, **fields: Any) -> Migration:
        """The same, where it is judged."""
        request = node.migrate(server, *moved, **fields)
        migration = Migration(node, server, request, self.forwards(request, server))
        if len(migration.mapped) < len(moved):
            raise Inconclusive(f"preamble: #{migration.came.frame.index} does not list all connections")
        for one, mapped in zip(moved, migration.mapped, strict=False):
            one.outer.follow_remote(mapped[0], request.since)
            one.outer.remote_port = mapped[1]
        return migration

    def migrates(self, node: Node, server: Server, *moved: Moved, **fields: Any) -> Migration:
        """A Migrate that is answered with success, which comes to the node; preamble."""
        with preamble():
            return self.takes_along(node, server, *moved, **fields)

    def takes_along(self, node: Node, server: Server, *moved: Moved, **fields: Any) -> Migration:
        """The same, where it is judged."""
        migration = self.passes_migrate(node, server, *moved, **fields)
        self.restores(migration.reply(), node)
        return migration

    def migrated_flows(self, node: Node, server: Server, number: int) -> list[Flow]:
        """Flows of UDP that were opened elsewhere, after a Migrate of theirs and its success; preamble."""
        with preamble():
            return self.takes_flows_along(node, server, number)

    def takes_flows_along(self, node: Node, server: Server, number: int) -> list[Flow]:
        """The same, where it is judged."""
        flows = [self.new_flow(node.at(), server.at()) for _ in range(number)]
        entries = [(1027 + one, flow.inner.port, chance.randbits(32)) for one, flow in enumerate(flows)]
        request = node.send(node.request(self.elsewhere()[0], entries, protocol=UDP_PROTOCOL), server)
        came = self.forwards(request, server)
        self.restores(server.reply(came.message, came.packet.src, SUCCESS), node)
        for flow, (_, migrated, _) in zip(flows, came.entries, strict=True):
            flow.outer.remote, flow.outer.remote_port = came.packet.src, migrated
        return flows

    def refuses(self, node: Node, server: Server, *moved: Moved) -> Migration:
        """A Migrate that is answered with failed, which comes to the node; preamble."""
        migration = self.sends_on(node, server, *moved)
        with preamble():
            self.restores(migration.reply(FAILED), node)
        return migration

    def continues(self, *moved: Moved, data: bytes = b"at the new place") -> None:
        """Data passes both ways on connections, unchanged and in order, the node's first."""
        for one in moved:
            self.delivers(one.inner, one.outer, data)
            self.delivers(one.outer, one.inner, data)

    def comes_out(self, moved: Moved, data: bytes = b"whose is this") -> Segment:
        """Data of the node comes to the server's host, from any tuple, in time; preamble."""
        sent, port = moved.inner.send(data), moved.outer.port
        deadline, since = self._case.deadline(since_ns=sent.ns), self._case.trace.mark_at(sent.frame)
        station = moved.outer.station
        segment = first_segment(
            self._case,
            lambda one: (one.destination, one.destination_port, one.data) == (station.address, port, data),
            deadline,
            since,
            station,
        )
        if segment is None:
            raise Inconclusive(f"preamble: no data of {moved.inner} came out")
        return segment

    def segment_from(self, source: str, inner: TcpPeer, since: Sent) -> Segment | None:
        """A segment from an address to a node's end since something was sent, from whatever port, if one has come."""
        found = (one for one in self.segments_to(inner, since) if one.source == source and one.data)
        return next(found, None)

    def segments_to(self, end: TcpPeer, since: Sent) -> list[Segment]:
        """Every segment to an end's address and port since something was sent, wherever it comes from."""
        station = end.station
        frames = self._case.trace.received(self._case.trace.mark_at(since.frame))
        segments = (Segment.read(frame, station.network) for frame in frames)
        wanted = station.address, end.port
        return [one for one in segments if one and (one.destination, one.destination_port) == wanted]

    # Acknowledgements of a Migrate

    def moment(self, migration: Migration) -> SentMessage:
        """What the device acknowledges: the Migrate, or the success, which the server then sends; preamble."""
        if self._ixit.mops.nat_ack_on == "migrate":
            return migration.request
        reply = migration.reply()
        with preamble():
            self.restores(reply, migration.node)
        return reply

    def acknowledges_all(
        self, migration: Migration, within_s: float = 0, moment: SentMessage | None = None
    ) -> list[Acknowledgement]:
        """Every entry of a Migrate is acknowledged in time, in one message or in several."""
        moment, station = moment or self.moment(migration), migration.node.station
        wanted = {
            (in_mops(migration.node.address), migrated) for _, migrated, _ in entries_in(migration.request.octets)
        }
        deadline = self._case.deadline(within_s or self._ixit.mops.reply_within_s, moment.sent.ns)

        def find() -> Frame | None:
            found = self.acknowledgements(station, moment.since)
            named = {original for one in found for original, _ in one.pairs}
            return found[-1].frame if named >= wanted else None

        frame = self._case.look(find, deadline)
        found = self.acknowledgements(station, moment.since)
        if frame is None:
            missing = sorted(wanted - {original for one in found for original, _ in one.pairs})
            reason = (
                f"no NAT acknowledgement of {len(missing)} of {len(wanted)} mappings within {deadline.within_s:g} s"
            )
            raise Broken(Finding(reason, f"{wanted}", f"without {missing}", frames=[moment.sent.frame]), deadline)
        self._case.answered(ACKNOWLEDGEMENT, moment.sent.ns, frame.ns)
        return found

    # Silence

    def request_barrier(self) -> None:
        """Every message from the inside has been dealt with: a Migrate that has to be sent on has come out after it."""
        self._migrate_control()

    def reply_barrier(self) -> None:
        """Every message from the outside has been dealt with: a success that has to be sent on has come in after it."""
        control = self._migrate_control()
        try:
            self.restores(control.reply(), control.node)
        except Broken as broken:
            raise Inconclusive(f"barrier: a right success: {broken.finding.reason}") from None

    def _migrate_control(self) -> Migration:
        node, server = Node(self._case), Server(self._case)
        moved = node.bring(server, self.elsewhere())
        request = node.migrate(server, moved)
        try:
            return Migration(node, server, request, self.forwards(request, server))
        except Broken as broken:
            raise Inconclusive(f"barrier: a right Migrate: {broken.finding.reason}") from None

    def elsewhere(self) -> Tuple:
        """A tuple that a node could have had before, where the device is not on its way."""
        return self.outside.station().address, next(self._case.setup.source_ports)

    def brings(self, node: Node, server: Server, number: int) -> list[Moved]:
        """So many connections of a node that were opened at one address elsewhere."""
        address, port = self.elsewhere()
        return [node.bring(server, (address, port + one)) for one in range(number)]

    def leaves_nothing(self, request: SentMessage, server: Server) -> None:
        """After a right Migrate of others has come out nothing of this one has."""
        self.request_barrier()
        self.quiets()
        self._require_none("Migrate", [*self.requests_at(server.station, request.since)], request)

    def passes_no_reply(self, reply: SentMessage, *nodes: Node) -> None:
        """After a right reply to others has come in this one has come to none of these nodes."""
        self.reply_barrier()
        self.quiets()
        for node in nodes:
            self._require_none("Migrate reply", self.replies_at(node.station, reply.since), reply)

    def _require_none(self, what: str, came: list[ReceivedMigrate], sent: SentMessage) -> None:
        for one in came:
            if not one.frame.accounted:
                finding = Finding(f"unexpected {what} #{one.frame.index}", "none", one.message.summary())
                raise Broken(finding, one.frame.account("must not be sent"), sent.sent.frame)
