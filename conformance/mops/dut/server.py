# SPDX-License-Identifier: GPL-2.0-or-later
"""The server under test: what it has to do, and the proof that it did."""

import copy
from typing import Any

from scapy.layers.inet import TCP
from scapy.packet import Packet

from conformance.mops.tester.mobile_node import CODES, MobileNode, Request, Session, find_reply
from layers.fields import address_to_str
from layers.mops import SUCCESS, MOPSMigrate
from testbed.case.case import Case
from testbed.case.verdict import Broken, Difference, Finding, require
from testbed.interruptions import Inconclusive
from testbed.peers.connection import connect, exchange, expect_echo
from testbed.peers.tcp import SEQUENCE_SPACE, TcpPeer
from testbed.wire.capture import Frame, Mark
from testbed.wire.clock import NANO, Deadline
from testbed.wire.notation import summary
from testbed.wire.station import Station

ACCEPT_POLL_NS = 10_000_000


class Server:
    """The device under test in the role of a server."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._ixit = case.setup.profile.ixit

    @property
    def address(self) -> str:
        """The server's address."""
        return self._case.network.dut

    def answers(self, request: Request, code: int) -> tuple[Frame, Packet]:
        """The server replies in time, and with `code`; frame and message of the reply."""
        found = find_reply(self._case, request)
        expected = f"MOPS Migrate reply, code {code} ({CODES[code]})"
        if found is None:
            within = self._ixit.mops.reply_within_s
            finding = Finding(f"no reply within {within} s", f"{expected} within {within} s", "silence")
            finding.frames = [request.sent.frame]
            raise Broken(finding, Deadline(request.sent.ns, within))
        frame, message = found
        if message.code != code:
            differences = [Difference("code", str(code), str(message.code))]
            reason = f"the reply #{frame.index} says {CODES[message.code]}, not {CODES[code]}"
            raise Broken(Finding(reason, expected, summary(message), differences, [request.sent.frame, frame]))
        return frame, message

    def replies(self, request: Request, code: int | None = None) -> tuple[Frame, Packet]:
        """The reply that a case looks into, as preamble: Inconclusive if it does not come or has another code."""
        found = find_reply(self._case, request)
        if found is None or (code is not None and found[1].code != code):
            wanted = "a reply" if code is None else f"the reply {CODES[code]}"
            said = "silence" if found is None else CODES[found[1].code]
            raise Inconclusive(f"preamble: {wanted} to #{request.sent.frame.index} was {said}", repeat=found is None)
        return found

    def goes_along(self, node: MobileNode, message: Packet, *sessions: Session) -> None:
        """The server does what the message asks: it answers success and serves the sessions where they went."""
        request = node.sends(message)
        self.answers(request, SUCCESS)
        node.follows(request, *sessions)
        for session in sessions:
            self.serves(session)

    def hears_out(self, request: Request) -> str:
        """Whatever the server says to `request`, in a word: "silence" or the reply's code."""
        return " and ".join(self.hears_everything_out(request.mark)) or "silence"

    def hears_everything_out(self, mark: Mark) -> list[str]:
        """Whatever the server replies from `mark` of the trace on, until an ordered barrier and a short window."""
        self.has_gone_on()
        self._case.watch(self._ixit.silence_s)
        return [
            CODES.get(message.code, f"code {message.code}")
            for frame, message in self._case.messages(mark)
            if isinstance(message, MOPSMigrate) and not frame.accounted and frame.account("free to answer")
        ]

    def keeps_silent(self, request: Request) -> None:
        """The server says nothing more: not before what it answered later, nor in a short window."""
        self.has_gone_on()
        self._case.watch(self._ixit.silence_s)
        for frame, message in self._case.messages(request.mark):
            if not frame.accounted:
                finding = Finding(f"an answer came: #{frame.index}", "silence", summary(message))
                finding.frames = [request.sent.frame, frame.account("must not be sent")]
                raise Broken(finding)

    def has_gone_on(self) -> None:
        """An ordered barrier: the server has dealt with everything sent so far, for it answers a SYN sent behind it."""
        connect(self._case, self._case.station()).reset()

    def serves(self, session: Session, data: bytes = b"still there") -> None:
        """Data flows on the session, both ways and byte-exact, where the node is now."""
        exchange(self._case, session.peer, data)

    def delivers(self, session: Session, data: bytes, since_ns: int, unanswered_since_ns: int = 0) -> None:
        """The echo of `data`, sent before, arrives on the session.

        `unanswered_since_ns` is when the server first sent what it now has to send again: its retransmission timer
        has been doubling since then (RFC 6298 5.5), and the deadline is longer by twice that time.
        """
        silent_s = (since_ns - unanswered_since_ns) / NANO if unanswered_since_ns else 0.0
        expect_echo(self._case, session.peer, since_ns, data, len(session.peer.stream), 2 * silent_s)

    def has_left(self, end: TcpPeer) -> None:
        """Nobody is connected at this end: data sent from there is not accepted."""
        sent = end.transmit(end.segment("PA", b"is anybody there"))
        self.sends_nothing_to(end, self._case.trace.mark_at(sent.frame))

    def is_not_at(self, session: Session, station: Station, port: int) -> None:
        """The session was not moved: nobody is connected at the address and port it was to be moved to."""
        self.has_left(self._end_of(session, station, port))

    def sends_nothing_to(self, end: TcpPeer, mark: Mark) -> None:
        """From `mark` of the trace on, and after an ordered barrier, nothing but resets comes to this end."""
        self.has_gone_on()
        self._case.watch(self._ixit.silence_s)
        for frame in self._case.trace.received(mark):
            tcp = end.owns(frame)
            if tcp is not None and "R" not in tcp.flags:
                where = f"{end.station.address}:{end.port}"
                finding = Finding(f"the server still serves {where}", "a reset or silence", summary(tcp))
                finding.frames = [frame.account("must not be sent")]
                raise Broken(finding)

    def ends_alive(self, session: Session, ends: list[tuple[Station, int]]) -> list[str]:
        """Which of these addresses and ports the server takes the session's data from."""
        probe = b"alive?"
        taken = (session.peer.snd_nxt + len(probe)) % SEQUENCE_SPACE
        probes = []
        for station, port in ends:
            end = self._end_of(session, station, port)
            sent = end.transmit(end.segment("PA", probe))
            probes.append((end, self._case.trace.mark_at(sent.frame)))
        self.has_gone_on()
        self._case.watch(self._ixit.silence_s)
        return [
            f"{end.station.address}:{end.port}"
            for end, mark in probes
            if any(
                "R" not in tcp.flags and tcp.ack == taken and self._case.network.tcp_checksum_ok(frame.data)
                for frame, _, tcp in self.segments_to(end, mark)
            )
        ]

    def is_served(self, session: Session) -> bool:
        """Whether data flows on the session, for cases that only report."""
        try:
            self.serves(session)
        except Broken:
            return False
        return True

    def welcomes(self, node: MobileNode, port: int) -> Session:
        """A new connection from the node's present address and `port` is opened and carries data."""
        try:
            session = node.connects(port=port)
        except Inconclusive as trouble:
            where = f"{node.address}:{port}"
            raise Broken(Finding(f"a new connection from {where}: {trouble}", "a connection", "none")) from None
        return session

    def closes_with(self, session: Session) -> None:
        """Both ends close the connection in order; Inconclusive if the server does not."""
        peer = session.peer
        sent = peer.finish()

        def closed() -> Frame | None:
            news = peer.read()
            return news[-1] if news and peer.state == "CLOSE-WAIT" else None

        if self._case.look(closed, Deadline(sent.ns, self._ixit.tcp_within_s)) is None:
            raise Inconclusive("preamble: the server did not close its side of the connection")
        peer.acknowledge()

    def socket_of(self, listener: int) -> int:
        """The application's end of the only connection that this listener has accepted."""
        agent = self._case.setup.dut.upper_tester()
        deadline = self._case.clock.now_ns() + round(self._ixit.tcp_within_s * NANO)
        while self._case.clock.now_ns() < deadline:
            for entry in agent.call("sockets")["connections"]:
                if entry.get("listener") == listener:
                    return int(entry["connection"])
            self._case.clock.wait_until(self._case.clock.now_ns() + ACCEPT_POLL_NS)
        raise Inconclusive("upper tester: the listener did not accept the connection")

    def application_reads(self, connection: int, data: bytes) -> None:
        """The application reads exactly `data` from its socket, without an error or the end of the stream."""
        agent = self._case.setup.dut.upper_tester()
        came = b""
        ended = False
        while len(came) < len(data) and not ended:
            arguments = {"connection": connection, "length": len(data) - len(came)}
            result = agent.call("receive", timeout_s=self._ixit.tcp_within_s, **arguments)
            came += bytes.fromhex(result["data"])
            ended = bool(result["eof"]) or not result["data"]
        require(came == data, "what the application reads", data, came)

    def segments_to(self, end: TcpPeer, mark: Mark) -> list[tuple[Frame, Packet, Packet]]:
        """Frame, network packet and segment of all TCP that the server sent to this address and port."""
        found = []
        for frame in self._case.trace.received(mark):
            packet = self._case.network.dissect(frame.data)
            tcp = packet.getlayer(TCP)
            if tcp is not None and packet.dst == end.station.address and tcp.dport == end.port:
                found.append((frame, packet, tcp))
        return found

    @staticmethod
    def _end_of(session: Session, station: Station, port: int) -> TcpPeer:
        """The session's sequence numbers at another address and port."""
        end = copy.copy(session.peer)
        end.rebind(station, port)
        return end


def require_fields(reply: tuple[Frame, Packet], **fields: Any) -> None:
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
        raise Broken(Finding(f"the reply #{frame.index} differs in {names}", wanted, seen, differences, [frame]))


def _same(name: str, expected: Any, seen: Any) -> bool:
    if name.endswith("_source"):
        return bool(address_to_str(expected) == address_to_str(seen))
    return bool(expected == seen)


def _shown(name: str, value: Any) -> str:
    if name.endswith("_source"):
        return str(address_to_str(value))
    if name == "entries":
        return " ".join(f"{previous}>{migrated}:{identifier}" for previous, migrated, identifier in value) or "none"
    return str(value)
