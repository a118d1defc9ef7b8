# SPDX-License-Identifier: GPL-2.0-or-later
"""The device under test as an ordinary host, and the proof that nothing else happened."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from scapy.layers.inet import ICMP
from scapy.packet import Packet

from testbed.case.case import Case
from testbed.case.verdict import Broken, Finding, Witness, require
from testbed.device.application import END_OF_STREAM, Application, Socket
from testbed.interruptions import Inconclusive, NotApplicable
from testbed.peers.connection import await_state, connect, first_segment, half_open, new_peer
from testbed.peers.icmp import IcmpPeer
from testbed.peers.segment import Segment
from testbed.peers.sequence import SEQUENCE_SPACE
from testbed.peers.stream import ECHO, exchange, expect_stream, slowest_answer_ns
from testbed.peers.tcp import TcpPeer
from testbed.wire import chance
from testbed.wire.capture import BEGINNING, Frame, Mark, Sent
from testbed.wire.clock import NANO, Deadline
from testbed.wire.station import Station

ECHO_REPLY = 0


class Host:
    """The device under test with its TCP, its services and its applications."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._ixit = case.setup.profile.ixit
        self.address = case.network.dut

    @property
    def app(self) -> Application:
        """Its applications; NotApplicable where the profile has no upper tester."""
        return Application(self._case.setup.dut.upper_tester(), self._case.clock)

    # Order and silence

    def barrier(self) -> None:
        """The device has dealt with everything sent so far, for it answers a SYN sent after it.

        The SYN comes from a new address each time: an answer to a neighbour that the device knows would overtake
        another one that waits for ARP.
        """
        peer = new_peer(self._case, self._case.station())
        peer.remote = self.address
        half_open(self._case, peer).reset()

    def quiesce(self) -> None:
        """The barrier, then a quiet window: what was to come has come."""
        self.barrier()
        self._case.watch(self._case.quiet_window(ECHO, self._ixit.tcp_within_s))

    def concerns(self, segment: Segment, end: TcpPeer) -> bool:
        """Whether a segment belongs to the connection of this end, whatever address of the device it came from."""
        ports = segment.destination_port, segment.source_port
        return bool(segment.destination == end.station.address and ports == (end.port, end.remote_port))

    def segments(self, end: TcpPeer, since: Mark = BEGINNING, source: str = "") -> Sequence[Segment]:
        """Every segment to this end since a mark, from any address of the device or from `source`."""
        network = end.station.network
        found = (Segment.read(frame, network) for frame in self._case.trace.received(since))
        return [one for one in found if one and self.concerns(one, end) and source in ("", one.source)]

    def await_segment(
        self, end: TcpPeer, since: Mark, wanted: Callable[[Segment], Any], deadline: Deadline | None = None
    ) -> Segment | None:
        """The first segment to this end since a mark that is wanted, if it comes in time."""
        asked = deadline or self._case.deadline()
        return first_segment(self._case, lambda one: self.concerns(one, end) and wanted(one), asked, since, end.station)

    def expect_silence(self, end: TcpPeer, since: Mark, *, resets: bool = True, source: str = "") -> None:
        """After the barrier and a quiet window no segment has come to this end since a mark, or resets alone.

        With `source`, what comes from another address of the device is free to come.
        """
        self.quiesce()
        self.judge_silence(end, since, resets=resets, source=source)

    def judge_silence(self, end: TcpPeer, since: Mark, *, resets: bool = True, source: str = "") -> None:
        """So far no segment has come to this end since a mark, or resets alone."""
        for segment in self.segments(end, since, source):
            if not (resets and segment.is_reset):
                expected = "a reset or silence" if resets else "silence"
                reason = f"segment received at {end}: #{segment.frame.index}"
                raise Broken(Finding(reason, expected, str(segment)), segment.frame.account("must not be sent"))

    # Connections

    def serves(self, *peers: TcpPeer, data: bytes = b"still there") -> None:
        """Data flows on connections to the echo service, both ways and byte-exact."""
        for peer in peers:
            exchange(self._case, peer, data)

    def delivers(
        self, peer: TcpPeer, data: bytes, since_ns: int, start: int | None = None, unanswered_since_ns: int = 0
    ) -> None:
        """`data`, sent or asked for before, is what the device's stream brings next, in time.

        `unanswered_since_ns` is when the device first sent what it now has to retransmit: its retransmission timer has
        been doubling since then (RFC 6298 5.5), and the deadline is longer by twice that time. It began at three times
        the round trip that the device has measured (2.2), of which the tester's own slowness is a part.
        """
        deadline = self._retransmitted_by(since_ns, unanswered_since_ns)
        expect_stream(self._case, peer, data, deadline, start)

    def accepts_new_connection(self, peer: TcpPeer, *options: Packet | bytes) -> None:
        """A connection of this peer, with further options on the SYN if given, opens and carries data."""
        peer.remote = self.address
        start_ns = self._case.clock.now_ns()
        try:
            connect(self._case, peer, *options)
        except Inconclusive as trouble:
            finding = Finding(f"new connection from {peer}: {trouble}", "a connection", "none")
            raise Broken(finding, self._case.deadline(since_ns=start_ns)) from None
        self.serves(peer)

    def takes_new_connection(self, peer: TcpPeer) -> bool:
        """Whether a connection of this peer opens and carries data, where it need not."""
        try:
            self.accepts_new_connection(peer)
        except Broken:
            return False
        return True

    def acknowledges_all(self, peer: TcpPeer, sent: Sent) -> None:
        """The device acknowledges all that the peer has sent up to this segment."""
        deadline = self._case.deadline(since_ns=sent.ns)
        if await_state(self._case, peer, deadline, lambda: peer.snd_una == peer.snd_nxt) is None:
            finding = Finding(f"acknowledgement to {peer}", str(peer.snd_nxt), str(peer.snd_una), frames=[sent.frame])
            raise Broken(finding, deadline)

    def acknowledges_fin_again(self, end: TcpPeer) -> None:
        """The FIN that this end has sent before, and sends again now, is acknowledged and not reset."""
        last = (end.snd_nxt - 1) % SEQUENCE_SPACE
        sent = end.transmit(end.segment("FA", seq=last))
        deadline, since = self._case.deadline(since_ns=sent.ns), self._case.trace.mark_at(sent.frame)
        answer = self.await_segment(end, since, lambda one: one.is_reset or one.ack == end.snd_nxt, deadline)
        if answer is None or answer.is_reset:
            finding = Finding(f"FIN repeated from {end}", "an acknowledgement", str(answer or "silence"))
            raise Broken(finding, answer.frame if answer else deadline, sent.frame)

    def _retransmitted_by(self, since_ns: int, unanswered_since_ns: int) -> Deadline:
        if not unanswered_since_ns:
            return self._case.deadline(self._ixit.tcp_within_s, since_ns)
        doubled = 2 * (since_ns - unanswered_since_ns) + 3 * slowest_answer_ns(self._case)
        return self._case.deadline(self._ixit.tcp_within_s + doubled / NANO, since_ns)

    def closes_at(self, peer: TcpPeer, unanswered_since_ns: int = 0) -> None:
        """The FIN of the device, which its application has asked for, comes to this end (see `delivers`)."""
        deadline = self._retransmitted_by(self._case.clock.now_ns(), unanswered_since_ns)
        peer.read()
        closed = peer.state == "CLOSE-WAIT"
        if not closed and await_state(self._case, peer, deadline, lambda: peer.state == "CLOSE-WAIT") is None:
            raise Broken(Finding(f"FIN to {peer}", f"a FIN within {deadline.within_s:g} s", peer.state), deadline)

    def closes(self, peer: TcpPeer, since_ns: int) -> None:
        """The device acknowledges the FIN that the peer has sent at `since_ns`, and sends its own."""
        deadline = self._case.deadline(since_ns=since_ns)

        def closed() -> bool:
            return peer.state == "CLOSE-WAIT" and peer.snd_una == peer.snd_nxt

        if await_state(self._case, peer, deadline, closed) is None:
            finding = Finding(f"connection to {peer} not closed", "acknowledgement and FIN", peer.state)
            raise Broken(finding, deadline)
        peer.acknowledge()

    def flight(self, peer: TcpPeer, least: int, most: int) -> int:
        """Between `least` and `most` bytes come before any of them is acknowledged; how many."""
        start, deadline = len(peer.stream), self._case.deadline()
        await_state(self._case, peer, deadline, lambda: len(peer.stream) - start >= least)
        self.quiesce()
        peer.read()
        came = len(peer.stream) - start
        require(least <= came <= most, "bytes before an acknowledgement", f"{least} to {most}", came, deadline)
        return came

    def answers_echo(self, station: Station) -> bool:
        """Whether an ICMP echo request of a station is answered: a host may be told not to."""
        return self._echo_reply(station, self._case.deadline()) is not None

    def must_answer_echo(self, station: Station) -> None:
        """An ICMP echo request is answered, as it was before."""
        deadline = self._case.deadline()
        reply = self._echo_reply(station, deadline)
        require(reply, f"answer to an echo request of {station.address}", "a reply", "none", deadline)

    def _echo_reply(self, station: Station, deadline: Deadline) -> Frame | None:
        peer, mark = IcmpPeer(station), self._case.mark()
        peer.remote = self.address
        peer.send(ICMP(id=chance.randbits(16)) / b"are you there")

        def reply() -> Frame | None:
            messages = peer.messages(mark)
            return next((one for one, packet in messages if ICMP in packet and packet[ICMP].type == ECHO_REPLY), None)

        return self._case.look(reply, deadline)

    # Applications

    def application_takes(self, socket: Socket, data: bytes) -> int:
        """The application's socket takes data to send, without an error; when it was asked to."""
        asked_ns = self._case.clock.now_ns()
        trouble = socket.try_send(data)
        require(not trouble, "what the application's socket takes", f"{len(data)} bytes", trouble, Witness.APPLICATION)
        return asked_ns

    def application_reads(self, socket: Socket, data: bytes) -> None:
        """The application reads exactly `data` from its socket, without an error or the end of the stream."""
        deadline = self._case.deadline()
        came, trouble = socket.read(len(data), deadline.within_s)
        if came != data:
            finding = Finding("what the application reads", f"{data!r}", f"{came!r} {trouble}".strip())
            raise Broken(finding, deadline)

    def application_sees_error(self, socket: Socket, deadline: Deadline) -> None:
        """The application's socket fails in time; the end of the stream is no error."""
        said = ""
        for _ in self.app.polls((deadline.end_ns - self._case.clock.now_ns()) / 1e9):
            if said := socket.error():
                break
        if not said or said == END_OF_STREAM:
            reason = f"no socket error reported to the application within {deadline.within_s:.1f} s"
            raise Broken(Finding(reason, "an error of the socket", said or "an open socket"), deadline)


