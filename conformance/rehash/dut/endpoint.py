# SPDX-License-Identifier: GPL-2.0-or-later
"""The device under test at the end of a connection: its segments, its REHASH-INIT, its data."""

from collections.abc import Callable
from typing import Any

from conformance.rehash.segment import Option, RehashSegment
from conformance.rehash.tester.connection import Connection, Opening, SentSegment, find_init, init_deadline, is_intact
from conformance.rehash.tester.host import MSS, RehashHost
from conformance.rehash.tester.state import rehash_init
from testbed.case.verdict import Broken, Finding, require, require_none
from testbed.device.application import END_OF_STREAM, Socket
from testbed.interruptions import Inconclusive, NotApplicable
from testbed.peers.host import MobileHost
from testbed.peers.segment import WINDOW_SCALE
from testbed.peers.stream import send_stream
from testbed.peers.tcp import TIMESTAMPS, TcpPeer
from testbed.wire.capture import BEGINNING, Mark
from testbed.wire.clock import Deadline

SILENCE = "silence"
RETRANSMITTED_WITHIN_S = 10.0
"""The timer of RFC 6298 doubles: after some seconds of loss it takes as many again."""


class Endpoint(MobileHost):
    """The device under test as the peer of a Rehash host."""

    # What came

    def segments(self, end: TcpPeer, since: Mark = BEGINNING, source: str = "") -> list[RehashSegment]:
        """Every segment to this end since a mark, from any address of the device or from `source`."""
        return [RehashSegment.of(one) for one in super().segments(end, since, source)]

    def await_segment(
        self, end: TcpPeer, since: Mark, wanted: Callable[[RehashSegment], Any], deadline: Deadline | None = None
    ) -> RehashSegment | None:
        """The first segment to this end since a mark that is wanted and intact, if it comes in time."""
        found = super().await_segment(
            end, since, lambda one: is_intact(one) and wanted(RehashSegment.of(one)), deadline
        )
        return RehashSegment.of(found) if found else None

    def retransmission_of(self, first: RehashSegment, end: TcpPeer, within_s: float) -> RehashSegment:
        """The retransmission of a segment, as preamble."""
        taken = first.seq, first.data, "S" in first.flags
        again = self.await_segment(
            end,
            self._case.trace.mark_after(first.frame),
            lambda one: (one.seq, one.data[: len(first.data)], "S" in one.flags) == taken,
            self._case.deadline(within_s, since_ns=first.frame.ns),
        )
        if again is None:
            raise Inconclusive(f"preamble: #{first.frame.index} was not retransmitted within {within_s:.0f} s")
        return again

    def stays_silent(self, sent: SentSegment) -> None:
        """Nothing at all, not even a reset, is sent to where the segment came from."""
        self.expect_silence(sent.end, sent.mark, resets=False)

    def response_to(self, sent: SentSegment) -> str:
        """In words, what came to where the segment was sent from, for cases that report or compare."""
        self.quiesce()
        names: list[str] = []
        for segment in self.segments(sent.end, sent.mark):
            name = "reset" if segment.is_reset else "REHASH-INIT" if segment.init else "acknowledgement"
            names += [name] if name not in names else []
        return " and ".join(names) or SILENCE

    def agrees_to_timestamps(self, connection: Connection) -> None:
        """NotApplicable where the SYN-ACK of the connection carries no timestamps (RFC 7323, 3.2)."""
        if self.segments(connection.local)[0].option(TIMESTAMPS) is None:
            raise NotApplicable("the device does not use TCP timestamps")

    def agrees_to_scale(self, connection: Connection) -> None:
        """NotApplicable where the SYN-ACK of the connection has no window scale (RFC 7323, 2.2)."""
        if self.segments(connection.local)[0].option(WINDOW_SCALE) is None:
            raise NotApplicable("the device does not use the window scale option")

    # The init exchange

    def acknowledges(self, sent: SentSegment, since: Mark | None = None) -> RehashSegment:
        """REHASH-INIT comes to the end that REHASH-ADDR was sent from, or has come there since a mark."""
        segment = find_init(self._case, sent, since)
        if segment is None:
            deadline = init_deadline(self._case, sent.ns)
            came = self.segments(sent.end, sent.mark)
            frames = [sent.frame, *(one.frame for one in came)]
            reason = f"no REHASH-INIT received at {sent.end} within {deadline.within_s} s"
            raise Broken(
                Finding(reason, "REHASH-INIT", ", ".join(map(str, came)) or "silence", frames=frames), deadline
            )
        return segment

    def answers_init(self, sent: SentSegment) -> RehashSegment:
        """REHASH-INIT answers one, or has been sent on the connection before: two that cross answer each other."""
        return self.acknowledges(sent, BEGINNING)

    def answer_to_init(self, sent: SentSegment) -> RehashSegment | None:
        """REHASH-INIT in answer to a repeated one; None where it does not come in the time of any other answer."""
        return self.await_segment(sent.end, sent.mark, lambda one: one.init)

    def await_nonce(self, connection: Connection) -> None:
        """The device has dealt with what was sent, and has sent its nonce, as preamble."""
        since_ns = self._case.clock.now_ns()
        self.quiesce()
        connection.await_nonce(self._case, since_ns)

    def init_on(self, node: RehashHost, carrier: str) -> tuple[RehashSegment, Option]:
        """A REHASH-INIT on the SYN, on the SYN-ACK or on a later acknowledgement; NotApplicable where none is there."""
        if carrier == "acknowledgement":
            segment = node.await_init(node.send_init(node.connect_plainly()), BEGINNING)
        else:
            node.expects_init_at_syn()
            is_syn = carrier == "SYN"
            segment = node.await_syn(self.app).syn if is_syn else self.segments(node.half_open().local)[0]
        if segment.init is None:
            raise NotApplicable(f"the {carrier} carries no REHASH-INIT, as it should")
        return segment, segment.init

    def data_with_init(self, node: RehashHost) -> tuple[RehashSegment, TcpPeer]:
        """A data segment with REHASH-INIT that is not acknowledged; NotApplicable if the device makes none."""
        (segment, *_), peer = self._segments_with_init(node, 1)
        return segment, peer

    def two_segments_with_init(self, node: RehashHost) -> tuple[RehashSegment, RehashSegment, TcpPeer]:
        """Two such segments, one after the other."""
        (first, second, *_), peer = self._segments_with_init(node, 2)
        return first, second, peer

    def _segments_with_init(self, node: RehashHost, count: int) -> tuple[list[RehashSegment], TcpPeer]:
        """So much data follows that the device has no REHASH-INIT left to send again unasked."""
        connection = node.accept_plainly(self.app)
        asked_ns = connection.socket.send(bytes(MSS * (1 + self._ixit.rehash.init_reissues)))
        self.await_segment(connection.local, BEGINNING, lambda one: one.data, self._case.deadline(since_ns=asked_ns))
        self.barrier()
        sent: dict[int, RehashSegment] = {}
        for segment in self.segments(connection.local):
            if segment.data and segment.init:
                sent.setdefault(segment.seq, segment)
        if len(sent) < count:
            raise NotApplicable(f"{len(sent)} data segments of the device carry REHASH-INIT, not {count}")
        return list(sent.values()), connection.local

    # Connections

    def serves(self, *peers: TcpPeer | Connection, data: bytes = b"still there") -> None:
        """Data flows on connections, both ways and byte-exact, where both ends are now."""
        for peer in peers:
            if isinstance(peer, Connection):
                self._serves(peer, data)
            else:
                super().serves(peer, data=data)

    def is_served(self, connection: Connection) -> bool:
        """Whether data flows on the connection, for cases that only report."""
        try:
            self.serves(connection)
        except Broken:
            return False
        return True

    def delivers_on(self, connection: Connection, data: bytes, since_ns: int) -> None:
        """`data`, sent or asked for before, is what the connection's stream brings next, in time."""
        connection.expect(self._case, data, self._case.deadline(since_ns=since_ns))

    def retransmits(self, connection: Connection, data: bytes) -> None:
        """`data`, which was lost on the way, is retransmitted on the connection."""
        connection.expect(self._case, data, self._case.deadline(RETRANSMITTED_WITHIN_S))

    def completes(self, connection: Connection, data: bytes) -> None:
        """A transfer of `data` is what the connection's stream brings next; none of its parts is long in coming."""
        connection.expect(self._case, data, self._case.deadline(RETRANSMITTED_WITHIN_S))

    def establishes(self, node: RehashHost, opening: Opening) -> Connection:
        """A connection that the device opens is established with a host that sends no REHASH-INIT."""
        deadline = self._case.deadline()
        try:
            return node.accept(opening)
        except Inconclusive as trouble:
            raise Broken(Finding(f"new connection from the DUT: {trouble}", "a connection", "none"), deadline) from None

    def accepts_connection_of(self, node: RehashHost, port: int = 0, remote_port: int = 0) -> Connection:
        """A new connection to where the device is now, with REHASH-INIT on the SYN, opens and carries data."""
        peer = node.new_peer(port, remote_port)
        self.accepts_new_connection(peer, rehash_init(peer))
        return Connection(peer, taken=len(peer.stream))

    def delivers_at(self, end: TcpPeer, data: bytes, since_ns: int) -> None:
        """`data`, asked for before, is what the device's stream brings next to an end of the tester, in time."""
        self.delivers(end, data, since_ns, len(end.stream), self._case.started_ns)

    def sends_fin(self, connection: Connection) -> None:
        """The device sends its FIN."""
        deadline = self._case.deadline()
        if self.await_segment(connection.local, BEGINNING, lambda one: "F" in one.flags, deadline) is None:
            raise Broken(Finding(f"connection to {connection.local} not closed", "FIN", "none"), deadline)

    def retransmits_fin(self, end: TcpPeer) -> None:
        """The FIN that was lost before comes, again, to this end, unless it has taken it meanwhile."""
        deadline = self._case.deadline(RETRANSMITTED_WITHIN_S)
        end.read()
        if end.state == "CLOSE-WAIT":
            return
        if self.await_segment(end, self._case.mark(), lambda one: "F" in one.flags, deadline) is None:
            raise Broken(Finding(f"no FIN retransmitted to {end} in {deadline.within_s:g} s", "FIN", "none"), deadline)

    def acknowledges_fin(self, end: TcpPeer) -> None:
        """The FIN that this end sends now is acknowledged there."""
        mark, deadline = self._case.mark(), self._case.deadline(since_ns=end.finish().ns)
        if self.await_segment(end, mark, lambda one: one.ack == end.snd_nxt and not one.is_reset, deadline) is None:
            raise Broken(Finding(f"FIN from {end} not acknowledged", "acknowledgement", "none"), deadline)

    def application_reads_the_end(self, socket: Socket) -> None:
        """The application reads the end of the stream."""
        deadline = self._case.deadline()
        if (said := self._told(socket, deadline)) != END_OF_STREAM:
            raise Broken(Finding("what the application reads", END_OF_STREAM, said or "nothing"), deadline)

    def reports_the_end(self, connection: Connection, deadline: Deadline | None = None) -> str:
        """The application sees an error of its socket or the end of the stream in time; which."""
        asked = deadline or self._case.deadline()
        said = self._told(connection.socket, asked)
        if not said:
            reason = f"no end of the connection reported to the application within {asked.within_s:.1f} s"
            raise Broken(Finding(reason, "an error or the end of the stream", "an open socket"), asked)
        return said

    def _told(self, socket: Socket, deadline: Deadline) -> str:
        for _ in self.app.polls(deadline.within_s):
            if said := socket.error():
                return said
        return ""

    def draws_no_init(self, sent: SentSegment) -> None:
        """No REHASH-INIT comes to where a segment was sent from."""
        self.quiesce()
        for segment in self.segments(sent.end, sent.mark):
            require(not segment.init, "answer", "no REHASH-INIT", segment, segment.frame)

    def announces_nothing(self, *connections: Connection) -> None:
        """No REHASH-ADDR has come on these connections."""
        for connection in connections:
            frames = [one.frame for one in self.segments(connection.local) if one.rehash_addr]
            require_none("REHASH-ADDR without a move", frames)

    def takes_again(self, connection: Connection, data: bytes) -> None:
        """Data that the device may have dropped is retransmitted and taken once, and the connection continues."""
        if data:
            self.delivers_on(connection, data, connection.local.retransmit(data).ns)
        self.serves(connection)

    def _serves(self, connection: Connection, data: bytes) -> None:
        sent = send_stream(self._case, connection.local, data)
        if not connection.application:
            self.delivers_on(connection, data, sent.ns)
            return
        self.application_reads(connection.application, data)
        self.delivers_on(connection, data, connection.application.send(data))
