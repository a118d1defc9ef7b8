# SPDX-License-Identifier: GPL-2.0-or-later
"""The server under test: what it has to do, and the proof that it did."""

from typing import Any

from scapy.layers.inet import TCP
from scapy.packet import Packet

from conformance.mops.node import CODES, Request, Session, find_reply
from layers.fields import address_to_str
from layers.mops import MOPSMigrate
from testbed.capture import Frame
from testbed.case import NANO, Case
from testbed.conversation import connect, exchange, expect_echo
from testbed.notation import summary
from testbed.tcp_peer import TcpPeer
from testbed.verdict import Broken, Difference, Finding


class Server:
    """The device under test in the role of a server."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._ixit = case.bench.profile.ixit

    @property
    def address(self) -> str:
        """The server's address."""
        return self._case.carriage.dut

    def replies(self, request: Request) -> tuple[Frame, Packet, Packet]:
        """The reply to `request`: frame, network packet and message, whatever its code; Broken if none comes in time."""
        found = find_reply(self._case, request)
        if found is None:
            within = self._ixit.mops.reply_within_s
            finding = Finding(f"no reply within {within} s", f"a MOPS Migrate reply within {within} s", "silence")
            finding.frames = [request.sent.frame]
            raise Broken(finding, request.sent.ns, round(within * NANO))
        frame, message = found
        return frame, self._case.carriage.dissect(frame.data), message

    def answers(self, request: Request, code: int, **fields: Any) -> Packet:
        """The server replies in time with `code` and, where given, exactly these field values."""
        frame, _, message = self.replies(request)
        differences = [
            Difference(name, _shown(name, value), _shown(name, message.getfieldval(name)))
            for name, value in {"code": code, **fields}.items()
            if not _same(name, value, message.getfieldval(name))
        ]
        if differences:
            names = ", ".join(difference.field for difference in differences)
            expected = f"MOPS Migrate reply {CODES[code]}"
            raise Broken(
                Finding(
                    f"the reply #{frame.index} differs in {names}",
                    expected,
                    summary(message),
                    differences,
                    [request.sent.frame, frame],
                )
            )
        return message

    def hears_out(self, request: Request) -> str:
        """Whatever the server says to `request`, in a word: "silence" or the reply's code."""
        self.has_gone_on()
        self._case.watch(self._ixit.silence_s)
        said = [
            CODES.get(message.code, f"code {message.code}")
            for frame, message in self._case.messages(request.position)
            if isinstance(message, MOPSMigrate) and not frame.accounted and frame.account("free to answer")
        ]
        return " and ".join(said) or "silence"

    def keeps_silent(self, request: Request) -> None:
        """The server says nothing more: not before what it answered later, nor in a short window."""
        self.has_gone_on()
        self._case.watch(self._ixit.silence_s)
        for frame, message in self._case.messages(request.position):
            if not frame.accounted:
                finding = Finding(f"an answer came: #{frame.index}", "silence", summary(message))
                finding.frames = [request.sent.frame, frame.account("must not be sent")]
                raise Broken(finding)

    def has_gone_on(self) -> None:
        """An ordered barrier: the server has dealt with everything sent so far, for it answers a SYN sent behind it."""
        connect(self._case, self._case.station()).resets()

    def serves(self, session: Session, data: bytes = b"still there") -> None:
        """Data flows on the session, both ways and byte-exact, where the node is now."""
        exchange(self._case, session.peer, data)

    def delivers(self, session: Session, data: bytes, since_ns: int) -> None:
        """The echo of `data`, sent before, arrives on the session."""
        expect_echo(self._case, session.peer, since_ns, data, len(session.peer.stream))

    def has_left(self, end: TcpPeer) -> None:
        """Nobody is connected at this end: data sent from there is not accepted."""
        sent = end.transmits(end.segment("PA", b"is anybody there"))
        self.sends_nothing_to(end, self._case.trace.frames.index(sent.frame))

    def is_not_at(self, session: Session, port: int, node_station: Any) -> None:
        """The session was not moved: nobody is connected at the address and port it was to be moved to."""
        end = TcpPeer(node_station, port, session.peer.remote_port, session.peer.snd_nxt)
        end.rcv_nxt = session.peer.rcv_nxt
        self.has_left(end)

    def sends_nothing_to(self, end: TcpPeer, position: int) -> None:
        """From `position` of the trace on, and after an ordered barrier, nothing but resets comes to this end."""
        self.has_gone_on()
        self._case.watch(self._ixit.silence_s)
        for frame in self._case.trace.received(position):
            tcp = end.owns(frame)
            if tcp is not None and "R" not in str(tcp.flags):
                where = f"{end.station.address}:{end.port}"
                finding = Finding(f"the server still serves {where}", "a reset or silence", summary(tcp))
                finding.frames = [frame.account("must not be sent")]
                raise Broken(finding)

    def segments_to(self, end: TcpPeer, position: int) -> list[tuple[Frame, Packet, Packet]]:
        """Frame, network packet and segment of all TCP that the server sent to this address and port."""
        found = []
        for frame in self._case.trace.received(position):
            packet = self._case.carriage.dissect(frame.data)
            tcp = packet.getlayer(TCP)
            if tcp is not None and packet.dst == end.station.address and tcp.dport == end.port:
                found.append((frame, packet, tcp))
        return found


def require(holds: bool, what: str, expected: object, seen: object, *frames: Frame) -> None:
    """Broken with both sides in one notation unless the condition holds."""
    if not holds:
        difference = Difference(what, str(expected), str(seen))
        raise Broken(Finding(f"{what} is wrong", f"{what} {expected}", f"{what} {seen}", [difference], list(frames)))


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