@dataclass(frozen=True)
class Move:
    """A move of the device: its address before and after, when it was told to and the mark at that moment.

    `done_ns` is when it said that it had moved.
    """

    old: str
    new: str
    mark: Mark
    ns: int
    done_ns: int


class MobileHost(Host):
    """A device that changes its address when it is told to. `home` is its first one."""

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self.home = self.address

    def next_address(self) -> str:
        """An address of the profile that the device has not got now."""
        name = self._case.network.name
        known = self._case.network.moves_to
        if not known:
            path = self._case.setup.profile.path
            raise NotApplicable(f"{path}: ixit.{name}.moves_to names no address that the device could move to")
        return str(next(one for one in [*known, self.home] if one != self.address))

    def add_address(self, address: str, prefix_length: int | None = None) -> None:
        """Tell the device to take a further address; NotApplicable where it has no such verb.

        It is one of the device's first subnet unless the length of another one's prefix is named.
        """
        subnet = {} if prefix_length is None else {"prefix_length": prefix_length}
        self._case.setup.dut.upper_tester().call("add_address", address=address, **subnet)

    def delete_address(self, address: str) -> None:
        """Tell the device to give an address up, and what was bound to it; NotApplicable where it has no such verb."""
        self._case.setup.dut.upper_tester().call("delete_address", address=address)

    def move(self, to: str = "") -> Move:
        """Tell the device to move, to its next address or to this one."""
        old, new = self.address, to or self.next_address()
        mark, asked_ns = self._case.mark(), self._case.clock.now_ns()
        self._case.setup.move(self._case.network.name, new)
        self.address = new
        return Move(old, new, mark, asked_ns, self._case.clock.now_ns())
