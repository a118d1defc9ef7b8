# SPDX-License-Identifier: GPL-2.0-or-later
"""Connections through the NAT: both ends are the tester's, and what the NAT makes of the segments is judged."""

from typing import Any

from conformance.legacy.dut.nat import ICMP_PROTOCOL, Nat
from testbed.case.verdict import Broken, Finding, require
from testbed.peers.tcp import TcpPeer
from testbed.peers.through import Connection, Endpoint, Through
from testbed.wire.capture import Frame, Mark, Sent
from testbed.wire.clock import NANO
from testbed.wire.headers import TCP_PROTOCOL


class TcpNat(Nat, Through):
    """The device under test, as far as TCP goes."""

    def opens(self, inner: Endpoint, outer: Endpoint, *options: bytes, **choices: Any) -> Connection:
        """A connection opens (see `Through`), from the NAT's outside address."""
        connection = super().opens(inner, outer, *options, **choices)
        source, frame = connection.mapped[0], connection.syn.frame
        require(source == self.outside_address, "source of the SYN", self.outside_address, source, frame)
        return connection

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
