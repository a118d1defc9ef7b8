# SPDX-License-Identifier: GPL-2.0-or-later
"""The device under test as a Rehash host: it follows a move of its peer, and announces its own."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from conformance.rehash.dut.endpoint import Endpoint
from conformance.rehash.segment import Option, RehashSegment
from conformance.rehash.tester.connection import Connection, SentSegment
from conformance.rehash.tester.host import INITIAL_WINDOW, MSS, RehashHost
from testbed.case.expect import preamble
from testbed.case.verdict import Broken, Finding, require
from testbed.interruptions import Inconclusive, NotApplicable
from testbed.peers.flight import first_flight
from testbed.peers.host import Move
from testbed.peers.tcp import TcpPeer
from testbed.wire.clock import Deadline


@dataclass(frozen=True)
class AnnouncedMove:
    """A move of the device, the data that its application has sent since, and the REHASH-ADDR that announced it."""

    move: Move
    data: bytes
    asked_ns: int
    segment: RehashSegment
    rehash_addr: Option


class DutHost(Endpoint):
    """The device under test in the role of a Rehash host."""

    # The tester moves

    def rehashes(self, connection: Connection, sent: SentSegment, data: bytes = b"at the new address") -> None:
        """The connection continues where REHASH-ADDR has moved it to; Inconclusive if no REHASH-ADDR moves any."""
        with self.rehash_control():
            self.continues(connection, sent, data)

    def continues(self, connection: Connection, sent: SentSegment, data: bytes = b"at the new address") -> None:
        """The connection carries data where REHASH-ADDR has moved it to, its own data, retransmitted, included."""
        connection.rebind(sent)
        if sent.data:
            connection.local.retransmit(sent.data)
        if sent.data and connection.application:
            self.application_reads(connection.application, sent.data)
        elif sent.data:
            self.delivers_on(connection, sent.data, sent.ns)
        self.serves(connection, data=data)

    def starts_slowly(self, connection: Connection, meanwhile: int = 0, acknowledged: int = 0) -> None:
        """The first flight of the device after a move is at most the initial window; the connection ends with that.

        `meanwhile` is how many segments of data the tester sends itself, none of which acknowledges anything new,
        `acknowledged` how many bytes it acknowledges then, one at a time.
        """
        mark = self._case.mark()
        flight = first_flight(self._case, connection.local, connection.socket, self.barrier, meanwhile, acknowledged)
        most = INITIAL_WINDOW + acknowledged * (1 + MSS)
        for last in [one.frame for one in self.segments(connection.local, mark) if one.data][-1:]:
            require(flight <= most, "bytes of the first flight", f"at most {most}", flight, last)

    def is_acknowledged(self, node: RehashHost, sent: SentSegment) -> SentSegment | None:
        """REHASH-ADDR if REHASH-INIT acknowledges it, for cases in which it may or may not."""
        self.quiesce()
        with suppress(Inconclusive):
            node.await_init(sent)
            return sent
        return None

    def does_not_rehash(self, connection: Connection, sent: SentSegment, data: bytes = b"at the old address") -> None:
        """Nothing but resets comes to where the connection would have moved to, and it continues where it is."""
        self.refuses_move(connection, sent)
        self.serves(connection, data=data)
        self.expect_silence(sent.end, sent.mark)
        self.moves_an_ordinary_connection()

    def refuses_move(self, connection: Connection, sent: SentSegment) -> None:
        """Nothing but resets comes to where the connection would have moved to, for its own next data either."""
        self.expect_silence(sent.end, sent.mark)
        self.is_dead_at(sent.end, connection)

    def is_dead_at(self, end: TcpPeer, connection: Connection) -> None:
        """The connection's next data, sent from another end, is answered with a reset or not at all."""
        mark = self._case.mark()
        there = connection.local.at(end.station, end.port)
        there.transmit(there.segment("PA", b"whose bytes are these"))
        self.expect_silence(end, mark)

    def stays_or_ends(self, connection: Connection, sent: SentSegment) -> None:
        """The connection has not moved: it continues where it was, or has been reset."""
        self.refuses_move(connection, sent)
        try:
            self.serves(connection)
        except Broken:
            if connection.local.state != "RESET":
                raise
        self.moves_an_ordinary_connection()

    def moves_an_ordinary_connection(self) -> None:
        """That nothing has moved says something: an ordinary REHASH-ADDR moves an ordinary connection, as preamble."""
        node = RehashHost(self._case)
        peer = node.new_peer()
        peer.remote = self.address
        connection = node.connect_with(peer)
        node.move()
        with preamble("an ordinary REHASH-ADDR moves nothing"):
            self.continues(connection, node.send_rehash_addr(connection))

    @contextmanager
    def rehash_control(self) -> Iterator[None]:
        """What is broken inside is broken only at a device that moves an ordinary connection on REHASH-ADDR."""
        try:
            yield
        except Broken:
            self.moves_an_ordinary_connection()
            raise

    @contextmanager
    def refusal_control(self) -> Iterator[None]:
        """What is broken inside is broken only at a device that moves no connection without an init exchange."""
        try:
            yield
        except Broken:
            node = RehashHost(self._case)
            connection = node.accept_plainly(self.app)
            node.move()
            with preamble("a connection moves without an init exchange"):
                self.does_not_rehash(connection, node.send_rehash_addr(connection))
            raise

    # The device moves

    def move_with_data(self, connection: Connection, data: bytes = b"I have moved") -> AnnouncedMove:
        """Tell the device to move and its application to send; REHASH-ADDR announces the move, as preamble."""
        move = self.move()
        asked_ns = connection.socket.send(data)
        return AnnouncedMove(move, data, asked_ns, *self.await_rehash_addr(move, connection.local))

    def complete_move(self, node: RehashHost, connection: Connection, data: bytes = b"I have moved") -> AnnouncedMove:
        """Move the device with data, follow it, and take in whatever comes of that, as preamble."""
        announced = self.move_with_data(connection, data)
        node.follow_move(connection, announced.move)
        with preamble():
            self.delivers_on(connection, data, self._case.clock.now_ns())
        self.quiesce()
        return announced

    def await_first_segment(self, move: Move, end: TcpPeer) -> RehashSegment:
        """The first segment of a connection from the new address, as preamble."""
        deadline = self._announcement_deadline()
        segment = self.await_segment(end, move.mark, lambda one: one.source == move.new, deadline)
        if segment is None:
            raise Inconclusive("preamble: the DUT sent nothing from its new address", repeat=False)
        return segment

    def await_rehash_addr(self, move: Move, end: TcpPeer) -> tuple[RehashSegment, Option]:
        """The REHASH-ADDR that a case looks into, as preamble."""
        segment = self._find_rehash_addr(move, end, self._announcement_deadline())
        if segment is None or segment.rehash_addr is None:
            raise Inconclusive("preamble: no REHASH-ADDR received from the DUT", repeat=False)
        return segment, segment.rehash_addr

    def names(self, connection: Connection, move: Move, old: str) -> None:
        """A REHASH-ADDR with this Old address comes from the new address before the device may give up."""

        def wanted(segment: RehashSegment) -> bool:
            return segment.source == move.new and segment.rehash_addr is not None and segment.rehash_addr.old == old

        deadline = self._case.deadline(self.give_up_s)
        if self.await_segment(connection.local, move.mark, wanted, deadline) is None:
            seen = {one.rehash_addr.old for one in self.segments(connection.local, move.mark) if one.rehash_addr}
            reason = f"no REHASH-ADDR with Old {old} within {deadline.within_s:.1f} s"
            raise Broken(Finding(reason, old, ", ".join(sorted(seen)) or "none"), deadline)

    def await_repeat(self, connection: Connection, first: RehashSegment) -> RehashSegment:
        """Another segment with REHASH-ADDR after a first one that nobody has answered, as preamble."""
        try:
            return self.repeats_rehash_addr(connection, first)
        except Broken:
            raise Inconclusive("preamble: REHASH-ADDR was not repeated", repeat=False) from None

    def repeats_rehash_addr(self, connection: Connection, last: RehashSegment) -> RehashSegment:
        """Another segment with REHASH-ADDR comes in time after one that nobody has answered."""
        mark, deadline = self._case.trace.mark_after(last.frame), self._announcement_deadline()
        segment = self.await_segment(connection.local, mark, lambda one: one.rehash_addr, deadline)
        if segment is None:
            reason = f"REHASH-ADDR #{last.frame.index} not repeated within {deadline.within_s} s"
            raise Broken(Finding(reason, "REHASH-ADDR", "none", frames=[last.frame]), deadline)
        return segment

    def announces(self, move: Move, end: TcpPeer) -> tuple[RehashSegment, Option]:
        """REHASH-ADDR comes from the new address in time."""
        deadline = self._announcement_deadline()
        segment = self._find_rehash_addr(move, end, deadline)
        if segment is None or segment.rehash_addr is None:
            seen = ", ".join(map(str, self.segments(end, move.mark))) or "silence"
            reason = f"no REHASH-ADDR received at {end} within {deadline.within_s} s"
            raise Broken(Finding(reason, f"REHASH-ADDR from {move.new}", seen), deadline)
        return segment, segment.rehash_addr

    def _announcement_deadline(self) -> Deadline:
        return self._case.deadline(max(self._ixit.tcp_within_s, self._ixit.rehash.retry_within_s))

    def _find_rehash_addr(self, move: Move, end: TcpPeer, deadline: Deadline) -> RehashSegment | None:
        return self.await_segment(end, move.mark, lambda one: one.source == move.new and one.rehash_addr, deadline)

    def retransmits_before_it_gives_up(
        self, connection: Connection, first: RehashSegment, within_s: float
    ) -> RehashSegment:
        """The retransmission of a segment, as preamble; NotApplicable where the device gives the move up before it."""
        try:
            return self.retransmission_of(first, connection.local, within_s)
        except Inconclusive:
            if connection.socket.error():
                raise NotApplicable("the device gives the move up before it retransmits data") from None
            raise

    # The device gives up

    def max_retries(self) -> int:
        """How often REHASH-ADDR is sent at most; NotApplicable where the profile names no maximum."""
        if not self.has_maximum:
            path = self._case.setup.profile.path
            raise NotApplicable(f"{path}: ixit.rehash.max_retries is 0: no maximum")
        return self._ixit.rehash.max_retries

    @property
    def has_maximum(self) -> bool:
        """Whether the profile names a maximum of REHASH-ADDRs."""
        return bool(self._ixit.rehash.max_retries)

    @property
    def gives_up_by_count(self) -> bool:
        """Whether the repeating ends with a number of REHASH-ADDRs, and not with a time."""
        return self._ixit.rehash.give_up == "count"

    @property
    def give_up_s(self) -> float:
        """How long the device may take until it has repeated REHASH-ADDR often enough."""
        return (self._ixit.rehash.max_retries + 1) * self._ixit.rehash.retry_within_s

    def gives_up(self, connection: Connection) -> str:
        """The application sees the end of the connection once REHASH-ADDR was repeated in vain; what it sees."""
        deadline = self._case.deadline(self.give_up_s)
        said = self.reports_the_end(connection, deadline)
        self._case.waits_ns += self._case.clock.now_ns() - deadline.start_ns
        return said

    def await_give_up(self, connection: Connection) -> None:
        """Until the application sees the end, or until the device had the time for it."""
        with suppress(Broken):
            self.gives_up(connection)
        self.quiesce()
