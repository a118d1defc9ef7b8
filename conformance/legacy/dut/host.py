# SPDX-License-Identifier: GPL-2.0-or-later
"""The legacy host under test: what an ordinary TCP and IP do, and the proof that nothing else happened."""

from collections.abc import Callable, Iterable

from scapy.layers.inet import ICMP, IP

from conformance.legacy.tester.options import kind_of
from conformance.rehash.oracle import require
from conformance.rehash.tester.peer import RehashPeer
from layers.tcp_options import RawOption
from testbed.case.case import Case
from testbed.case.verdict import Broken, Finding
from testbed.device.upper_tester import UpperTester
from testbed.interruptions import Inconclusive, NotApplicable
from testbed.peers.connection import exchange, expect_echo, opens
from testbed.peers.segment import Segment, read
from testbed.peers.tcp import SEQUENCE_SPACE, TcpPeer
from testbed.wire.capture import Frame, Mark, Sent
from testbed.wire.clock import NANO, Deadline
from testbed.wire.network import TCP_PROTOCOL
from testbed.wire.notation import describe
from testbed.wire.station import Station

WINDOW_SCALE, SACK_PERMITTED, SACK, TIMESTAMPS = 3, 4, 5, 8
SILENCE = "silence"
_UNREACHABLE, _PROTOCOL = 3, 2


