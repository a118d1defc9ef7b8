# SPDX-License-Identifier: GPL-2.0-or-later
"""The mobile node under test: its applications, its moves, and what it has to send and to take."""

import contextlib
import functools
import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from scapy.layers.inet import TCP
from scapy.packet import Packet

from conformance.mops.tester.server import Asked, Correspondent, ServerEnd
from conformance.mops.tester.sessions import Move, Session, Talk, entry_of, listed
from layers.mops import SUCCESS
from testbed.case.case import Case
from testbed.case.verdict import Broken, Finding, require
from testbed.device.upper_tester import Call, OperationFailed, UpperTester
from testbed.interruptions import Inconclusive, NotApplicable
from testbed.peers.connection import opens
from testbed.peers.tcp import TcpPeer
from testbed.peers.udp import UdpPeer
from testbed.wire.capture import Frame, Mark
from testbed.wire.clock import NANO, Deadline
from testbed.wire.notation import summary

CONNECT_TIMEOUT_S = 10
POLL_S = 0.02
MSS = ("MSS", 1400)

Value = TypeVar("Value")


class Device:
    """The device under test in the role of a mobile node."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._ixit = case.setup.profile.ixit
        self.address = case.network.dut
        self.home = self.address

    @property
    def agent(self) -> UpperTester:
        """The upper tester."""
        return self._case.setup.dut.upper_tester()

    # Connections

    def calls(self, server: Correspondent, **choices: Any) -> tuple[Call, Packet, ServerEnd]:
        """The application connects; the device's SYN, and the server's end, which has not answered yet."""
        port, mark = next(self._case.setup.source_ports), self._case.mark()
        call = self.agent.ask("connect", address=server.address, port=port, timeout_s=CONNECT_TIMEOUT_S, **choices)
        _, packet = server.hears_syn(port, mark, self._ixit.tcp_within_s)
        end = ServerEnd(server.station, port, packet[TCP].sport, secrets.randbits(32))
        end.remote = packet.src
        return call, packet[TCP], end

    def accepts(self, server: Correspondent, call: Call, syn: Packet, end: ServerEnd, *options: Any) -> Session:
        """The server answers the SYN; the connection is then open."""
        sent = end.accept(syn, options=[MSS, *options])

        def established() -> Frame | None:
            news = end.read()
            return news[-1] if end.state == "ESTABLISHED" else None

        if self._case.look(established, Deadline(sent.ns, self._ixit.tcp_within_s)) is None:
            raise Inconclusive("preamble: the device did not acknowledge the SYN-ACK")
        session = Session(server, end, int(call.result()["connection"]))
        server.sessions += 1
        return session

    def connects(self, server: Correspondent, **choices: Any) -> Session:
        """The application opens a connection and uses it once, as preamble; `choices` are those of its socket."""
        session = self.accepts(server, *self.calls(server, **choices))
        session.unique_id = choices.get("unique_id")
        self.preamble(lambda: self.serves(session, b"hello"))
        return session

    @staticmethod
    def is_refused(call: Call) -> None:
        """The application is told that its connection was not opened, as it should be."""
        with contextlib.suppress(OperationFailed):
            call.result()

    def talks(self, server: Correspondent, **choices: Any) -> Talk:
        """The application opens a UDP conversation and uses it once, as preamble."""
        port, mark = next(self._case.setup.source_ports), self._case.mark()
        arguments = {"port": port, "timeout_s": CONNECT_TIMEOUT_S, "protocol": "udp", **choices}
        connection = int(self.agent.call("connect", address=server.address, **arguments)["connection"])
        end = UdpPeer(server.station, port)
        end.remote = self.address
        talk = Talk(server, end, connection, choices.get("unique_id"))
        now = self._case.clock.now_ns()
        self.agent.call("send", connection=connection, data=b"hello".hex())
        if self._case.look(lambda: self._first(end, mark), Deadline(now, self._ixit.tcp_within_s)) is None:
            raise Inconclusive("preamble: the device did not send a datagram")
        server.sessions += 1
        end.remote_port = end.datagrams(mark)[0][1].payload.sport
        self.preamble(lambda: self.serves_datagrams(talk))
        return talk

    def application_sends(self, session: Session | Talk, data: bytes) -> int:
        """The application sends data; when it was asked to."""
        asked_ns = self._case.clock.now_ns()
        self.agent.call("send", connection=session.connection, data=data.hex())
        return asked_ns

    def application_can_send(self, session: Session | Talk, data: bytes) -> int:
        """The same where it is judged: Broken if the socket fails."""
        try:
            return self.application_sends(session, data)
        except OperationFailed as error:
            finding = Finding("the application cannot send", f"{data[:40]!r} is taken", error.reason)
            raise Broken(finding) from None

    def application_reads(self, session: Session | Talk, data: bytes) -> None:
        """The application reads exactly `data` from its socket, without an error or the end of the stream."""
        start_ns = self._case.clock.now_ns()
        came, trouble = self.agent.read(session.connection, len(data), self._ixit.tcp_within_s)
        if came != data:
            finding = Finding("the application does not get the data", f"{data!r}", f"{came!r} {trouble}".strip())
            raise Broken(finding, Deadline(start_ns, self._ixit.tcp_within_s))

    @staticmethod
    def result_of(read: Call) -> bytes:
        """What a read brings that was begun before; Broken where the application is told of an error or of the end."""
        try:
            result = read.result()
        except OperationFailed as error:
            finding = Finding("the application's read failed", "data", error.reason)
            raise Broken(finding) from None
        return bytes.fromhex(result["data"]) if not result["eof"] else b"end of the stream"

    def error_of(self, session: Session | Talk) -> str:
        """What the application is told by its socket: the reason of a failure, or nothing."""
        try:
            result = self.agent.call("receive", connection=session.connection, length=1, timeout_s=POLL_S)
        except OperationFailed as error:
            return error.reason
        return "end of the stream" if result["eof"] else ""

    def gives_up(self, session: Session | Talk, until_ns: int) -> None:
        """The application sees an error on its socket before `until_ns`."""
        start_ns = self._case.clock.now_ns()
        while not (said := self.error_of(session)) and self._case.clock.now_ns() < until_ns:
            self._case.wait_until(self._case.clock.now_ns() + round(POLL_S * NANO))
        if not said or said == "end of the stream":
            finding = Finding("the application sees no error", "an error of the socket", said or "an open socket")
            raise Broken(finding, Deadline(start_ns, (max(0, until_ns - start_ns)) / NANO))

    # Moves and Migrates

    def next_address(self) -> str:
        """An address of the profile that the device has not got now."""
        name = self._case.network.name
        known = getattr(self._ixit, name).moves_to
        if not known:
            path = self._case.setup.profile.path
            raise NotApplicable(f"{path}: ixit.{name}.moves_to names no address that the device could move to")
        return str(next(one for one in [*known, self.home] if one != self.address))

    def moves(self, to: str = "") -> Move:
        """The device is told to move, to its next address or to this one."""
        new = to or self.next_address()
        move = Move(self.address, new, self._case.mark(), self._case.clock.now_ns())
        self.agent.call("move", address=new)
        self.address = new
        # The device is the case's own: whoever asks whether it is alive has to ask at its new address.
        networks, name = self._case.setup.networks, self._case.network.name
        networks[name] = replace(networks[name], dut=new)
        return move

    def asked_for(self, session: Session | Talk, mark: Mark) -> Asked | None:
        """The first Migrate from `mark` of the trace on that lists the session, as far as that can be told."""
        return next((one for one in session.server.asked(mark) if entry_of(one, session)), None)

    def migrates(self, move: Move, session: Session | Talk) -> Asked:
        """The device sends a Migrate for the session in time."""
        within = self._ixit.tcp_within_s
        frame = self._case.look(lambda: self._frame(session, move.mark), Deadline(move.ns, within))
        request = self.asked_for(session, move.mark)
        if frame is None or request is None:
            where = f"{session.server.address} port {session.end.port}"
            finding = Finding(f"no Migrate for the connection to {where}", f"a Migrate within {within} s", "none")
            raise Broken(finding, Deadline(move.ns, within))
        return request

    def asks(self, move: Move, session: Session | Talk) -> Asked:
        """The Migrate that a case looks into, as preamble."""
        return self.preamble(lambda: self.migrates(move, session))

    def is_told(self, request: Asked, *sessions: Session | Talk) -> int:
        """The server answers success; the sessions are then expected at their migrated tuples. When it was sent."""
        sent = sessions[0].server.replies_in_time(request, SUCCESS)
        self.is_at(request, *sessions)
        return sent.ns

    def is_at(self, request: Asked, *sessions: Session | Talk) -> None:
        """Expect the sessions where the request asks for them."""
        for session in sessions:
            session.follows(request.packet.src, listed(request, session)[1])

    def has_migrated(self, *sessions: Session | Talk, to: str = "") -> Move:
        """The device moves, its Migrates are answered success and the sessions go on, as preamble."""
        move = self.moves(to)
        told: list[Frame] = []
        for session in sessions:
            request = self.asks(move, session)
            if request.frame in told:
                self.is_at(request, session)
            else:
                self.is_told(request, session)
                told.append(request.frame)
        for session in sessions:
            self.preamble(functools.partial(self.goes_on, session))
        return move

    # What the device has to do with its connections

    def goes_on(self, session: Session | Talk, data: bytes = b"at the new address") -> None:
        """Data flows both ways, byte-exact, between the server and the application, where the session now is."""
        if isinstance(session, Talk):
            self.serves_datagrams(session)
        else:
            self.serves(session, data)

    def serves(self, session: Session, data: bytes) -> None:
        """Data of the application arrives at the server's end, and data of the server at the application."""
        start = len(session.end.stream)
        self.delivers(session, data, start, self.application_can_send(session, data))
        session.end.send(data)
        self.application_reads(session, data)

    def delivers(self, session: Session, data: bytes, start: int, since_ns: int, unanswered_since_ns: int = 0) -> None:
        """The device's stream, from position `start` on, brings `data` in time; it is acknowledged as it comes.

        `unanswered_since_ns` is when the device first sent what it now has to send again: its retransmission timer
        has been doubling since then (RFC 6298 5.5), and the deadline is longer by twice that time.
        """
        silent_s = (since_ns - unanswered_since_ns) / NANO if unanswered_since_ns else 0.0
        within, end = self._ixit.tcp_within_s + 2 * silent_s, session.end
        seen: list[Frame] = []

        def complete() -> Frame | None:
            if news := end.read():
                seen.extend(news)
                if end.state == "ESTABLISHED" and any(tcp.payload for one in news if (tcp := end.owns(one))):
                    end.acknowledge()
            return seen[-1] if seen and (len(end.stream) >= start + len(data) or end.state == "RESET") else None

        last = self._case.look(complete, Deadline(since_ns, within))
        came = bytes(end.stream[start:])
        if last is None or came != data:
            how = "a reset" if end.state == "RESET" else f"{came[:40]!r}" if came else "nothing"
            finding = Finding(
                f"the connection from {end.remote}:{end.remote_port} does not carry data",
                f"{data[:40]!r} ({len(data)} bytes) within {within} s",
                f"{how} ({len(came)} bytes)",
                frames=seen[-1:],
            )
            raise Broken(finding, None if end.state == "RESET" else Deadline(since_ns, within))

    def serves_datagrams(self, talk: Talk) -> None:
        """A datagram of the application arrives at the server, and one of the server at the application."""
        mark = self._case.mark()
        sent_ns = self.application_can_send(talk, b"from the device")
        within = self._ixit.tcp_within_s
        if self._case.look(lambda: self._first(talk.end, mark), Deadline(sent_ns, within)) is None:
            where = f"{talk.end.remote}:{talk.end.remote_port}"
            raise Broken(Finding(f"no datagram came from {where}", "a datagram", "none"), Deadline(sent_ns, within))
        talk.end.send(b"from the server")
        self.application_reads(talk, b"from the server")

    def has_gone_on(self) -> None:
        """An ordered barrier: the device has dealt with everything sent so far, for it answers a SYN sent behind it."""
        peer = TcpPeer(self._case.station(), next(self._case.setup.source_ports), self._ixit.services.echo, 1)
        peer.remote = self.address
        opens(self._case, peer)
        peer.reset()

    def calms_down(self) -> None:
        """The barrier and a short window: what was to come has come."""
        self.has_gone_on()
        self._case.watch(self._ixit.silence_s)

    def segments(self, session: Session | Talk, mark: Mark, source: str = "") -> list[tuple[Frame, Packet]]:
        """Frame and network packet of all TCP and UDP to this session's server end, from any address or from one."""
        found = []
        for frame in self._case.trace.received(mark):
            packet = session.server.network.dissect(frame.data)
            upper = packet.payload
            if getattr(packet, "dst", "") != session.end.station.address or source not in ("", packet.src):
                continue
            if getattr(upper, "dport", None) == session.end.port:
                found.append((frame, packet))
        return found

    def sends_nothing(self, session: Session | Talk, mark: Mark, source: str = "", resets: bool = True) -> None:
        """Behind the barrier and a short window: nothing of the session came, resets excepted, from this address."""
        self.calms_down()
        for frame, packet in self.segments(session, mark, source):
            if resets and isinstance(packet.payload, TCP) and "R" in packet.payload.flags:
                continue
            reason = f"a segment came from {packet.src}: #{frame.index}"
            raise Broken(Finding(reason, "none", summary(packet.payload), frames=[frame]))

    def lists_nowhere(self, session: Session | Talk, mark: Mark) -> None:
        """Behind the barrier and a short window: no Migrate lists the session."""
        self.calms_down()
        for request in session.server.asked(mark):
            ports = [previous for previous, _, _ in request.entries]
            same = request.message.protocol == (17 if isinstance(session, Talk) else 6)
            require(not same or session.previous_port not in ports, "ports listed", "without it", ports, request.frame)

    def _first(self, end: UdpPeer, mark: Mark) -> Frame | None:
        return next(
            (
                frame
                for frame, packet in end.datagrams(mark)
                if not end.remote_port or (packet.src, packet.payload.sport) == (end.remote, end.remote_port)
            ),
            None,
        )

    def _frame(self, session: Session | Talk, mark: Mark) -> Frame | None:
        request = self.asked_for(session, mark)
        return request.frame if request else None

    @staticmethod
    def preamble(step: Callable[[], Value]) -> Value:
        """What the step gives; Inconclusive where it is broken, for then it is not what the case judges."""
        try:
            return step()
        except Broken as broken:
            raise Inconclusive(f"preamble: {broken.finding.reason}", repeat=broken.deadline is not None) from None
