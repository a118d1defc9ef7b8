# SPDX-License-Identifier: GPL-2.0-or-later
"""Connections through the NAT: both ends are the tester's, and what the NAT makes of the segments is judged."""

from collections.abc import Callable
from dataclasses import dataclass

from conformance.legacy.dut.nat import ICMP_PROTOCOL, Nat
from conformance.legacy.tester.hosts import Endpoint, Tuple
from testbed.case.expect import preamble
from testbed.case.verdict import Broken, Finding, require
from testbed.peers.connection import await_state, first_segment
from testbed.peers.segment import Segment
from testbed.peers.tcp import TcpPeer
from testbed.wire.capture import Frame, Mark, Sent
from testbed.wire.clock import NANO
from testbed.wire.headers import TCP_PROTOCOL


@dataclass
class Connection:
    """A connection through the NAT: the end that has opened it, the other one, and what the first appears as."""

    inner: TcpPeer
    outer: TcpPeer
    mapped: Tuple
    syn: Segment


class TcpNat(Nat):
    """The device under test, as far as TCP goes."""

    def end(self, at: Endpoint, to: Tuple) -> TcpPeer:
        """An end of a connection to a tuple, not open yet."""
        peer = TcpPeer(at.station, at.port, to[1], checks_source=True)
        peer.remote = to[0]
        return peer

    def passes_syn(self, inner: TcpPeer, sent: Sent, outer: Endpoint) -> Segment:
        """A SYN comes out at an outside endpoint with the NAT's outside address and a right checksum."""
        deadline, since = self._case.deadline(since_ns=sent.ns), self._case.trace.mark_at(sent.frame)

        def is_wanted(segment: Segment) -> bool:
            return (segment.destination, segment.destination_port, segment.flags) == (*outer.place, "S")

        segment = first_segment(self._case, is_wanted, deadline, since, outer.station)
        if segment is None:
            finding = Finding(f"no SYN of {inner} at {outer}", "a SYN", "none", frames=[sent.frame])
            raise Broken(finding, deadline)
        right = outer.side.network.tcp_checksum_ok(segment.frame.data)
        require(right, "TCP checksum", "a right one", hex(segment.header.checksum), segment.frame)
        return segment

    def connect(self, inner: Endpoint, outer: Endpoint) -> Connection:
        """Open a connection from the inside; preamble."""
        with preamble():
            return self.opens(inner, outer)

    def opens(self, inner: Endpoint, outer: Endpoint, *options: bytes) -> Connection:
        """A connection from the inside opens, with these options on its SYN and SYN-ACK: all three segments pass."""
        first = self.end(inner, outer.place)
        syn = self.passes_syn(first, first.start(*options), outer)
        require(syn.source == self.outside_address, "source of the SYN", self.outside_address, syn.source, syn.frame)
        second = self.end(outer, (syn.source, syn.source_port))
        second.accept(syn, *options)
        self.comes_to(first, lambda: first.state == "ESTABLISHED", "SYN-ACK")
        first.acknowledge()
        self.comes_to(second, lambda: second.state == "ESTABLISHED", "acknowledgement")
        return Connection(first, second, (syn.source, syn.source_port), syn)

    def comes_to(self, end: TcpPeer, reached: Callable[[], bool], what: str) -> None:
        """What brings an end into a state comes in time."""
        deadline = self._case.deadline()
        end.read()
        if not reached() and await_state(self._case, end, deadline, reached) is None:
            raise Broken(Finding(f"no {what} at {end} within {deadline.within_s:g} s", what, end.state), deadline)

    def carries(self, connection: Connection, data: bytes = b"there and back") -> None:
        """Data passes both ways, unchanged and in order, and so do the acknowledgements."""
        self.delivers(connection.inner, connection.outer, data)
        self.delivers(connection.outer, connection.inner, data)

    def delivers(self, one: TcpPeer, other: TcpPeer, data: bytes) -> None:
        """Data that one end sends comes to the other, which acknowledges it, and the acknowledgement comes back."""
        start = len(other.stream)
        one.send(data)
        self.comes_to(other, lambda: len(other.stream) - start >= len(data), "data")
        came = bytes(other.stream[start:])
        require(came == data, "data", data.hex(), came.hex(), self.last_segment(other).frame)
        other.acknowledge()
        self.comes_to(one, lambda: one.snd_una == one.snd_nxt, "acknowledgement")

    def passes(self, one: TcpPeer, other: TcpPeer, flags: str, option: bytes) -> Segment | None:
        """The segment with these flags and an option as it comes from one end to the other, if it does."""
        sent = one.transmit(one.segment(flags, b"data" if flags == "PA" else b"", [option]))
        deadline, since = self._case.deadline(since_ns=sent.ns), self._case.trace.mark_at(sent.frame)
        return first_segment(self._case, lambda segment: other.owns(segment.frame), deadline, since, other.station)

    def last_segment(self, end: TcpPeer) -> Segment:
        """The last segment of a connection that has come to this end."""
        segments = (end.segment_in(frame) for frame in self._case.trace.received())
        return [one for one in segments if one][-1]

    def answers_nothing(self, end: TcpPeer, sent: Sent, seconds: float) -> None:
        """Nothing comes to an end's host in answer to a segment for so long; what comes later is another matter."""
        deadline, since = self._case.deadline(seconds, sent.ns), self._case.trace.mark_at(sent.frame)
        if frame := self._case.look(lambda: self.answer_to(end, since), deadline):
            after_s = (frame.ns - sent.ns) / NANO
            seen = f"an answer after {after_s:.3f} s"
            raise Broken(Finding(f"answer #{frame.index} to the SYN", "none", seen), frame, sent.frame)

    def answer_to(self, end: TcpPeer, since: Mark) -> Frame | None:
        """The first segment or ICMP message to an end's host since a mark."""
        for frame in self._case.trace.received(since):
            header = end.station.network.header(frame.data)
            if header and header.destination == end.station.number and header.protocol in (ICMP_PROTOCOL, TCP_PROTOCOL):
                return frame
        return None
