# SPDX-License-Identifier: GPL-2.0-or-later
"""The server under test: what it has to do, and the proof that it did."""

from typing import Any

from scapy.packet import Packet

from conformance.mops.migrate import CODES, Reply, SentMigrate, find_reply, in_mops, messages
from conformance.mops.tester.mobile_node import Connection, MobileNode, UdpFlow
from layers.mops import SUCCESS, MOPSMigrate
from testbed.case.expect import preamble
from testbed.case.verdict import Broken, Difference, Finding
from testbed.peers.host import Host
from testbed.peers.tcp import SEQUENCE_SPACE, TcpPeer
from testbed.peers.udp import expect_datagram
from testbed.wire.capture import Mark
from testbed.wire.clock import Deadline
from testbed.wire.notation import summary
from testbed.wire.station import Station


class Server(Host):
    """The device under test as a MOPS server."""

    def serves(self, *peers: TcpPeer | Connection, data: bytes = b"still there") -> None:
        """Data flows on connections to the echo service, both ways and byte-exact."""
        super().serves(*(one.local if isinstance(one, Connection) else one for one in peers), data=data)

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
            finding.frames = [request.sent.frame, reply.frame]
            raise Broken(finding)
        return reply

    def reply_to(self, request: SentMigrate, code: int | None = None) -> Reply:
        """The reply that a case looks into, as preamble."""
        with preamble():
            return self.answers(request, code)

    def accepts_migrate(self, node: MobileNode, message: Packet, *connections: Connection) -> None:
        """The server replies success to the message and carries data on the new tuples."""
        request = node.send(message)
        self.answers(request, SUCCESS)
        node.rebind(request, *connections)
        self.serves(*connections)

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

    def stays_silent(self, request: SentMigrate) -> None:
        """The server sends no further message after the request, until barrier and quiet window."""
        self.quiesce()
        for frame, message in messages(self._case, request.mark):
            if not frame.accounted:
                finding = Finding(f"unexpected response #{frame.index}", "silence", summary(message))
                finding.frames = [request.sent.frame, frame.account("must not be sent")]
                raise Broken(finding)

    # Where a connection is

    def old_tuple_is_dead(self, connection: Connection) -> None:
        """Data sent from where the connection was first is not accepted there."""
        self._has_no_connection_at(connection.previous[0])

    def new_tuple_is_dead(self, connection: Connection, station: Station, port: int) -> None:
        """The tuple that the connection was to be moved to has no connection: data sent from there is not accepted."""
        self._has_no_connection_at(connection.local.at(station, port))

    def _has_no_connection_at(self, end: TcpPeer) -> None:
        sent = end.transmit(end.segment("PA", b"is anybody there"))
        self.expect_silence(end, self._case.trace.mark_at(sent.frame))

    def live_tuples(self, connection: Connection, tuples: list[tuple[Station, int]]) -> list[str]:
        """From which of these addresses and ports the server takes the connection's data."""
        probe = b"alive?"
        taken = (connection.local.snd_nxt + len(probe)) % SEQUENCE_SPACE
        probes = []
        for station, port in tuples:
            end = connection.local.at(station, port)
            sent = end.transmit(end.segment("PA", probe))
            probes.append((end, self._case.trace.mark_at(sent.frame)))
        self.quiesce()
        return [
            f"{end.station.address}:{end.port}"
            for end, mark in probes
            if any(
                not one.is_reset and one.ack == taken and self._case.network.tcp_checksum_ok(one.frame.data)
                for one in self.segments(end, mark)
            )
        ]

    def is_served(self, connection: Connection) -> bool:
        """Whether data flows on the connection, for cases that only report."""
        try:
            self.serves(connection)
        except Broken:
            return False
        return True

    # UDP

    def serves_flow(self, flow: UdpFlow) -> None:
        """Datagrams pass between the application's socket and the node's end of the flow, both ways."""
        since = self._case.mark()
        asked_ns = flow.socket.send(b"from the server")
        expect_datagram(self._case, flow.local, since, self._case.deadline(since_ns=asked_ns))
        deadline = self._case.deadline()
        flow.local.send(b"from the node")
        came = flow.socket.receive(deadline.within_s)
        if came != b"from the node":
            finding = Finding("what the application receives", f"{b'from the node'!r}", f"{came!r}")
            raise Broken(finding, deadline)


def require_fields(reply: Reply, **fields: Any) -> None:
    """Broken, with all fields that differ, unless the reply has exactly these field values."""
    frame, message = reply
    differences = [
        Difference(name, _shown(name, value), _shown(name, message.getfieldval(name)))
        for name, value in fields.items()
        if not _same(name, value, message.getfieldval(name))
    ]
    if differences:
        names = ", ".join(difference.field for difference in differences)
        wanted = ", ".join(f"{one.field} {one.expected}" for one in differences)
        seen = ", ".join(f"{one.field} {one.seen}" for one in differences)
        raise Broken(Finding(f"reply #{frame.index} differs in {names}", wanted, seen, differences, [frame]))


def _same(name: str, expected: Any, seen: Any) -> bool:
    if name.endswith("_source"):
        return in_mops(expected) == in_mops(seen)
    return bool(expected == seen)


def _shown(name: str, value: Any) -> str:
    if name.endswith("_source"):
        return in_mops(value)
    if name == "entries":
        return " ".join(f"{previous}>{migrated}:{identifier}" for previous, migrated, identifier in value) or "none"
    return str(value)
