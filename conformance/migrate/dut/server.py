# SPDX-License-Identifier: GPL-2.0-or-later
"""The device under test as the host whose peer moves: it follows Migrate SYNs, refuses others, waits."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from conformance.migrate.segment import MigrateSegment
from conformance.migrate.tester.connection import Connection, SentMigrate
from conformance.migrate.tester.host import MigrateHost
from conformance.migrate.tester.opener import INITIAL_WINDOW
from testbed.case.expect import preamble
from testbed.case.verdict import Broken, Finding, require, require_none
from testbed.device.application import END_OF_STREAM, Socket
from testbed.interruptions import Inconclusive, NotApplicable
from testbed.peers.connection import await_state
from testbed.peers.flight import first_flight
from testbed.peers.host import MobileHost
from testbed.peers.segment import Segment
from testbed.peers.sequence import SEQUENCE_SPACE
from testbed.peers.stream import send_stream
from testbed.peers.tcp import TcpPeer
from testbed.wire.capture import BEGINNING, Mark
from testbed.wire.clock import NANO, Deadline

RETRANSMITTED_WITHIN_S = 10.0
"""The timer of RFC 6298 doubles: after some seconds of loss it takes as many again."""


SPARE_S = 0.3
"""Of MIGRATE-WAIT: what is sent has to come to the device, and it has to look at it, before it ends."""


class DutServer(MobileHost):
    """The device under test as the fixed host of a migration."""

    @property
    def _numbers(self) -> Any:
        return self._ixit.migrate

    def segments(self, end: TcpPeer, since: Mark = BEGINNING, source: str = "") -> list[MigrateSegment]:
        """Every segment to this end since a mark, from any address of the device or from `source`."""
        return [MigrateSegment.of(one) for one in super().segments(end, since, source)]

    def is_intact(self, segment: Segment) -> bool:
        """Whether the checksum of a segment is right, as far as can be told."""
        frame = segment.frame
        return not frame.judgeable_checksum or segment.network.tcp_checksum_ok(frame.data)

    def await_segment(
        self, end: TcpPeer, since: Mark, wanted: Callable[[Segment], Any], deadline: Deadline | None = None
    ) -> MigrateSegment | None:
        """The first segment to this end since a mark that is wanted and intact, if it comes in time."""
        found = super().await_segment(end, since, lambda one: self.is_intact(one) and wanted(one), deadline)
        return MigrateSegment.of(found) if found else None

    # Migrate SYNs

    def answers(self, node: MigrateHost, sent: SentMigrate) -> MigrateSegment:
        """A Migrate SYN is answered by a SYN-ACK to where it came from."""
        found = node.find_syn_ack(sent)
        if found is None:
            deadline = self._case.deadline(since_ns=sent.ns)
            came = ", ".join(map(str, self.segments(sent.end, sent.mark))) or "silence"
            finding = Finding(f"no SYN-ACK received at {sent.end}", "SYN-ACK", came, frames=[sent.frame])
            raise Broken(finding, deadline)
        found.frame.account("SYN-ACK of a migration")
        return found

    def follows(self, node: MigrateHost, connection: Connection, sent: SentMigrate, **choices: Any) -> None:
        """A Migrate SYN moves the connection, which carries data where it came from."""
        with self.control():
            node.complete(connection, sent, self.answers(node, sent), **choices)
            self.serves(connection)

    def resets(self, sent: SentMigrate) -> None:
        """A reset answers a SYN where it came from: one that its sender believes (RFC 9293, 3.10.7.3)."""
        deadline = self._case.deadline(since_ns=sent.ns)
        after_it = (sent.sequence + 1 + len(sent.crafted.data) + ("F" in sent.crafted.header["flags"])) % SEQUENCE_SPACE
        found = self.await_segment(sent.end, sent.mark, lambda one: True, deadline)
        if found is None or not found.is_reset:
            finding = Finding(f"answer to the SYN from {sent.end}", "a reset", str(found or "silence"))
            raise Broken(finding, found.frame if found else deadline, sent.frame)
        require("A" in found.flags and found.ack == after_it, "reset of the SYN", after_it, found, found.frame)

    def does_not_move(self, connection: Connection, sent: SentMigrate, data: bytes = b"where it was") -> None:
        """Nothing but resets comes to where the connection would have moved to, and it continues where it is."""
        self.expect_silence(sent.end, sent.mark)
        self.is_dead_at(sent.end, connection)
        self.serves(connection, data=data)
        self.judge_silence(sent.end, sent.mark)
        self.moves_an_ordinary_connection()

    def is_no_move(self, connection: Connection, sent: SentMigrate, data: bytes = b"where it was") -> None:
        """The connection continues where it is, and no data of it comes to where a segment was sent from.

        Whatever else that segment is worth an answer of may come there: a SYN is one.
        """
        self.quiesce()
        self.serves(connection, data=data)
        frames = [one.frame for one in self.segments(sent.end, sent.mark) if one.data]
        require_none(f"segments with data to {sent.end}", frames)
        self.moves_an_ordinary_connection()

    def is_dead_at(self, end: TcpPeer, connection: Connection) -> None:
        """The connection's next data, sent from another end, is answered with a reset or not at all."""
        mark = self._case.mark()
        there = connection.local.at(end.station, end.port)
        there.transmit(there.segment("PA", b"whose bytes are these"))
        self.expect_silence(there, mark)

    def moves_an_ordinary_connection(self) -> None:
        """That nothing has moved says something: an ordinary Migrate SYN moves an ordinary connection, as preamble."""
        node = MigrateHost(self._case)
        connection = node.connect()
        node.migrate(connection)
        with preamble("an ordinary Migrate SYN moves nothing"):
            self.serves(connection)

    @contextmanager
    def control(self) -> Iterator[None]:
        """What is broken inside is broken only at a device that moves an ordinary connection."""
        try:
            yield
        except Broken:
            self.moves_an_ordinary_connection()
            raise

    def starts_slowly(self, connection: Connection) -> None:
        """The first flight of the device after a migration is at most the initial window; the connection ends so."""
        mark = self._case.mark()
        flight = first_flight(self._case, connection.local, connection.socket, self.barrier)
        for last in [one.frame for one in self.segments(connection.local, mark) if one.data][-1:]:
            require(flight <= INITIAL_WINDOW, "bytes of the first flight", f"at most {INITIAL_WINDOW}", flight, last)

    # Connections

    def serves(self, *peers: TcpPeer | Connection, data: bytes = b"still there") -> None:
        """Data flows on connections, both ways and byte-exact, where both ends are now."""
        for peer in peers:
            if isinstance(peer, TcpPeer):
                super().serves(peer, data=data)
                continue
            sent = send_stream(self._case, peer.local, data)
            if peer.application:
                self.application_reads(peer.application, data)
                self.delivers_on(peer, data, peer.application.send(data))
            else:
                self.delivers_on(peer, data, sent.ns)

    def delivers_on(self, connection: Connection, data: bytes, since_ns: int) -> None:
        """`data`, sent or asked for before, is what the connection's stream brings next, in time."""
        connection.expect(self._case, data, self._case.deadline(since_ns=since_ns))

    def retransmits(self, connection: Connection, data: bytes) -> None:
        """`data`, which was lost on the way or withheld, comes on the connection."""
        connection.expect(self._case, data, self._case.deadline(RETRANSMITTED_WITHIN_S))

    def sends_fin(self, connection: Connection) -> None:
        """The device sends its FIN."""
        deadline = self._case.deadline()
        if self.await_segment(connection.local, BEGINNING, lambda one: "F" in one.flags, deadline) is None:
            raise Broken(Finding(f"connection to {connection.local} not closed", "FIN", "none"), deadline)

    def acknowledges_fin(self, end: TcpPeer) -> None:
        """The FIN that this end sends now is acknowledged there."""
        mark, deadline = self._case.mark(), self._case.deadline(since_ns=end.finish().ns)
        if self.await_segment(end, mark, lambda one: one.ack == end.snd_nxt and not one.is_reset, deadline) is None:
            raise Broken(Finding(f"FIN from {end} not acknowledged", "acknowledgement", "none"), deadline)

    def receive_without_ack(self, connection: Connection, data: bytes) -> None:
        """Take in the echo of data without acknowledging it, as preamble."""
        peer, expected = connection.local, len(connection.local.stream) + len(data)
        deadline = self._case.deadline(since_ns=peer.send(data).ns)
        if await_state(self._case, peer, deadline, lambda: len(peer.stream) >= expected) is None:
            raise Inconclusive(f"preamble: no echo received within {deadline.within_s:g} s")
        connection.taken = expected

    def delivers_without_ack(self, connection: Connection, data: bytes) -> int:
        """The application sends data, which is taken in and not acknowledged, as preamble; when it was asked to."""
        peer, expected = connection.local, len(connection.local.stream) + len(data)
        asked_ns = connection.socket.send(data)
        deadline = self._case.deadline(since_ns=asked_ns)
        if await_state(self._case, peer, deadline, lambda: len(peer.stream) >= expected) is None:
            raise Inconclusive(f"preamble: no data received within {deadline.within_s:g} s")
        connection.taken = expected
        return asked_ns

    # MIGRATE-WAIT

    def reset_by_its_peer(self, connection: Connection, judged: bool = False) -> int:
        """Who has the address of the connection's peer now resets it, as RFC 9293 asks; when.

        That it does not end the connection is preamble, unless a case judges it.
        """
        end = connection.local
        end.read()
        ns = end.transmit(end.segment("R")).ns
        self.barrier()
        if connection.application and not judged:
            with preamble("a reset ends the connection"):
                self.has_no_end(connection.socket)
        return ns

    def wait_s(self) -> float:
        """How long MIGRATE-WAIT lasts; NotApplicable where the profile does not say."""
        if self._numbers.wait_s is None:
            raise NotApplicable(f"{self._case.setup.profile.path}: ixit.migrate.wait_s is not stated")
        return float(self._numbers.wait_s)

    def still_waits(self, since_ns: int) -> None:
        """MIGRATE-WAIT, entered then, cannot be over yet; Inconclusive if it can."""
        wait_s = self._numbers.wait_s
        if wait_s is not None and self._case.clock.now_ns() - since_ns >= (wait_s - SPARE_S) * NANO:
            raise Inconclusive(f"MIGRATE-WAIT may be over: the case took nearly {wait_s} s to come here")

    def has_no_end(self, socket: Socket) -> None:
        """The application sees neither an error nor the end of the stream."""
        deadline = self._case.deadline()
        said = socket.error()
        require(not said, "what the application's socket says", "nothing", said, deadline)

    def reports_the_end(self, socket: Socket, within_s: float, since_ns: int) -> int:
        """The application sees an error of its socket or the end of the stream in time; when that was known."""
        deadline = self._case.deadline(within_s, since_ns)
        for _ in self.app.polls((deadline.end_ns - self._case.clock.now_ns()) / NANO):
            if socket.error():
                return self._case.clock.now_ns()
        reason = f"no end of the connection reported to the application within {within_s:.1f} s"
        raise Broken(Finding(reason, f"an error or the {END_OF_STREAM}", "an open socket"), deadline)
