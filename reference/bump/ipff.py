# SPDX-License-Identifier: GPL-2.0-or-later
"""Network `ipff`: the native header on the wire, IPv6 at the kernel.

24 bytes in network order. Word 0: Version 4 bits (5), Traffic Class 8, Flow Label 20, Payload Length 16, Hop Limit 8,
Reserved 8. Word 1: Protocol 14, Source Address 50. Word 2: Reserved 14, Destination Address 50. But for the version its
first six bytes are those of IPv6, and no checksum changes on the way (see `addresses`). A host that has moved has
another address on the wire than in its kernel.
"""

import struct
from dataclasses import dataclass
from typing import Self

from reference.bump.flows import Flow, Flows
from reference.bump.network import ETHERNET, Network, NetworkSettings, Packet
from reference.system.addresses import IPFF_MASK, KERNEL_PREFIX, ipff_from_text, ipff_text, kernel_address
from reference.system.configuration import Table

_WIRE = struct.Struct("!IHBBQQ")
_KERNEL = struct.Struct("!IHBB8sQ8sQ")
_VERSION = 5
_KERNEL_LENGTH = 40


@dataclass(frozen=True)
class IpffSettings(NetworkSettings):
    """The table `ipff`."""

    name = "ipff"
    is_ipv6 = True
    address: int
    ethertype: int
    icmp_protocol: int
    neighbour_mac: bytes

    @classmethod
    def read(cls, table: Table) -> Self:
        return cls(
            address=table.address("address", ipff_from_text),
            ethertype=table.integer("ethertype", 0x0600, 0xFFFF, 0x88B5),
            icmp_protocol=table.integer("icmp_protocol", 0, 0x3FFF, 1),
            neighbour_mac=table.mac("neighbour_mac"),
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

    def network(self, flows: Flows) -> "IpffNetwork":
        return IpffNetwork(self, flows)


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

    def text(self, address: int) -> str:
        return ipff_text(address)

    def to_ipff(self, address: int) -> int:
        return address

    def from_ipff(self, address: int) -> int | None:
        return address

    def is_peer(self, address: int) -> bool:
        return address not in (0, self.own)

    def parse_wire(self, buffer: bytearray, at: int, end: int) -> Packet | None:
        if end - at < _WIRE.size:
            return None
        first, length, _, _, word1, word2 = _WIRE.unpack_from(buffer, at)
        source = word1 & IPFF_MASK
        start = at + _WIRE.size
        if first >> 28 != _VERSION or length > end - start or word2 & IPFF_MASK != self.own or source == self.own:
            return None
        return Packet(word1 >> 50, source, start, start + length)

    def is_header_intact(self, buffer: bytearray, at: int, start: int) -> bool:
        return True

    def parse_kernel(self, buffer: bytearray, at: int, end: int) -> Packet | None:
        if end - at < _KERNEL.size:
            return None
        _, length, protocol, _, near, source, far, destination = _KERNEL.unpack_from(buffer, at)
        start = at + _KERNEL.size
        if source != self.kernel_own or near != KERNEL_PREFIX or far != KERNEL_PREFIX or length > end - start:
            return None
        return Packet(protocol, destination, start, start + length)

    def enter_kernel(self, buffer: bytearray, at: int, packet: Packet, flow: Flow | None) -> int:
        first, length, hops = struct.unpack_from("!IHB", buffer, at)
        peer = packet.peer if flow is None else flow.kernel_address
        first = first & 0x0FFFFFFF | 6 << 28
        start = packet.start - _KERNEL_LENGTH
        protocol = packet.protocol
        own = self.kernel_own
        _KERNEL.pack_into(buffer, start, first, length, protocol, hops, KERNEL_PREFIX, peer, KERNEL_PREFIX, own)
        buffer[start - ETHERNET : start] = self.kernel_ethernet
        return start - ETHERNET

    def enter_wire(self, buffer: bytearray, at: int, packet: Packet, flow: Flow | None) -> int:
        first, length, protocol, hops = struct.unpack_from("!IHBB", buffer, at)
        peer = packet.peer if flow is None else flow.wire_address
        first = first & 0x0FFFFFFF | _VERSION << 28
        start = packet.start - _WIRE.size
        _WIRE.pack_into(buffer, start, first, length, hops, 0, protocol << 50 | self.own, peer)
        return start

    def build(self, peer: int, protocol: int, payload: bytes) -> bytes:
        return _WIRE.pack(_VERSION << 28, len(payload), 64, 0, protocol << 50 | self.own, peer) + payload

    def build_for_kernel(self, peer: int, protocol: int, payload: bytes) -> bytes:
        addresses = KERNEL_PREFIX, peer, KERNEL_PREFIX, self.kernel_own
        return _KERNEL.pack(6 << 28, len(payload), protocol, 64, *addresses) + payload

    def lengthen(self, buffer: bytearray, at: int, more: int) -> None:
        (length,) = struct.unpack_from("!H", buffer, at + 4)
        struct.pack_into("!H", buffer, at + 4, length + more)
