# SPDX-License-Identifier: GPL-2.0-or-later
"""A host that knows none of the protocols: the kernel as it is, and a bump before it that changes nothing.

The bump is there for deviations, which take, change and add packets. An ordinary kernel on the wire itself, without a
bump, is `python -m reference kernel`.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass, replace

from reference.bump.checksum import checksum, words_sum
from reference.bump.network import TCP
from reference.bump.tcp import ACK, CHECKSUM_AT, FIN, MAXIMUM_OPTIONS, RST, SEGMENT, SYN, TIMESTAMPS, split

_IP = struct.Struct("!BBHHHBBHII")
_KNOWN = {0, 1, 2, 3, 4, 5, 8}


@dataclass(frozen=True)
class Segment:
    """A TCP segment and the addresses it travels between; `area` are the bytes of its options."""

    source: int
    destination: int
    port: int
    to_port: int
    sequence: int
    acknowledgement: int
    flags: int
    window: int = 0
    area: bytes = b""
    data: bytes = b""

    @property
    def options(self) -> list[tuple[int, bytes]]:
        """Kind and bytes of each option, as far as they are well-formed."""
        return list(split(self.area))

    @property
    def unknown(self) -> list[tuple[int, bytes]]:
        """The options that an ordinary TCP does not know."""
        return [(kind, option) for kind, option in self.options if kind not in _KNOWN]

    @property
    def is_malformed(self) -> bool:
        """Whether an option has an illegal length."""
        read = sum(len(option) for _, option in self.options)
        return read < len(self.area) and self.area[read] != 0

    @property
    def has_timestamps(self) -> bool:
        """Whether it carries timestamps."""
        return any(kind == TIMESTAMPS for kind, _ in self.options)

    def is_reset(self) -> bool:
        """Whether it refuses or aborts."""
        return bool(self.flags & RST)

    def is_syn(self) -> bool:
        """Whether it opens a connection."""
        return self.flags & (SYN | ACK) == SYN

    def with_options(self, *options: bytes) -> "Segment":
        """The same with these options only."""
        area = b"".join(options)
        area += bytes(-len(area) % 4)
        assert len(area) <= MAXIMUM_OPTIONS
        return replace(self, area=area)

    def reset(self) -> "Segment":
        """The reset that answers it (RFC 9293, 3.10.7.1)."""
        length = len(self.data) + bool(self.flags & SYN)
        sequence = self.acknowledgement if self.flags & ACK else 0
        ends = self.destination, self.source, self.to_port, self.port
        return Segment(*ends, sequence, (self.sequence + length) & 0xFFFFFFFF, RST | ACK)

    def to(self, destination: int) -> "Segment":
        """The same for another address."""
        return replace(self, destination=destination)

    def packet(self) -> bytes:
        """The IPv4 packet, with right checksums."""
        offset = (SEGMENT.size + 2 + len(self.area)) << 2
        numbers = self.port, self.to_port, self.sequence, self.acknowledgement
        segment = bytearray(SEGMENT.pack(*numbers, offset, self.flags, self.window, 0) + b"\0\0")
        segment += self.area + self.data
        total = (self.source + self.destination + TCP + len(segment) + words_sum(segment)) % 0xFFFF
        struct.pack_into("!H", segment, CHECKSUM_AT, 0xFFFF - (total or 0xFFFF))
        return ipv4(self.source, self.destination, TCP, bytes(segment))


def ipv4(source: int, destination: int, protocol: int, payload: bytes) -> bytes:
    """An IPv4 packet."""
    fields = [0x45, 0, _IP.size + len(payload), 0, 0x4000, 64, protocol, 0, source, destination]
    fields[7] = checksum(_IP.pack(*fields))
    return _IP.pack(*fields) + payload


def addresses(packet: bytes) -> tuple[int, int]:
    """Source and destination of an IPv4 packet."""
    source, destination = struct.unpack_from("!II", packet, 12)
    return source, destination


def payload(packet: bytes, protocol: int) -> bytes | None:
    """What an IPv4 packet carries; None if it is of another protocol."""
    length = int.from_bytes(packet[2:4], "big")
    return packet[(packet[0] & 0xF) << 2 : length] if packet[9] == protocol else None


def read(packet: bytes) -> Segment | None:
    """The TCP segment in an IPv4 packet; None if there is none."""
    content = payload(packet, TCP)
    if content is None or len(content) < 20:
        return None
    port, to_port, sequence, acknowledgement, offset, flags, window, _ = SEGMENT.unpack_from(content)
    data = offset >> 2 & 0x3C
    numbers = port, to_port, sequence, acknowledgement, flags, window
    return Segment(*addresses(packet), *numbers, content[20:data], content[data:])


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
