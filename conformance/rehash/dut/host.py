# SPDX-License-Identifier: GPL-2.0-or-later
"""The device under test as a Rehash host: it follows a move of its peer, and announces its own."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from conformance.rehash.dut.endpoint import Endpoint
from conformance.rehash.segment import Option, RehashSegment
from conformance.rehash.tester.connection import Connection, SentSegment
from conformance.rehash.tester.host import RehashHost
from testbed.case.expect import preamble
from testbed.case.verdict import Broken, Finding
from testbed.interruptions import Inconclusive, NotApplicable
from testbed.peers.host import Move
from testbed.peers.tcp import TcpPeer


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

    def does_not_rehash(self, connection: Connection, sent: SentSegment, data: bytes = b"at the old address") -> None:
        """Nothing but resets comes to where the connection would have moved to, and it continues where it is."""
        self.expect_silence(sent.end, sent.mark)
        self.serves(connection, data=data)
        self.expect_silence(sent.end, sent.mark)

    @contextmanager
    def rehash_control(self) -> Iterator[None]:
        """What is broken inside is broken only at a device that moves an ordinary connection on REHASH-ADDR."""
        try:
            yield
        except Broken:
            node = RehashHost(self._case)
            peer = node.new_peer()
            peer.remote = self.address
            connection = node.complete_init(node.half_open(peer))
            node.move()
            with preamble("an ordinary REHASH-ADDR moves nothing"):
                self.continues(connection, node.send_rehash_addr(connection))
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
        self.quiesce()
        connection.skip()
        return announced

    def await_first_segment(self, move: Move, end: TcpPeer) -> RehashSegment:
        """The first segment of a connection from the new address, as preamble."""
        segment = self.await_segment(end, move.mark, lambda one: one.source == move.new)
        if segment is None:
            raise Inconclusive("preamble: the DUT sent nothing from its new address", repeat=False)
        return segment

    def await_rehash_addr(self, move: Move, end: TcpPeer) -> tuple[RehashSegment, Option]:
        """The REHASH-ADDR that a case looks into, as preamble."""
        segment = self.await_segment(end, move.mark, lambda one: one.source == move.new and one.rehash_addr)
        if segment is None or segment.rehash_addr is None:
            raise Inconclusive("preamble: no REHASH-ADDR received from the DUT", repeat=False)
        return segment, segment.rehash_addr

    def announces(self, move: Move, end: TcpPeer) -> tuple[RehashSegment, Option]:
        """REHASH-ADDR comes from the new address in time."""
        deadline = self._case.deadline(self._ixit.rehash.retry_within_s)
        segment = self.await_segment(end, move.mark, lambda one: one.source == move.new and one.rehash_addr, deadline)
        if segment is None or segment.rehash_addr is None:
            seen = ", ".join(map(str, self.segments(end, move.mark))) or "silence"
            reason = f"no REHASH-ADDR received at {end} within {deadline.within_s} s"
            raise Broken(Finding(reason, f"REHASH-ADDR from {move.new}", seen), deadline)
        return segment, segment.rehash_addr

    # The device gives up

    def max_retries(self) -> int:
        """How often REHASH-ADDR is repeated at most; NotApplicable where the profile names no maximum."""
        if not self._ixit.rehash.max_retries:
            path = self._case.setup.profile.path
            raise NotApplicable(f"{path}: ixit.rehash.max_retries is 0: no maximum")
        return self._ixit.rehash.max_retries

    @property
    def give_up_s(self) -> float:
        """How long the device may take until it has repeated REHASH-ADDR often enough."""
        return (self._ixit.rehash.max_retries + 1) * self._ixit.rehash.retry_within_s

    def gives_up(self, connection: Connection) -> None:
        """The application sees an error once REHASH-ADDR was repeated in vain up to the maximum."""
        start_ns = self._case.clock.now_ns()
        self.application_sees_error(connection.socket, self._case.deadline(self.give_up_s))
        self._case.waits_ns += self._case.clock.now_ns() - start_ns

    def await_give_up(self, connection: Connection) -> None:
        """Until the application sees an error, or until the device had the time for it."""
        with suppress(Broken):
            self.gives_up(connection)
        self.quiesce()
