# SPDX-License-Identifier: GPL-2.0-or-later
"""A host that knows none of the protocols: the kernel as it is, and a bump before it that changes nothing.

The bump is there for deviations, which take, change and add packets. An ordinary kernel on the wire itself, without a
bump, is `python -m reference kernel`.
"""

from collections.abc import Callable

from reference.bump.segment import Segment, read
from reference.bump.tcp import FIN, RST, SYN


class LegacyHost:
    """What happens to packets between wire and kernel: nothing."""

    role = "host"

    def __init__(self, to_wire: Callable[[bytes], None], to_kernel: Callable[[bytes], None], carrier: int) -> None:
        self.to_wire, self.to_kernel = to_wire, to_kernel
        self.carrier = carrier  # the IP protocol number of ICMPv5, of which only deviations know

    def from_wire(self, packet: bytes) -> None:
        """An IPv4 packet for the kernel."""
        self.to_kernel(packet)

    def from_kernel(self, packet: bytes) -> None:
        """An IPv4 packet for the wire."""
        self.to_wire(packet)


class WatchingHost(LegacyHost):
    """One that knows its connections: for deviations that look at segments, or end connections.

    `connections` has for each (address, port, own port) the peer's next sequence number, and the own address.
    """

    def __init__(self, to_wire: Callable[[bytes], None], to_kernel: Callable[[bytes], None], carrier: int) -> None:
        super().__init__(to_wire, to_kernel, carrier)
        self.connections: dict[tuple[int, int, int], tuple[int, int]] = {}

    def from_wire(self, packet: bytes) -> None:
        segment = read(packet)
        if segment is not None:
            if not self.takes(segment):
                return
            if segment.flags & SYN or self.knows(segment):
                length = len(segment.data) + bool(segment.flags & SYN) + bool(segment.flags & FIN)
                following = (segment.sequence + length) & 0xFFFFFFFF
                self.connections[segment.source, segment.port, segment.to_port] = following, segment.destination
        super().from_wire(packet)

    def takes(self, segment: Segment) -> bool:
        """Whether a segment reaches the kernel."""
        return True

    def knows(self, segment: Segment) -> bool:
        """Whether the segment is one of a connection that its sender has opened or accepted."""
        return (segment.source, segment.port, segment.to_port) in self.connections

    def ends(self, address: int | None) -> None:
        """Have the kernel believe that this peer has reset all its connections."""
        for key in [key for key in self.connections if key[0] == address]:
            sequence, own = self.connections.pop(key)
            self.to_kernel(Segment(key[0], own, *key[1:], sequence, 0, RST).packet())
