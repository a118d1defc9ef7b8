# SPDX-License-Identifier: GPL-2.0-or-later
"""Network `ipv4`: a.b.c.d stands for the IPFF address 0.a.b.c.d, the kernel sees the packet as it is.

A host that has moved has another address on the wire than in its kernel.
"""

import struct
from dataclasses import dataclass
from typing import Self

from reference.bump.checksum import adjust, checksum, is_intact
from reference.bump.flows import Flow, Flows
from reference.bump.fragments import MORE, OFFSET, Fragments
from reference.bump.network import ETHERNET, TCP, UDP, Network, NetworkSettings, Packet
from reference.system.addresses import ipv4_as_ipff, ipv4_from_text, ipv4_of_ipff, ipv4_text
from reference.system.configuration import Table

_HEADER = struct.Struct("!BBHHHBBHII")
_CHECKSUM, _SOURCE, _DESTINATION = 10, 12, 16
_FRAGMENT = MORE | OFFSET
ICMP, ECHO_REQUEST = 1, 8


@dataclass(frozen=True)
class Ipv4Settings(NetworkSettings):
    """The table `ipv4`."""

    name = "ipv4"
    is_ipv6 = False
    address: int
    prefix_length: int
    icmp_protocol: int

    @classmethod
    def read(cls, table: Table) -> Self:
        return cls(
            address=table.address("address", ipv4_from_text),
            prefix_length=table.integer("prefix_length", 1, 30),
            icmp_protocol=table.integer("icmp_protocol", 0, 255, 254),
        )

    @property
    def text(self) -> str:
        return ipv4_text(self.address)

    @property
    def kernel_address(self) -> bytes:
        return self.address.to_bytes(4, "big")

    @property
    def kernel_route(self) -> tuple[bytes, int]:
        mask = (1 << (32 - self.prefix_length)) - 1
        return (self.address & ~mask).to_bytes(4, "big"), self.prefix_length

    def network(self, flows: Flows, kind: "type[Ipv4Network] | None" = None) -> "Ipv4Network":
        return (kind or Ipv4Network)(self, flows)


class Ipv4Network(Network):
    """IPv4 straight on Ethernet, neighbours found by ARP."""

    name = "ipv4"
    ethertype = 0x0800
    kernel_ethertype = 0x0800
    unicast_only = True

    def __init__(self, settings: Ipv4Settings, flows: Flows) -> None:
        super().__init__(flows)
        self.own = self.kernel_own = settings.address
        self.icmp_protocol = settings.icmp_protocol
        self._host_mask = (1 << (32 - settings.prefix_length)) - 1
        self._identification = 0
        self._fragments = Fragments()

    def text(self, address: int) -> str:
        return ipv4_text(address)

    def to_ipff(self, address: int) -> int:
        return ipv4_as_ipff(address)

    def from_ipff(self, address: int) -> int | None:
        return ipv4_of_ipff(address)

    def is_peer(self, address: int) -> bool:
        host = address & self._host_mask
        on_link = (address ^ self.own) & ~self._host_mask == 0
        return on_link and host not in (0, self._host_mask) and address != self.own

    def parse_wire(self, buffer: bytearray, at: int, end: int) -> Packet | None:
        if end - at < 20:
            return None
        first, _, length, _, fragment, _, protocol, _, source, destination = _HEADER.unpack_from(buffer, at)
        header = (first & 0xF) << 2
        if first >> 4 != 4 or header < 20 or not header <= length <= end - at or destination != self.own:
            return None
        if protocol in (TCP, UDP, self.icmp_protocol) and fragment & _FRAGMENT:
            return self._fragment_from_wire(buffer, at, header, length)
        if source == self.own or (protocol == ICMP and (length == header or buffer[at + header] != ECHO_REQUEST)):
            return None
        return Packet(protocol, source, at + header, at + length)

    def _fragment_from_wire(self, buffer: bytearray, at: int, header: int, length: int) -> Packet | None:
        """Take a fragment; the packet, in its place in the buffer, when it is whole."""
        if not self.is_header_intact(buffer, at, at + header):
            return None
        whole = self._fragments.add(bytes(buffer[at : at + header]), bytes(buffer[at + header : at + length]))
        if whole is None:
            return None
        buffer[at : at + len(whole)] = whole
        return self.parse_wire(buffer, at, at + len(whole))

    def is_header_intact(self, buffer: bytearray, at: int, start: int) -> bool:
        return is_intact(buffer[at:start])

    def parse_kernel(self, buffer: bytearray, at: int, end: int) -> Packet | None:
        first, _, length, _, fragment, _, protocol, _, source, destination = _HEADER.unpack_from(buffer, at)
        if source != self.kernel_own or length > end - at or (protocol == UDP and fragment & _FRAGMENT):
            return None
        return Packet(protocol, destination, at + ((first & 0xF) << 2), at + length)

    def enter_kernel(self, buffer: bytearray, at: int, packet: Packet, flow: Flow | None) -> int:
        if flow is not None and flow.kernel_address != packet.peer:
            self._rewrite(buffer, at, _SOURCE, flow.kernel_address, flow.kernel_address - packet.peer)
        if self.own != self.kernel_own:
            self._rewrite(buffer, at, _DESTINATION, self.kernel_own, self.kernel_own - self.own)
        buffer[at - ETHERNET : at] = self.kernel_ethernet
        return at - ETHERNET

    def enter_wire(self, buffer: bytearray, at: int, packet: Packet, flow: Flow | None) -> int:
        if flow is not None and flow.wire_address != packet.peer:
            self._rewrite(buffer, at, _DESTINATION, flow.wire_address, flow.wire_address - packet.peer)
        if self.own != self.kernel_own:
            self._rewrite(buffer, at, _SOURCE, self.own, self.own - self.kernel_own)
        return at

    @staticmethod
    def _rewrite(buffer: bytearray, at: int, offset: int, address: int, delta: int) -> None:
        struct.pack_into("!I", buffer, at + offset, address)
        (field,) = struct.unpack_from("!H", buffer, at + _CHECKSUM)
        struct.pack_into("!H", buffer, at + _CHECKSUM, adjust(field, delta % 0xFFFF))

    def build(self, peer: int, protocol: int, payload: bytes) -> bytes:
        return self.packet(self.own, peer, protocol, payload)

    def packet(self, source: int, destination: int, protocol: int, payload: bytes | bytearray) -> bytes:
        """A packet between any two addresses."""
        self._identification = (self._identification + 1) & 0xFFFF
        fields = [0x45, 0, 20 + len(payload), self._identification, 0, 64, protocol, 0, source, destination]
        fields[7] = checksum(_HEADER.pack(*fields))
        return _HEADER.pack(*fields) + payload

    def build_for_kernel(self, peer: int, protocol: int, payload: bytes) -> bytes:
        return self.packet(peer, self.kernel_own, protocol, payload)

    def lengthen(self, buffer: bytearray, at: int, more: int) -> None:
        (length,) = struct.unpack_from("!H", buffer, at + 2)
        (field,) = struct.unpack_from("!H", buffer, at + _CHECKSUM)
        struct.pack_into("!H", buffer, at + 2, length + more)
        struct.pack_into("!H", buffer, at + _CHECKSUM, adjust(field, more))