class Host:
    """The device under test, which speaks none of the protocols."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._ixit = case.setup.profile.ixit
        self._onlooker: Station | None = None

    # Segments

    def answers_syn(self, peer: RehashPeer, syn: Sent) -> Segment:
        """A SYN-ACK comes in time and acknowledges the SYN."""
        segment = self._first(peer, syn)
        self._require_in_time(segment, "SYN-ACK", syn)
        assert segment
        expected, seen = f"SA ack {peer.snd_nxt}", f"{segment.flags} ack {segment.tcp.ack}"
        require(seen == expected, "answer", expected, seen, segment)
        peer.read()
        peer.reset()
        return segment

    def refuses(self, peer: RehashPeer, sent: Sent) -> Segment:
        """A reset comes in time."""
        segment = self._first(peer, sent)
        self._require_in_time(segment, "a reset", sent)
        assert segment
        require("R" in segment.flags, "answer", "a reset", segment, segment)
        return segment

    def answer_to(self, peer: RehashPeer, sent: Sent) -> str:
        """In words, what comes in answer to a segment for no connection, until it is over."""
        self._first(peer, sent)
        self.has_calmed_down()
        found = self._segments(peer, self._case.trace.mark_at(sent.frame))
        said = [f"{one.flags} seq {(one.tcp.seq - peer.rcv_nxt) % SEQUENCE_SPACE}" for one in found]
        return " and ".join(said) or SILENCE

    def has_not_the(self, option: str, segment: Segment) -> None:
        """The segment carries no option of the kind of this one."""
        kind = kind_of(self._ixit, option)
        kinds = [one.kind for one in segment.options]
        require(kind not in kinds, "option kinds", f"without {kind}", kinds, segment)

    def serves(self, *peers: RehashPeer, data: bytes = b"still there") -> None:
        """Data flows on the connections, both ways and byte-exact."""
        for peer in peers:
            exchange(self._case, peer, data)

    def welcomes(self, peer: RehashPeer) -> None:
        """A new connection opens and carries data."""
        try:
            opens(self._case, peer)
        except Inconclusive as trouble:
            finding = Finding(f"a new connection: {trouble}", "a connection", "none")
            within = round(self._ixit.tcp_within_s * NANO)
            raise Broken(finding, Deadline(self._case.clock.now_ns() - within, (within) / NANO)) from None
        peer.acknowledge()
        self.serves(peer)

    def closes(self, peer: RehashPeer, fin: Sent) -> None:
        """The device acknowledges the FIN and closes its side as well."""

        def closed() -> Frame | None:
            news = peer.read()
            return news[-1] if news and peer.state == "CLOSE-WAIT" and peer.snd_una == peer.snd_nxt else None

        if self._case.look(closed, Deadline(fin.ns, self._ixit.tcp_within_s)) is None:
            within = round(self._ixit.tcp_within_s * NANO)
            raise Broken(
                Finding("the connection was not closed", "acknowledgement and FIN", peer.state),
                Deadline(fin.ns, (within) / NANO),
            )
        peer.acknowledge()

    def repeats_nothing(self, peer: RehashPeer, seconds: float) -> None:
        """What was acknowledged is not sent again in this time, which is longer than a retransmission timer."""
        self.has_gone_on()
        mark = self._case.mark()
        self._case.watch(seconds)
        for segment in self._segments(peer, mark):
            require(not segment.data, "segment behind the acknowledgement", "none with data", segment, segment)

    def option_in_answer(self, kind: int, peer: RehashPeer, sent: Sent) -> tuple[Segment, RawOption | None]:
        """The first segment behind what was sent that carries an option of this kind, or else the last of them."""
        self._case.look(lambda: self._with(kind, peer, sent), Deadline(sent.ns, self._ixit.tcp_within_s))
        found = self._segments(peer, self._case.trace.mark_at(sent.frame))
        if not found:
            raise Inconclusive("preamble: the device sent no segment")
        if any("R" in one.flags for one in found):
            raise Inconclusive("preamble: the device has reset the connection", repeat=False)
        segment = next((one for one in found if _option(kind, one)), found[-1])
        return segment, _option(kind, segment)

    def uses(self, kind: int, peer: RehashPeer, syn: Sent) -> None:
        """The device answers a SYN without unknown options with this one of ordinary TCP; NotApplicable otherwise."""
        _, option = self.option_in_answer(kind, peer, syn)
        peer.read()
        peer.reset()
        if option is None:
            raise NotApplicable(f"the device does not use TCP option {kind}")

    def fills_the_window(self, peer: RehashPeer, sent: Sent, window: int) -> None:
        """As many bytes as the window has room for come before any of them is acknowledged."""
        start = len(peer.stream)

        def filled() -> Frame | None:
            news = peer.read()
            return news[-1] if len(peer.stream) - start >= window else None

        if self._case.look(filled, Deadline(sent.ns, self._ixit.tcp_within_s)) is None:
            finding = Finding("the window is not used", f"{window} bytes", f"{len(peer.stream) - start} bytes")
            raise Broken(finding, Deadline(sent.ns, self._ixit.tcp_within_s))

    def answers_with(self, kind: int, peer: RehashPeer, syn: Sent) -> None:
        """The SYN-ACK carries an option of this kind."""
        segment, option = self.option_in_answer(kind, peer, syn)
        require(option is not None, "option kinds", f"with {kind}", [one.kind for one in segment.options], segment)

    @staticmethod
    def echoes(stamp: int, stamps: RawOption | None, segment: Segment) -> None:
        """The timestamps of the segment echo this one of the tester."""
        echo = int.from_bytes(stamps.raw[6:10], "big") if stamps else "no timestamps"
        require(echo == stamp, "timestamp echo", stamp, echo, segment)

    @staticmethod
    def names_the_block(block: tuple[int, int], blocks: RawOption | None, segment: Segment) -> None:
        """The first block of the SACK option is this one."""
        raw = blocks.raw if blocks else b""
        seen = (int.from_bytes(raw[2:6], "big"), int.from_bytes(raw[6:10], "big")) if raw else "no SACK option"
        require(seen == block, "first block", block, seen, segment)

    def delivers(self, peer: RehashPeer, sent: Sent, data: bytes) -> None:
        """The echo of data that was sent comes in time."""
        expect_echo(self._case, peer, sent.ns, data, len(peer.stream))

    def answers_alike(self, plain: str, peer: RehashPeer, sent: Sent) -> None:
        """What comes in answer is what came in answer to a plain segment."""
        answer = self.answer_to(peer, sent)
        if plain != SILENCE:
            self._require_in_time(self._first(peer, sent), plain, sent)
        require(answer == plain, "answer", plain, answer)

    # The device's application

    @property
    def agent(self) -> UpperTester:
        """The upper tester."""
        return self._case.setup.dut.upper_tester()

    def sends_data(self, peer: RehashPeer, connection: int, data: bytes) -> None:
        """What the device's application sends arrives."""
        asked_ns = self._case.clock.now_ns()
        self.agent.call("send", connection=connection, data=data.hex())
        expect_echo(self._case, peer, asked_ns, data, len(peer.stream))

    # Silence

    def has_gone_on(self) -> None:
        """An ordered barrier: the device has dealt with everything sent so far, for it answers a SYN sent behind it."""
        self._onlooker = self._onlooker or self._case.station()
        barrier = TcpPeer(self._onlooker, next(self._case.setup.source_ports), self._ixit.services.echo, 1)
        opens(self._case, barrier)
        barrier.reset()

    def has_calmed_down(self) -> None:
        """The barrier and a short window: what was to come has come."""
        self.has_gone_on()
        self._case.watch(self._ixit.silence_s)

    def says_nothing(self, sent: Sent, stations: Iterable[Station], *, but_unreachable: bool = False) -> None:
        """Behind what was sent no ICMP and no unknown protocol comes; Protocol Unreachable is accepted where said."""
        expected = "Protocol Unreachable or silence" if but_unreachable else SILENCE
        addresses = {station.address for station in stations}
        self._quiet(
            sent, expected, lambda packet: packet.dst in addresses and not (but_unreachable and _refusal(packet))
        )

    def sends_nothing_to(self, station: Station, sent: Sent) -> None:
        """Behind what was sent nothing but resets comes to this address."""
        self._quiet(sent, "nothing to the new address", lambda packet: packet.dst == station.address, even_tcp=True)

    def _quiet(self, sent: Sent, expected: str, is_wrong: Callable[[IP], bool], *, even_tcp: bool = False) -> None:
        self.has_calmed_down()
        for frame in self._case.trace.received(self._case.trace.mark_at(sent.frame)):
            packet = self._case.network.dissect(frame.data)
            if not isinstance(packet, IP) or (packet.proto == TCP_PROTOCOL and not (even_tcp and _is_alive(frame))):
                continue
            if is_wrong(packet):
                seen = describe(self._case.network, frame).summary
                frames = [sent.frame, frame.account("must not be sent")]
                raise Broken(Finding(f"an answer came: #{frame.index}", expected, seen, frames=frames))

    # What came

    def _segments(self, peer: RehashPeer, mark: Mark) -> list[Segment]:
        """Every segment to this end from `mark` of the trace on."""
        frames = [frame for frame in self._case.trace.received(mark) if peer.owns(frame) is not None]
        return [segment for frame in frames if (segment := read(frame))]

    def _first(self, peer: RehashPeer, sent: Sent) -> Segment | None:
        mark = self._case.trace.mark_at(sent.frame)

        def look() -> Frame | None:
            found = self._segments(peer, mark)
            return found[0].frame if found else None

        self._case.look(look, Deadline(sent.ns, self._ixit.tcp_within_s))
        return next(iter(self._segments(peer, mark)), None)

    def _with(self, kind: int, peer: RehashPeer, sent: Sent) -> Frame | None:
        found = self._segments(peer, self._case.trace.mark_at(sent.frame))
        return next((one.frame for one in found if _option(kind, one)), None)

    def _require_in_time(self, segment: Segment | None, expected: str, sent: Sent) -> None:
        within = self._ixit.tcp_within_s
        if segment is None:
            finding = Finding(f"no answer within {within} s", expected, SILENCE, frames=[sent.frame])
            raise Broken(finding, Deadline(sent.ns, within))


def _option(kind: int, segment: Segment) -> RawOption | None:
    return next((one for one in segment.options if one.kind == kind and not one.fault), None)


def _refusal(packet: IP) -> bool:
    message = packet.payload
    return isinstance(message, ICMP) and (message.type, message.code) == (_UNREACHABLE, _PROTOCOL)


def _is_alive(frame: Frame) -> bool:
    segment = read(frame)
    return segment is not None and "R" not in segment.flags
