# SPDX-License-Identifier: GPL-2.0-or-later
"""Connections through the box: both ends are the tester's, and what it makes of the segments is judged."""

from typing import Any

from conformance.legacy.dut.nat import ICMP_PROTOCOL, Nat
from testbed.case.expect import preamble
from testbed.case.verdict import Broken, Finding, require
from testbed.interruptions import Inconclusive
from testbed.peers.segment import Segment
from testbed.peers.tcp import TcpPeer
from testbed.peers.through import Connection, Endpoint, Through
from testbed.wire.capture import Frame, Mark, Sent
from testbed.wire.clock import NANO
from testbed.wire.headers import TCP_PROTOCOL


class TcpNat(Nat, Through):
    """The device under test, as far as TCP goes."""

    def opens(self, inner: Endpoint, outer: Endpoint, *options: bytes, **choices: Any) -> Connection:
        """A connection opens (see `Through`), from the address that its host appears with."""
        connection = super().opens(inner, outer, *options, **choices)
        source, right = connection.mapped[0], self.seen_as(inner)
        require(source == right, "source of the SYN", right, source, connection.syn.frame)
        return connection

    def passes_syn_unanswered(self, inner: TcpPeer, sent: Sent, outer: Endpoint) -> Segment:
        """A SYN comes out (see `Through`), and nothing has come back before: nobody but its receiver can answer it."""
        if frame := self._first_answer(inner, sent, outer):
            seen = "an answer before it"
            raise Broken(Finding(f"answer #{frame.index} to the SYN", f"the SYN at {outer}", seen), frame, sent.frame)
        with preamble():
            return self.passes_syn(inner, sent, outer)

    def answered_first(self, inner: TcpPeer, sent: Sent, outer: Endpoint) -> None:
        """A box that answers SYNs itself calls the other end only when it knows that there is somebody who calls."""
        if self._first_answer(inner, sent, outer):
            self.comes_to(inner, lambda: inner.state == "ESTABLISHED", "SYN-ACK")
            inner.acknowledge()

    def _first_answer(self, inner: TcpPeer, sent: Sent, outer: Endpoint) -> Frame | None:
        """What has come back to a SYN before the SYN has come out."""
        deadline, since = self._case.deadline(since_ns=sent.ns), self._case.trace.mark_at(sent.frame)

        def find() -> Frame | None:
            frames = self._case.trace.received(since)
            return next((one for one in frames if inner.owns(one) or self._is_at(outer, one)), None)

        frame = self._case.look(find, deadline)
        return frame if frame and inner.owns(frame) else None

    @staticmethod
    def _is_at(outer: Endpoint, frame: Frame) -> bool:
        segment = Segment.read(frame, outer.station.network)
        return segment is not None and (segment.destination, segment.destination_port) == outer.place

    def passes_segment(self, sent: Sent, other: TcpPeer, what: str) -> Segment:
        """A segment comes to the other end of its connection, in time; preamble."""
        came = self.passed(sent, other)
        if came is None:
            raise Inconclusive(f"preamble: no {what} at {other}")
        return came

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
