# SPDX-License-Identifier: GPL-2.0-or-later
"""IPFF as a router sees it (draft-eromenko-ipff-00): no fragments, no checksum of its header.

Addresses weigh the same in the pseudo-header of every reading, so a changed address shifts a transport checksum by the
difference.
"""

import struct

from reference.bump.ipff_wire import VERSION, Draft, Header, Reading, is_valid
from reference.middlebox.packet import BoxNetwork, Packet
from reference.system.addresses import IPFF_MASK, ipff_text

_HOPS = 64
_MULTICAST = 99 << 10 | 9  # the first two fields
_LOOPBACK = 1


def is_host(address: int) -> bool:
    """Whether an address may be that of a host: neither none, loopback nor multicast, and all fields to 999."""
    return address > _LOOPBACK and address >> 30 != _MULTICAST and is_valid(address)


class BoxIpff(BoxNetwork):
    """IPFF straight on Ethernet."""

    name = "ipff"

    def __init__(self, ethertype: int, icmp_protocol: int, reading: Reading) -> None:
        self.ethertype, self.icmp_protocol, self.reading = ethertype, icmp_protocol, reading
        self.format = reading.format
        if not reading.udp_has_length:
            self.udp_checksum_at, self.udp_header = 4, 6
        #: Where a header has its source, its destination and its hops to live.
        self._places = (0, 8, 16) if self.format is Draft else (8, 16, 6)

    def text(self, address: int) -> str:
        return ipff_text(address)

    def to_ipff(self, address: int) -> int:
        return address

    def from_ipff(self, address: int) -> int | None:
        return address

    def parse(self, buffer: bytearray, at: int, end: int) -> Packet | None:
        start = at + self.format.layout.size
        if end < start:
            return None
        header = self.format.read(buffer, at)
        if header.version != VERSION or header.length > end - start:
            return None
        if not (is_host(header.source) and is_host(header.destination)):
            return None
        place = at, start, start + header.length
        return Packet(self, buffer, place, header.protocol, header.hops, (header.source, header.destination))

    def quoted(self, buffer: bytearray, at: int, end: int) -> Packet | None:
        start = at + self.format.layout.size
        if end < start:
            return None
        header = self.format.read(buffer, at)
        if header.version != VERSION:
            return None
        place = at, start, min(end, start + header.length)
        return Packet(self, buffer, place, header.protocol, header.hops, (header.source, header.destination))

    def write_source(self, packet: Packet, address: int) -> None:
        self._write(packet, self._places[0], address)

    def write_destination(self, packet: Packet, address: int) -> None:
        self._write(packet, self._places[1], address)

    @staticmethod
    def _write(packet: Packet, offset: int, address: int) -> None:
        (words,) = struct.unpack_from("!Q", packet.buffer, packet.at + offset)
        struct.pack_into("!Q", packet.buffer, packet.at + offset, words & ~IPFF_MASK | address)

    def take_a_hop(self, packet: Packet) -> None:
        packet.hops -= 1
        packet.buffer[packet.at + self._places[2]] -= 1

    def may_be_divided(self, packet: Packet) -> bool:
        return False

    def pieces(self, packet: Packet, mtu: int) -> list[bytes]:
        raise ValueError("no packet of IPFF is fragmented")

    def build(self, source: int, destination: int, protocol: int, payload: bytes) -> bytes:
        return self.format.pack(Header(VERSION, source, destination, protocol, _HOPS, 0, len(payload))) + payload
