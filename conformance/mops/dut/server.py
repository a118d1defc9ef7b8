# SPDX-License-Identifier: GPL-2.0-or-later
"""The server under test: what it has to do, and the proof that it did, or that it did not."""

from collections.abc import Iterable

from scapy.packet import Packet

from conformance.mops.claims import is_anycast_server
from conformance.mops.dut.datagrams import DatagramServer
from conformance.mops.migrate import (
    CODES,
    REPLY,
    Reply,
    SentMigrate,
    entries_in,
    find_reply,
    is_for_another,
    is_mops,
    messages,
)
from conformance.mops.tester.mobile_node import Connection, MobileNode
from layers.mops import FAILED, SUCCESS, MOPSAnycastAck, MOPSMigrate
from testbed.case.case import Case
from testbed.case.expect import preamble
from testbed.case.verdict import Broken, Difference, Finding, require
from testbed.interruptions import Inconclusive
from testbed.peers.sequence import SEQUENCE_SPACE
from testbed.peers.stream import ECHO
from testbed.peers.tcp import TcpPeer
from testbed.wire import chance
from testbed.wire.capture import Frame, Mark
from testbed.wire.clock import NANO, Deadline
from testbed.wire.notation import summary
from testbed.wire.station import Station

HONEST_ATTEMPTS = 4
"""How often a mobile node sends a Migrate that is not answered (section 4.1)."""


