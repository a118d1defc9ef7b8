# SPDX-License-Identifier: GPL-2.0-or-later
"""Network `ipff`: the native header on the wire, IPv6 at the kernel.

Between the two, here and nowhere else, a packet gets the other header, its checksum the other pseudo-header, UDP the
other shape (see `ipff_wire`, and `addresses` for the kernel's addresses). Everything further in knows the checksums of
IPv6, and messages of ICMPv5 whose checksum covers themselves alone. A wrong checksum stays wrong by as much. A host
that has moved has another address on the wire than in its kernel.
"""

import struct
from dataclasses import dataclass
from typing import Self

from reference.bump.flows import Flow, Flows
from reference.bump.ipff_wire import (
    VERSION,
    Header,
    Reading,
    insert_udp_length,
    is_valid,
    remove_udp_length,
    shift_checksum,
    shift_udp_checksum,
)
from reference.bump.network import ETHERNET, TCP, UDP, Network, NetworkSettings, Packet
from reference.bump.tcp import CHECKSUM_AT
from reference.system.addresses import KERNEL_PREFIX, ipff_from_text, ipff_text, kernel_address
from reference.system.configuration import Table

_KERNEL = struct.Struct("!IHBB8sQ8sQ")
_KERNEL_LENGTH = 40
_LARGEST_OF_IPV6 = 0xFF  # protocol number
_HOPS = 64
_MESSAGE_CHECKSUM_AT = 2


@dataclass(frozen=True)
class IpffSettings(NetworkSettings):
    """The table `ipff`."""

    name = "ipff"
    is_ipv6 = True
    address: int
    ethertype: int
    icmp_protocol: int
    neighbour_mac: bytes
    reading: Reading

    @classmethod
    def read(cls, table: Table) -> Self:
        return cls(
            address=table.address("address", ipff_from_text),
            ethertype=table.integer("ethertype", 0x0600, 0xFFFF, 0x88B5),
            icmp_protocol=table.integer("icmp_protocol", 0, 0x3FFF, 1),
            neighbour_mac=table.mac("neighbour_mac"),
            reading=Reading.read(table),
        )

    @property
    def text(self) -> str:
        return ipff_text(self.address)

    @property
    def kernel_address(self) -> bytes:
        return kernel_address(self.address)

    @property
    def kernel_route(self) -> tuple[bytes, int]:
        return KERNEL_PREFIX + bytes(8), 64

    def network(self, flows: Flows, kind: "type[IpffNetwork] | None" = None) -> "IpffNetwork":
        return (kind or IpffNetwork)(self, flows)


