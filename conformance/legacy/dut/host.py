# SPDX-License-Identifier: GPL-2.0-or-later
"""The legacy host under test: what an ordinary TCP and IP do, and the proof that nothing else happened."""

from collections.abc import Iterator, Sequence
from typing import NoReturn

from scapy.layers.inet import ICMP, IP

from conformance.legacy.tester.options import Kind
from layers.tcp_options import RawOption
from testbed.case.verdict import Broken, Finding, require
from testbed.device.application import Connecting, Socket
from testbed.device.upper_tester import OperationFailed
from testbed.interruptions import Inconclusive, NotApplicable
from testbed.peers.connection import await_state
from testbed.peers.host import Host
from testbed.peers.segment import SACK, Segment
from testbed.peers.sequence import SEQUENCE_SPACE
from testbed.peers.stream import send_stream
from testbed.peers.tcp import TIMESTAMPS, TcpPeer
from testbed.wire.capture import Frame, Sent
from testbed.wire.headers import TCP_PROTOCOL
from testbed.wire.notation import describe
from testbed.wire.station import Station

SILENCE = "silence"
_UNREACHABLE, _PROTOCOL = 3, 2


class LegacyHost(Host):
    """The device under test, which speaks none of the protocols."""

    # Answers

    def answers_syn(self, peer: TcpPeer, syn: Sent, *, without: Kind) -> None:
        """A SYN-ACK comes in time, acknowledges the SYN, and carries no option of a kind."""
        segment = self._first_answer(peer, syn, "SYN-ACK")
        expected, seen = f"SA ack {peer.snd_nxt}", f"{segment.flags} ack {segment.ack}"
        require(seen == expected, "answer", expected, seen, segment.frame)
        peer.read()
        peer.reset()
        kind, kinds = without.number(self._ixit), [one.kind for one in segment.options]
        require(kind not in kinds, "option kinds", f"without {kind}", kinds, segment.frame)

    def opens(self, peer: TcpPeer, syn: Sent) -> TcpPeer:
        """A SYN-ACK comes in time; it is acknowledged, and the connection is open."""
        segment = self._first_answer(peer, syn, "SYN-ACK")
        require(segment.flags == "SA", "answer", "SA", segment.flags, segment.frame)
        peer.read()
        peer.acknowledge()
        return peer

    def refuses(self, peer: TcpPeer, syn: Sent) -> None:
        """A reset comes in time."""
        segment = self._first_answer(peer, syn, "a reset")
        require(segment.is_reset, "answer", "a reset", segment, segment.frame)

    def answer_to(self, end: TcpPeer, sent: Sent) -> str:
        """In words, what comes in answer to a segment for no connection, until it is over."""
        self._await_answer(end, sent)
        self.quiesce()
        segments = self._answers(end, sent)
        words = [f"{one.flags} seq {(one.seq - end.rcv_nxt) % SEQUENCE_SPACE}" for one in segments]
        return " and ".join(words) or SILENCE

    def answers_alike(self, plain: str, end: TcpPeer, sent: Sent) -> None:
        """What comes in answer is what came in answer to a plain segment."""
        answer = self.answer_to(end, sent)
        if plain != SILENCE:
            self._first_answer(end, sent, plain)
        frames = [one.frame for one in self._answers(end, sent)]
        require(answer == plain, "answer", plain, answer, self._case.deadline(since_ns=sent.ns), sent.frame, *frames)

    def treats_alike(self, plain: TcpPeer, probed: TcpPeer, data: bytes) -> None:
        """Data on two connections, or on what was one, is answered alike."""
        answer = self.answer_to(plain, plain.send(data))
        self.answers_alike(answer, probed, probed.send(data))

    # Connections

    def never_sends(self, kind: Kind, peer: TcpPeer) -> None:
        """No segment of the connection carries an option of a kind."""
        for segment in self.segments(peer):
            kinds = [one.kind for one in segment.options]
            number = kind.number(self._ixit)
            require(number not in kinds, "option kinds", f"without {number}", kinds, segment.frame)

    def delivers_in_segments(self, peer: TcpPeer, data: bytes, size: int) -> None:
        """The echo of data comes in segments of at most `size` bytes of data."""
        start = len(peer.stream)
        self.delivers(peer, data, send_stream(self._case, peer, data).ns, start)
        for segment in self.segments(peer):
            length = len(segment.data)
            require(length <= size, "bytes of data in a segment", f"at most {size}", length, segment.frame)

    def connects_and_delivers(self, connecting: Connecting, peer: TcpPeer) -> None:
        """The connection that its application is opening opens, and carries what the application sends."""
        socket = self.connects(connecting)
        peer.read()
        data = b"hello from the device"
        self.delivers(peer, data, socket.send(data))

    def connects(self, connecting: Connecting) -> Socket:
        """The connection that its application is opening opens."""
        deadline = self._case.deadline()
        try:
            return connecting.socket()
        except OperationFailed as error:
            finding = Finding(f"the device does not connect: {error.reason}", "a connection", "none")
            raise Broken(finding, deadline) from None

    def retransmits_nothing(self, peer: TcpPeer, seconds: float) -> None:
        """What was acknowledged is not sent again in this time, which is longer than a retransmission timer."""
        self.barrier()
        mark = self._case.mark()
        self._case.watch(seconds)
        for segment in self.segments(peer, mark, self.address):
            what = "segment after the acknowledgement"
            require(not segment.data, what, "none with data", segment, segment.frame)

    def exceeds(self, peer: TcpPeer, sent: Sent, least: int) -> None:
        """More than `least` bytes come before any of them is acknowledged.

        How many more is the device's affair: it may hold back small segments while others are not acknowledged
        (RFC 1122 4.2.3.4), and half the window is one.
        """
        start = len(peer.stream)
        deadline = self._case.deadline(since_ns=sent.ns)
        if await_state(self._case, peer, deadline, lambda: len(peer.stream) - start > least) is None:
            reason = "the DUT uses the window as if it were not scaled"
            raise Broken(Finding(reason, f"more than {least} bytes", f"{len(peer.stream) - start} bytes"), deadline)

    # Ordinary options

    def supports(self, kind: int, peer: TcpPeer, syn: Sent) -> None:
        """The answer to a SYN without unknown options carries an ordinary one; NotApplicable if it does not."""
        _, option = self._option_in_answer(kind, peer, syn)
        peer.read()
        peer.reset()
        if option is None:
            raise NotApplicable(f"the device does not use TCP option {kind}")

    def answers_with(self, kind: int, peer: TcpPeer, syn: Sent) -> None:
        """The SYN-ACK carries an option of this kind."""
        segment, option = self._option_in_answer(kind, peer, syn)
        kinds = [one.kind for one in segment.options]
        require(option is not None, "option kinds", f"with {kind}", kinds, segment.frame)

    def echoes_timestamp(self, peer: TcpPeer, sent: Sent) -> None:
        """The answer echoes the timestamp that was sent last."""
        segment, stamps = self._option_in_answer(TIMESTAMPS, peer, sent)
        echo = int.from_bytes(stamps.raw[6:10], "big") if stamps else "no timestamps"
        require(echo == peer.clock, "timestamp echo", peer.clock, echo, segment.frame)

    def acknowledges_block(self, block: tuple[int, int], peer: TcpPeer, sent: Sent) -> None:
        """The first block of the SACK option in the answer has these edges."""
        segment, option = self._option_in_answer(SACK, peer, sent)
        seen = segment.sack[0] if option and segment.sack else "no SACK option"
        require(seen == block, "first block", block, seen, segment.frame)

    def _option_in_answer(self, kind: int, peer: TcpPeer, sent: Sent) -> tuple[Segment, RawOption | None]:
        """The first segment in answer that carries an option of this kind, or else the last of them."""
        mark, deadline = self._case.trace.mark_at(sent.frame), self._case.deadline(since_ns=sent.ns)
        self.await_segment(peer, mark, lambda segment: segment.option(kind), deadline)
        segments = self._answers(peer, sent)
        if not segments:
            raise Inconclusive("preamble: the device sent no segment")
        if any(one.is_reset for one in segments):
            raise Inconclusive("preamble: the device has reset the connection", repeat=False)
        segment = next((one for one in segments if one.option(kind)), segments[-1])
        return segment, segment.option(kind)

    # Silence

    def stays_silent(self, sent: Sent, *stations: Station, unreachable: bool = False) -> None:
        """No ICMP and no unknown protocol comes to these stations; with `unreachable`, Protocol Unreachable may."""
        expected = "Protocol Unreachable or silence" if unreachable else SILENCE
        addresses = {station.address for station in stations}
        for frame, packet in self._packets_since(sent):
            is_allowed = packet.proto == TCP_PROTOCOL or (unreachable and _is_protocol_unreachable(packet))
            if packet.dst in addresses and not is_allowed:
                self._blame(frame, sent, expected)

    def stays_silent_at(self, station: Station, sent: Sent) -> None:
        """Nothing but resets comes to this station."""
        for frame, packet in self._packets_since(sent):
            segment = Segment.read(frame, self._case.network)
            is_allowed = packet.proto == TCP_PROTOCOL and (segment is None or segment.is_reset)
            if packet.dst == station.address and not is_allowed:
                self._blame(frame, sent, f"nothing but resets to {station.address}")

    def _packets_since(self, sent: Sent) -> Iterator[tuple[Frame, IP]]:
        """What has come since this was sent when everything has come."""
        self.quiesce()
        for frame in self._case.trace.received(self._case.trace.mark_at(sent.frame)):
            packet = self._case.network.dissect(frame.data)
            if isinstance(packet, IP):
                yield frame, packet

    def _blame(self, frame: Frame, sent: Sent, expected: str) -> NoReturn:
        seen = describe(self._case.network, frame).summary
        finding = Finding(f"unexpected response #{frame.index}", expected, seen)
        raise Broken(finding, frame.account("must not be sent"), sent.frame)

    # Segments

    def _answers(self, peer: TcpPeer, sent: Sent) -> Sequence[Segment]:
        return self.segments(peer, self._case.trace.mark_at(sent.frame), self.address)

    def _await_answer(self, peer: TcpPeer, sent: Sent) -> Segment | None:
        mark, deadline = self._case.trace.mark_at(sent.frame), self._case.deadline(since_ns=sent.ns)
        return self.await_segment(peer, mark, lambda segment: True, deadline)

    def _first_answer(self, peer: TcpPeer, sent: Sent, expected: str) -> Segment:
        segment = self._await_answer(peer, sent)
        if segment is None:
            deadline = self._case.deadline(since_ns=sent.ns)
            reason = f"no answer within {deadline.within_s:g} s"
            raise Broken(Finding(reason, expected, SILENCE, frames=[sent.frame]), deadline)
        return segment


def _is_protocol_unreachable(packet: IP) -> bool:
    message = packet.payload
    return isinstance(message, ICMP) and (message.type, message.code) == (_UNREACHABLE, _PROTOCOL)
