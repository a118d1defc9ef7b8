# SPDX-License-Identifier: GPL-2.0-or-later
"""Variants of a legacy host in what it answers to what it does not know or like."""

from reference.bump.segment import Segment, payload, read
from reference.legacy.host import LegacyHost, WatchingHost
from reference.system.alterations import variant


@variant(
    "illegal-length-resets",
    "9293.3.1",
    "A suggested procedure for an illegal option length is to reset the connection.",
    "a segment with one ends its connection, on both sides, and a SYN with one is refused",
)
class IllegalLengthResets(WatchingHost):
    def takes(self, segment: Segment) -> bool:
        if not segment.is_malformed or segment.is_reset():
            return True
        self.to_wire(segment.reset().packet())
        ends = segment.source, segment.port, segment.to_port
        if ends in self.connections:
            sequence, own = self.connections.pop(ends)
            self.to_kernel(Segment(ends[0], own, *ends[1:], sequence, 0, 4).packet())
        return False


@variant(
    "unknown-protocol-discarded",
    "1122.3.2.2.1",
    "A host SHOULD answer with Protocol Unreachable; many filter.",
    "a datagram of an unknown protocol is discarded in silence",
)
class UnknownProtocolDiscarded(LegacyHost):
    def from_wire(self, packet: bytes) -> None:
        if payload(packet, self.carrier) is None:
            super().from_wire(packet)


@variant(
    "resets-nothing-unknown",
    "9293.3.1",
    "A host behind a filter does not say which ports it has.",
    "a segment for no connection, and a SYN for a closed port, is discarded in silence",
)
class ResetsNothingUnknown(WatchingHost):
    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._known: set[tuple[int, int, int]] = set()

    def from_kernel(self, packet: bytes) -> None:
        segment = read(packet)
        if segment is None:
            super().from_kernel(packet)
            return
        ends = segment.destination, segment.to_port, segment.port
        if not segment.is_reset():
            self._known.add(ends)
        if ends in self._known:
            super().from_kernel(packet)