class IpffNetwork(Network):
    """IPFF straight on Ethernet, neighbours known beforehand."""

    name = "ipff"
    kernel_ethertype = 0x86DD
    unicast_only = False

    def __init__(self, settings: IpffSettings, flows: Flows) -> None:
        super().__init__(flows)
        self.own = self.kernel_own = settings.address
        self.ethertype = settings.ethertype
        self.icmp_protocol = settings.icmp_protocol
        self.neighbour_mac = settings.neighbour_mac
        self.reading, self.format = settings.reading, settings.reading.format
        self._tcp_excess = self.reading.protocol_excess(TCP)
        self._udp_excess = self.reading.protocol_excess(UDP)

    def text(self, address: int) -> str:
        return ipff_text(address)

    def to_ipff(self, address: int) -> int:
        return address

    def from_ipff(self, address: int) -> int | None:
        return address

    def is_peer(self, address: int) -> bool:
        return address not in (0, self.own)

    def parse_wire(self, buffer: bytearray, at: int, end: int) -> Packet | None:
        start = at + self.format.layout.size
        if end < start:
            return None
        header = self.format.read(buffer, at)
        if header.destination != self.own or header.source == self.own or not self.is_sound(header, end - start):
            return None
        end = start + header.length
        if header.protocol == self.icmp_protocol:
            self._message(buffer, start, end, -self.reading.message_sum(self.own + header.source, end - start))
        elif header.protocol == TCP:
            self._segment(buffer, start, end, -self._tcp_excess)
        elif header.protocol == UDP:
            start = self._datagram_from_wire(buffer, start, end)
        elif header.protocol > _LARGEST_OF_IPV6:
            return None
        return Packet(header.protocol, header.source, start, end)

    def is_sound(self, header: Header, room: int) -> bool:
        """Whether a header is one of IPFF, says no more than the frame holds, and names a host's address."""
        return header.version == VERSION and header.length <= room and is_valid(header.source)

    def is_header_intact(self, buffer: bytearray, at: int, start: int) -> bool:
        return True

    def parse_kernel(self, buffer: bytearray, at: int, end: int) -> Packet | None:
        _, length, protocol, _, near, source, far, destination = _KERNEL.unpack_from(buffer, at)
        start = at + _KERNEL.size
        if source != self.kernel_own or near != KERNEL_PREFIX or far != KERNEL_PREFIX or length > end - start:
            return None
        return Packet(protocol, destination, start, start + length)

    def enter_kernel(self, buffer: bytearray, at: int, packet: Packet, flow: Flow | None) -> int:
        header = self.format.read(buffer, at)
        peer = packet.peer if flow is None else flow.kernel_address
        first = 6 << 28 | header.service << 20
        start = packet.start - _KERNEL_LENGTH
        fields = packet.end - packet.start, packet.protocol, header.hops
        _KERNEL.pack_into(buffer, start, first, *fields, KERNEL_PREFIX, peer, KERNEL_PREFIX, self.kernel_own)
        buffer[start - ETHERNET : start] = self.kernel_ethernet
        return start - ETHERNET

    def enter_wire(self, buffer: bytearray, at: int, packet: Packet, flow: Flow | None) -> int:
        first, _, protocol, hops = struct.unpack_from("!IHBB", buffer, at)
        peer = packet.peer if flow is None else flow.wire_address
        start, end = self._onto_wire(buffer, protocol, packet.start, packet.end), packet.end
        header = self._pack(peer, protocol, end - start, hops, first >> 20 & 0xFF)
        buffer[start - len(header) : start] = header
        return start - len(header)

    def build(self, peer: int, protocol: int, payload: bytes) -> bytes:
        packet = bytearray(payload)
        if protocol == self.icmp_protocol:
            self._message(packet, 0, len(packet), self.reading.message_sum(self.own + peer, len(packet)))
        start = self._onto_wire(packet, protocol, 0, len(packet))
        return self._pack(peer, protocol, len(packet) - start) + bytes(packet[start:])

    def build_for_kernel(self, peer: int, protocol: int, payload: bytes) -> bytes:
        addresses = KERNEL_PREFIX, peer, KERNEL_PREFIX, self.kernel_own
        return _KERNEL.pack(6 << 28, len(payload), protocol, _HOPS, *addresses) + payload

    def lengthen(self, buffer: bytearray, at: int, more: int) -> None:
        (length,) = struct.unpack_from("!H", buffer, at + 4)
        struct.pack_into("!H", buffer, at + 4, length + more)

    def _pack(self, peer: int, protocol: int, length: int, hops: int = _HOPS, service: int = 0) -> bytes:
        return self.format.pack(Header(VERSION, self.own, peer, protocol, hops, service, length))

    def _onto_wire(self, buffer: bytearray, protocol: int, start: int, end: int) -> int:
        """Give what the kernel has sent the checksum and the shape of the wire; returns where it starts then."""
        if protocol == TCP:
            self._segment(buffer, start, end, self._tcp_excess)
        elif protocol == UDP:
            return self._datagram_from_kernel(buffer, start, end)
        return start

    def _message(self, buffer: bytearray, start: int, end: int, delta: int) -> None:
        if end - start >= _MESSAGE_CHECKSUM_AT + 2:
            shift_checksum(buffer, start + _MESSAGE_CHECKSUM_AT, delta)

    def _segment(self, buffer: bytearray, start: int, end: int, delta: int) -> None:
        if delta and end - start >= CHECKSUM_AT + 2:
            shift_checksum(buffer, start + CHECKSUM_AT, delta)

    def _datagram_from_wire(self, buffer: bytearray, start: int, end: int) -> int:
        if not self.reading.udp_has_length and end - start >= 6:
            return insert_udp_length(buffer, start, end, self._udp_excess)
        if end - start >= 8:
            shift_udp_checksum(buffer, start, -self._udp_excess)
        return start

    def _datagram_from_kernel(self, buffer: bytearray, start: int, end: int) -> int:
        if end - start < 8:
            return start
        if not self.reading.udp_has_length:
            return remove_udp_length(buffer, start, end, self._udp_excess)
        shift_udp_checksum(buffer, start, self._udp_excess)
        return start
