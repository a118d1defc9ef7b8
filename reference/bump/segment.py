# SPDX-License-Identifier: GPL-2.0-or-later
"""Whole TCP segments in IPv4, read from a packet and written as one: for hosts and alterations that change them."""

import struct
from dataclasses import dataclass, replace

from reference.bump.checksum import checksum
from reference.bump.network import TCP
from reference.bump.tcp import ACK, CHECKSUM_AT, MAXIMUM_OPTIONS, RST, SEGMENT, SYN, TIMESTAMPS, split

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
        pseudo = self.source + self.destination + TCP + len(segment)
        struct.pack_into("!H", segment, CHECKSUM_AT, checksum(segment, pseudo))
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
