# SPDX-License-Identifier: GPL-2.0-or-later
"""Connections through the NAT: both ends are the tester's, and what the NAT makes of the segments is judged."""

from collections.abc import Callable
from dataclasses import dataclass

from scapy.packet import Packet

from conformance.legacy.dut.nat import Nat
from conformance.legacy.tester.hosts import Endpoint, Tuple
from testbed.case.case import Case
from testbed.case.verdict import Broken, Finding, require
from testbed.peers.connection import await_state, first_segment
from testbed.peers.segment import Segment
from testbed.peers.tcp import TcpPeer
from testbed.wire.capture import Sent
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

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self._tcp = case

    def end(self, at: Endpoint, to: Tuple) -> TcpPeer:
        """An end of a connection to a tuple, not open yet."""
        peer = TcpPeer(at.station, at.port, to[1], checks_source=True)
        peer.remote = to[0]
        return peer

    def passes_syn(self, inner: TcpPeer, sent: Sent, outer: Endpoint) -> Segment:
        """A SYN comes out at an outside endpoint with the NAT's outside address and a right checksum."""
        deadline, since = self._tcp.deadline(since_ns=sent.ns), self._tcp.trace.mark_at(sent.frame)

        def is_wanted(segment: Segment) -> bool:
            return (segment.destination, segment.destination_port, segment.flags) == (*outer.place, "S")

        segment = first_segment(self._tcp, is_wanted, deadline, since, outer.station)
        if segment is None:
            finding = Finding(f"no SYN of {inner} at {outer}", "a SYN", "none", frames=[sent.frame])
            raise Broken(finding, deadline)
        right = outer.side.network.tcp_checksum_ok(segment.frame.data)
        require(right, "TCP checksum", "a right one", hex(segment.header.checksum), segment.frame)
        return segment

    def opens(self, inner: Endpoint, outer: Endpoint, *options: bytes) -> Connection:
        """A connection from the inside opens, with these options on its SYN: all three segments pass."""
        first = self.end(inner, outer.place)
        syn = self.passes_syn(first, first.start(*options), outer)
        require(syn.source == self.outside_address, "source of the SYN", self.outside_address, syn.source, syn.frame)
        second = self.end(outer, (syn.source, syn.source_port))
        second.accept(syn)
        self.comes_to(first, lambda: first.state == "ESTABLISHED", "SYN-ACK")
        first.acknowledge()
        self.comes_to(second, lambda: second.state == "ESTABLISHED", "acknowledgement")
        return Connection(first, second, (syn.source, syn.source_port), syn)

    def comes_to(self, end: TcpPeer, reached: Callable[[], bool], what: str) -> None:
        """What brings an end into a state comes in time."""
        deadline = self._tcp.deadline()
        end.read()
        if not reached() and await_state(self._tcp, end, deadline, reached) is None:
            raise Broken(Finding(f"no {what} at {end} within {deadline.within_s:g} s", what, end.state), deadline)

    def carries(self, connection: Connection, data: bytes = b"there and back") -> None:
        """Data passes both ways, unchanged and in order, and so do the acknowledgements."""
        for one, other in ((connection.inner, connection.outer), (connection.outer, connection.inner)):
            start = len(other.stream)
            one.send(data)
            self.comes_to(other, lambda other=other, start=start: len(other.stream) - start >= len(data), "data")  # type: ignore[misc]
            came = bytes(other.stream[start:])
            require(came == data, "data", data.hex(), came.hex(), self._tcp.deadline())
            other.acknowledge()
            self.comes_to(one, lambda one=one: one.snd_una == one.snd_nxt, "acknowledgement")  # type: ignore[misc]

    def passes(self, one: TcpPeer, other: TcpPeer, flags: str, option: bytes) -> Segment | None:
        """The segment with these flags and an option as it comes from one end to the other, if it does."""
        sent = one.transmit(one.segment(flags, b"data" if flags == "PA" else b"", [option]))
        deadline, since = self._tcp.deadline(since_ns=sent.ns), self._tcp.trace.mark_at(sent.frame)
        return first_segment(self._tcp, lambda segment: other.owns(segment.frame), deadline, since, other.station)

    def last_segment(self, at: Endpoint) -> Packet:
        """The last segment that has come to an endpoint, as network packet."""
        segments = (Segment.read(frame, at.side.network) for frame in at.side.received())
        return [one for one in segments if one and one.destination == at.address][-1].packet

    def answers_nothing(self, end: TcpPeer, sent: Sent, seconds: float) -> None:
        """Nothing comes to an end's host in answer to a segment for so long."""
        self._tcp.wait_until(sent.ns + round(seconds * 1e9))
        self._tcp.watch(0)
        for frame in self._tcp.trace.received(self._tcp.trace.mark_at(sent.frame)):
            header = end.station.network.header(frame.data)
            if header and header.destination == end.station.number and header.protocol in (1, TCP_PROTOCOL):
                raise Broken(Finding(f"answer #{frame.index} to the SYN", "none", "1"), frame, sent.frame)
