# SPDX-License-Identifier: GPL-2.0-or-later
"""Connections through a device between two links: both ends are the tester's."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from testbed.case.case import Case
from testbed.case.expect import preamble
from testbed.case.verdict import Broken, Finding, require
from testbed.peers.connection import await_state, first_segment
from testbed.peers.segment import Segment
from testbed.peers.tcp import TcpPeer
from testbed.wire.capture import Sent
from testbed.wire.station import Station

Tuple = tuple[str, int]
"""Address and port."""


class Endpoint(Protocol):
    """Where an end of a connection is: a station on one of the links, and a port."""

    @property
    def station(self) -> Station:
        """The station."""

    @property
    def port(self) -> int:
        """The port."""

    @property
    def place(self) -> Tuple:
        """Address and port."""


@dataclass
class Connection:
    """A connection through the device: the end that has opened it, the other one, and what the first appears as.

    `syn` is the SYN as it came out, `made` as it was sent.
    """

    inner: TcpPeer
    outer: TcpPeer
    mapped: Tuple
    syn: Segment
    made: Sent


class Through:
    """The device, as far as it passes TCP on."""

    _case: Case

    def end(self, at: Endpoint, to: Tuple, **choices: Any) -> TcpPeer:
        """An end of a connection to a tuple, not open yet; `choices` are those of `TcpPeer`."""
        peer = TcpPeer(at.station, at.port, to[1], checks_source=True, **choices)
        peer.remote = to[0]
        return peer

    def passes_syn(self, inner: TcpPeer, sent: Sent, outer: Endpoint) -> Segment:
        """A SYN comes out at an endpoint on the other side with a right checksum."""
        deadline, since = self._case.deadline(since_ns=sent.ns), self._case.trace.mark_at(sent.frame)

        def is_wanted(segment: Segment) -> bool:
            return (segment.destination, segment.destination_port, segment.flags) == (*outer.place, "S")

        segment = first_segment(self._case, is_wanted, deadline, since, outer.station)
        if segment is None:
            finding = Finding(f"no SYN of {inner} at {outer}", "a SYN", "none", frames=[sent.frame])
            raise Broken(finding, deadline)
        right = outer.station.network.tcp_checksum_ok(segment.frame.data)
        require(right, "TCP checksum", "a right one", hex(segment.header.checksum), segment.frame)
        return segment

    def connect(self, inner: Endpoint, outer: Endpoint, *options: bytes, **choices: Any) -> Connection:
        """Open a connection; preamble."""
        with preamble():
            return self.opens(inner, outer, *options, **choices)

    def opens(
        self, inner: Endpoint, outer: Endpoint, *options: bytes, called: Tuple | None = None, **choices: Any
    ) -> Connection:
        """A connection opens, with these options on its SYN and SYN-ACK: all three segments pass.

        The first end calls the other by its own tuple unless by another one; `choices` are those of both ends (see
        `TcpPeer`).
        """
        first = self.end(inner, called or outer.place, **choices)
        made = first.start(*options)
        self.answered_first(first, made, outer)
        syn = self.passes_syn(first, made, outer)
        second = self.end(outer, (syn.source, syn.source_port), **choices)
        second.accept(syn, *options)
        self.comes_to(first, lambda: first.state == "ESTABLISHED", "SYN-ACK")
        first.acknowledge()
        self.comes_to(second, lambda: second.state == "ESTABLISHED", "acknowledgement")
        return Connection(first, second, (syn.source, syn.source_port), syn, made)

    def answered_first(self, inner: TcpPeer, sent: Sent, outer: Endpoint) -> None:
        """A SYN is on its way: what a device that may answer in the place of the other end needs is done here."""

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
        return self.passed(sent, other)

    def passed(self, sent: Sent, other: TcpPeer) -> Segment | None:
        """What comes to an end of a connection after something that was sent, in time, if anything does."""
        deadline, since = self._case.deadline(since_ns=sent.ns), self._case.trace.mark_at(sent.frame)
        return first_segment(self._case, lambda segment: other.owns(segment.frame), deadline, since, other.station)

    def last_segment(self, end: TcpPeer) -> Segment:
        """The last segment of a connection that has come to this end."""
        segments = (end.segment_in(frame) for frame in self._case.trace.received())
        return [one for one in segments if one][-1]
