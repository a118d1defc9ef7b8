# SPDX-License-Identifier: GPL-2.0-or-later
"""The device under test as the host that moves: its Migrate SYNs, and how the connection resumes."""

from itertools import islice

from conformance.migrate.dut.server import DutServer
from conformance.migrate.segment import Migrate, MigrateSegment
from conformance.migrate.tester.connection import Connection
from conformance.migrate.tester.host import MigrateHost
from testbed.case.expect import preamble
from testbed.case.verdict import Broken, Finding
from testbed.interruptions import Inconclusive
from testbed.peers.connection import first_segment
from testbed.peers.host import Move
from testbed.peers.segment import Segment
from testbed.peers.tcp import TcpPeer
from testbed.wire.capture import Frame, Mark
from testbed.wire.clock import Deadline


class DutNode(DutServer):
    """The device under test as either host of a migration."""

    def find_migrate(
        self, end: TcpPeer, since: Mark, deadline: Deadline, source: str = ""
    ) -> tuple[MigrateSegment, Migrate] | None:
        """The first segment with Migrate to this end since a mark, from whatever port, if it comes in time."""
        kind = self._numbers.option_kind

        def wanted(segment: Segment) -> bool:
            is_here = (segment.destination, segment.destination_port) == (end.station.address, end.port)
            from_there = source in ("", segment.source) and self.is_intact(segment)
            return is_here and from_there and MigrateSegment.of(segment).migrate(kind) is not None

        first = first_segment(self._case, wanted, deadline, since, end.station)
        found = MigrateSegment.of(first) if first else None
        option = found.migrate(kind) if found else None
        return (found, option) if found and option else None

    def _first_deadline(self, move: Move) -> Deadline:
        return self._case.deadline(self._numbers.migrate_within_s, move.done_ns)

    def requests(self, connection: Connection, move: Move) -> tuple[MigrateSegment, Migrate]:
        """A Migrate SYN comes from the new address in time."""
        deadline = self._first_deadline(move)
        found = self.find_migrate(connection.local, move.mark, deadline, move.new)
        if found is None:
            came = ", ".join(map(str, self.segments(connection.local, move.mark))) or "silence"
            reason = f"no Migrate SYN received at {connection.local} within {deadline.within_s} s"
            raise Broken(Finding(reason, f"Migrate SYN from {move.new}", came), deadline)
        found[0].frame.account("Migrate SYN")
        return found

    def await_request(self, connection: Connection, move: Move) -> tuple[MigrateSegment, Migrate]:
        """The Migrate SYN that a case looks into, as preamble."""
        try:
            return self.requests(connection, move)
        except Broken:
            raise Inconclusive("preamble: no Migrate SYN received from the DUT", repeat=False) from None

    def requests_each(self, connections: list[Connection], move: Move) -> None:
        """A Migrate SYN for each of these connections comes from the new address in time."""
        kind, deadline = self._numbers.option_kind, self._first_deadline(move)
        left = {(one.local.station.address, one.local.port) for one in connections}
        seen: list[Frame] = []

        def all_came() -> Frame | None:
            news = list(islice(self._case.trace.received(move.mark), len(seen), None))
            seen.extend(news)
            for one in filter(None, (Segment.read(frame, self._case.network) for frame in news)):
                if one.source == move.new and self.is_intact(one) and MigrateSegment.of(one).migrate(kind):
                    left.discard((one.destination, one.destination_port))
            return None if left else seen[-1]

        if self._case.look(all_came, deadline) is None:
            came = len(connections) - len(left)
            raise Broken(Finding("connections asked for", str(len(connections)), str(came)), deadline)

    def repeats(self, connection: Connection, last: MigrateSegment) -> tuple[MigrateSegment, Migrate]:
        """Another Migrate SYN comes in time after one that nobody has answered."""
        mark = self._case.trace.mark_after(last.frame)
        deadline = self._case.deadline(self._numbers.retry_within_s, last.frame.ns)
        found = self.find_migrate(connection.local, mark, deadline)
        if found is None:
            reason = f"Migrate SYN #{last.frame.index} not repeated within {deadline.within_s} s"
            raise Broken(Finding(reason, "Migrate SYN", "none", frames=[last.frame]), deadline)
        return found

    def acknowledges_syn_ack(self, connection: Connection, move: Move, sent_ns: int) -> MigrateSegment:
        """The SYN-ACK of the tester is acknowledged from the new address: the handshake is complete."""
        deadline = self._case.deadline(since_ns=sent_ns)
        found = self.await_segment(
            connection.local, move.mark, lambda one: one.source == move.new and "S" not in one.flags, deadline
        )
        if found is None:
            raise Broken(Finding(f"SYN-ACK from {connection.local} not acknowledged", "an ACK", "none"), deadline)
        return found

    def resumes(self, node: MigrateHost, connection: Connection, move: Move, syn: MigrateSegment) -> None:
        """The tester answers the Migrate SYN; the connection carries data at the new address."""
        connection.local.follow_remote(move.new, move.mark)
        node.answer_migrate(connection, syn)
        self.serves(connection)

    def complete_move(self, node: MigrateHost, connection: Connection) -> tuple[MigrateSegment, Migrate]:
        """Move the device, follow it, and see that the connection carries data, as preamble."""
        move = self.move()
        syn, option = self.await_request(connection, move)
        with preamble("the connection does not follow an ordinary move"):
            self.resumes(node, connection, move, syn)
        return syn, option