class Server(DatagramServer):
    """The device under test as a MOPS server."""

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self._controls: list[SentMigrate] = []
        case.explains = lambda packet: is_mops(packet) and not self._is_free(packet.payload)

    def serves(self, *peers: TcpPeer | Connection, data: bytes = b"still there") -> None:
        """Data flows on connections to the echo service, both ways and byte-exact."""
        super().serves(*(one.local if isinstance(one, Connection) else one for one in peers), data=data)

    # Silence

    def quiesce(self) -> None:
        """Barriers for segments and for messages, then a quiet window: what was to come has come."""
        self.barrier()
        self.message_barrier()
        reply = self._case.quiet_window(REPLY, self._ixit.mops.reply_within_s)
        self._case.watch(max(reply, self._case.quiet_window(ECHO, self._ixit.tcp_within_s)))

    def message_barrier(self) -> None:
        """The server has dealt with every message so far: it answers "failed" to one about a socket that is not there.

        It comes from elsewhere, and is tried as often as a mobile node tries: a host may limit what it sends in all.
        """
        for _ in range(HONEST_ATTEMPTS):
            stranger = MobileNode(self._case)
            entry = (stranger.new_port(), stranger.new_port(), chance.randbits(32))
            self._controls.append(stranger.send_migrate(entries=[entry]))
            reply = find_reply(self._case, self._controls[-1])
            if reply is not None and reply.message.code == FAILED:
                return
        seen = "silence" if reply is None else CODES[reply.message.code]
        raise Inconclusive(f"barrier: a Migrate of a socket that does not exist: expected failed, got {seen}")

    def _is_free(self, message: Packet) -> bool:
        """Whether a message is nobody's finding: a late reply to a barrier or a control, or what SYNs draw here.

        Cases of their own judge which SYNs draw an anycast acknowledgement.
        """
        answers = any(entries_in(message.original) == control.entries for control in self._controls)
        return answers or (is_anycast_server(self._case) and isinstance(message, MOPSAnycastAck))

    def can_migrate(self) -> None:
        """An ordinary Migrate moves a connection of this device, once a run: without that, nothing moved says nothing.

        Inconclusive where it does not.
        """
        key = f"migrates over {self._case.network.name}"
        if key not in self._case.setup.known:
            node = MobileNode(self._case)
            connection = node.connect()
            node.move()
            try:
                request = self.answers_in_the_end(node, node.request(connection), SUCCESS)
                self._controls.append(request)
                node.rebind(request, connection)
                self.serves(connection)
            except Broken as broken:
                reason = f"preamble: an ordinary Migrate: {broken.finding.reason}"
                raise Inconclusive(reason, repeat=False) from None
            self._case.setup.known[key] = True

    # Replies

    def answers(self, request: SentMigrate, code: int | None = None) -> Reply:
        """The server replies in time, and with `code` if one is named."""
        reply = find_reply(self._case, request)
        expected = "a reply" if code is None else f"code {code} ({CODES[code]})"
        if reply is None:
            within = self._ixit.mops.reply_within_s
            finding = Finding(f"no reply within {within} s", f"{expected} within {within} s", "silence")
            finding.frames = [request.sent.frame]
            raise Broken(finding, Deadline(request.sent.ns, within))
        seen = reply.message.code
        if code is not None and seen != code:
            reason = f"reply #{reply.frame.index}: code {seen} ({CODES[seen]}), expected {code} ({CODES[code]})"
            finding = Finding(reason, f"MOPS Migrate reply, {expected}", summary(reply.message))
            finding.differences = [Difference("code", str(code), str(seen))]
            raise Broken(finding, request.sent.frame, reply.frame)
        if seen == FAILED:
            self.can_migrate()  # whoever refuses everything refuses nothing
        return reply

    def answers_in_the_end(self, node: MobileNode, message: Packet, code: int) -> SentMigrate:
        """The server answers a Migrate, or one of its retransmissions, with `code`; the first of them.

        They come as a mobile node sends them: a host that limits what it sends in all may leave some unanswered.
        """
        first = request = node.send(message)
        for _ in range(1, HONEST_ATTEMPTS):
            try:
                self.answers(request, code)
            except Broken as broken:
                if broken.deadline is None:
                    raise
                interval = self._ixit.mops.retry_interval_s
                self._case.wait_until(request.sent.ns + round(interval * NANO))
                request = node.send(message)
            else:
                return first
        self.answers(request, code)
        return first

    def reply_to(self, request: SentMigrate, code: int | None = None) -> Reply:
        """The reply that a case looks into, as preamble."""
        with preamble():
            return self.answers(request, code)

    def accepts_migrate(self, node: MobileNode, message: Packet, *connections: Connection) -> SentMigrate:
        """The server replies success to the message and carries data on the new tuples; the request that was sent."""
        request = node.send(message)
        self.answers(request, SUCCESS)
        node.rebind(request, *connections)
        self.serves(*connections)
        return request

    def collect_replies(self, since: Mark) -> str:
        """Whatever the server replies since a mark, until barrier and quiet window: their codes in words, or silence.

        None of them is judged.
        """
        self.quiesce()
        replies = [
            CODES.get(message.code, f"code {message.code}")
            for frame, message in messages(self._case, since)
            if isinstance(message, MOPSMigrate) and not frame.accounted and frame.account("free to answer")
        ]
        return " and ".join(replies) or "silence"

    def refuses(self, request: SentMigrate, *connections: Connection) -> None:
        """The server answers "failed", and these connections, which the request names, are where they were alone."""
        self.answers(request, FAILED)
        self.leaves_alone(request, *connections)

    def discards(self, request: SentMigrate, *connections: Connection) -> None:
        """The server does not answer, and these connections are where they were alone."""
        self.stays_silent(request)
        self.leaves_alone(request, *connections)

    def leaves_alone(
        self, request: SentMigrate, *connections: Connection, migrated: Iterable[int] | None = None
    ) -> None:
        """Connections are where they were before a request and nowhere else.

        First each new tuple is probed with the connection's own next data, then the old one: a server that moves a
        connection on the first data from the new tuple, whatever it has answered, can be robbed of it. `migrated` are
        the new ports where the request does not tell them.
        """
        self.can_migrate()
        ends = [
            connection.local.at(request.station, port)
            for connection in connections
            for port in self._migrated(request, connection, migrated)
        ]
        self._have_no_connection(ends)
        self.serves(*connections)

    @staticmethod
    def _migrated(request: SentMigrate, connection: Connection, migrated: Iterable[int] | None) -> list[int]:
        if migrated is not None:
            return list(migrated)
        own = [port for previous, port, _ in request.entries if previous == connection.local.port]
        return own or [port for _, port, _ in request.entries]

    def stays_silent(self, request: SentMigrate, within_s: float = 0.0) -> None:
        """The server sends no further message after the request, until barriers and quiet window, or longer."""
        self.can_migrate()
        self.quiesce()
        self._case.watch(within_s)
        for frame, message in messages(self._case, request.mark):
            if not frame.accounted and not is_for_another(self._case, request, message) and not self._is_free(message):
                finding = Finding(f"unexpected response #{frame.index}", "silence", summary(message))
                raise Broken(finding, request.sent.frame, frame.account("must not be sent"))

    # Where a connection is

    def old_tuple_is_dead(self, connection: Connection) -> None:
        """Data sent from where the connection was first is not accepted there."""
        self._have_no_connection([connection.previous[0]])

    def new_tuple_is_dead(self, connection: Connection, station: Station, port: int) -> None:
        """The tuple that the connection was to be moved to has no connection: data sent from there is not accepted."""
        self._have_no_connection([connection.local.at(station, port)])

    def refuses_until_it_is_open(self, node: MobileNode, connection: Connection) -> None:
        """An entry for a half-open connection is refused; then the node completes the handshake, and it serves."""
        node.move()
        request = node.send_migrate(connection)
        self.answers(request, FAILED)
        self.new_tuple_is_dead(connection, node.station, request.entries[0][1])
        connection.local.acknowledge()
        self.serves(connection)

    def _have_no_connection(self, ends: list[TcpPeer]) -> None:
        probes = [(end, end.transmit(end.segment("PA", b"is anybody there"))) for end in ends]
        self.quiesce()
        for end, sent in probes:
            self.judge_silence(end, self._case.trace.mark_at(sent.frame))

    def is_nowhere_else(self, connection: Connection) -> None:
        """None of the tuples where the connection was before takes its next data."""
        ends = [connection.local.at(previous.station, previous.port) for previous in connection.previous]
        self._have_no_connection(ends)

    def sends_no_flags(self, connection: Connection, since: Mark, flags: str) -> None:
        """No segment with any of these flags has come to the connection's end since a mark."""
        for segment in self.segments(connection.local, since):
            seen = set(flags) & set(segment.flags)
            require(not seen, "flags of a segment", f"none of {', '.join(flags)}", segment.flags, segment.frame)

    def opens_window(self, end: TcpPeer, since: Mark) -> None:
        """The device says at this end that its window is open."""
        deadline = self._case.deadline()
        if self.await_segment(end, since, lambda one: one.window > 0, deadline) is None:
            raise Broken(Finding(f"window announced to {end}", "an open one", "a shut one"), deadline)

    def live_tuples(self, connection: Connection, tuples: list[tuple[Station, int]]) -> list[str]:
        """From which of these addresses and ports the server takes the connection's data."""
        probe = b"alive?"
        taken = (connection.local.snd_nxt + len(probe)) % SEQUENCE_SPACE
        probes = []
        for station, port in tuples:
            end = connection.local.at(station, port)
            sent = end.transmit(end.segment("PA", probe))
            probes.append((end, self._case.trace.mark_at(sent.frame)))

        def acknowledgement(end: TcpPeer, mark: Mark) -> Frame | None:
            for one in self.segments(end, mark):
                if not one.is_reset and one.ack == taken and self._case.network.tcp_checksum_ok(one.frame.data):
                    return one.frame
            return None

        def first() -> Frame | None:
            return next(filter(None, (acknowledgement(*one) for one in probes)), None)

        self._case.look(first, self._case.deadline())
        self.quiesce()
        return [f"{end.station.address}:{end.port}" for end, mark in probes if acknowledgement(end, mark)]

    def lives_at_one(self, connection: Connection, tuples: list[tuple[Station, int]]) -> str:
        """The connection lives at exactly one of these addresses and ports; at which."""
        self.can_migrate()
        deadline = self._case.deadline()
        alive = self.live_tuples(connection, tuples)
        require(len(alive) == 1, "tuples at which a connection lives", "exactly one", alive, deadline)
        return alive[0]

    def is_served(self, connection: Connection) -> bool:
        """Whether data flows on the connection, for cases that only report."""
        try:
            self.serves(connection)
        except Broken:
            return False
        return True
