# SPDX-License-Identifier: GPL-2.0-or-later
"""A packet on its way through the device, and the networks that it may be of.

A packet stays in the buffer that its frame was read into; what is changed is changed there. Addresses are numbers. The
checksum of a header that is changed, and the one of a transport header that covers the address, are shifted by the
difference (RFC 1624): a wrong one stays wrong by as much.
"""

import struct
from abc import ABC, abstractmethod
from typing import ClassVar

from reference.bump.checksum import adjust

ICMP, TCP, UDP = 1, 6, 17
_TCP_CHECKSUM = 16
_TCP_HEADER = 20
_PORTS = 4


class Packet:
    """One packet in a buffer: its network header begins at `at`, its payload at `start`, and it stops before `end`."""

    __slots__ = ("at", "buffer", "destination", "end", "hops", "is_fragment", "network", "protocol", "source", "start")

    def __init__(
        self,
        network: "BoxNetwork",
        buffer: bytearray,
        place: tuple[int, int, int],
        protocol: int,
        hops: int,
        ends: tuple[int, int],
    ) -> None:
        self.network, self.buffer = network, buffer
        self.at, self.start, self.end = place
        self.protocol, self.hops = protocol, hops
        self.source, self.destination = ends
        self.is_fragment = False

    def __len__(self) -> int:
        return self.end - self.at

    @property
    def payload(self) -> bytes:
        """What follows the network header."""
        return bytes(self.buffer[self.start : self.end])

    @property
    def whole(self) -> bytes:
        """The packet from its network header on."""
        return bytes(self.buffer[self.at : self.end])

    def ports(self) -> tuple[int, int] | None:
        """Source and destination port of TCP or UDP; None where the header is not there."""
        if self.protocol not in (TCP, UDP) or self.end - self.start < self.network.shortest(self.protocol):
            return None
        source, destination = struct.unpack_from("!HH", self.buffer, self.start)
        return source, destination

    def leading_ports(self) -> tuple[int, int] | None:
        """The ports of TCP or UDP where at least they are there, as in a packet that an error quotes."""
        if self.end - self.start < _PORTS:
            return None
        source, destination = struct.unpack_from("!HH", self.buffer, self.start)
        return source, destination

    def change_source(self, address: int, port: int | None = None) -> None:
        """Have the packet come from elsewhere, from another port if one is given."""
        self._change(0, self.source, address, port)
        self.network.write_source(self, address)
        self.source = address

    def change_destination(self, address: int, port: int | None = None) -> None:
        """Have the packet go elsewhere, to another port if one is given."""
        self._change(2, self.destination, address, port)
        self.network.write_destination(self, address)
        self.destination = address

    def _change(self, offset: int, old: int, new: int, port: int | None) -> None:
        delta = new - old
        if port is not None:
            (before,) = struct.unpack_from("!H", self.buffer, self.start + offset)
            struct.pack_into("!H", self.buffer, self.start + offset, port)
            delta += port - before
        where = self.network.checksum_at(self.protocol)
        if where is not None and self.end - self.start >= where + 2:
            shift(self.buffer, self.start + where, delta, is_optional=self.protocol == UDP)


def shift(buffer: bytearray, at: int, delta: int, *, is_optional: bool = False) -> None:
    """Have the checksum at `at` cover words that have grown by `delta`; one that is optional and zero is none."""
    (field,) = struct.unpack_from("!H", buffer, at)
    if is_optional:
        if field:
            struct.pack_into("!H", buffer, at, adjust(field, delta % 0xFFFF) or 0xFFFF)
        return
    struct.pack_into("!H", buffer, at, adjust(field, delta % 0xFFFF))


class BoxNetwork(ABC):
    """A network protocol as a device sees it that is between two links."""

    name: ClassVar[str]
    ethertype: int
    icmp_protocol: int  # of ICMPv5
    udp_checksum_at = 6
    udp_header = 8

    @abstractmethod
    def text(self, address: int) -> str:
        """An address for people."""

    @abstractmethod
    def parse(self, buffer: bytearray, at: int, end: int) -> Packet | None:
        """The packet at `at` of a frame that ends at `end`; None unless it is sound and may be forwarded."""

    @abstractmethod
    def quoted(self, buffer: bytearray, at: int, end: int) -> Packet | None:
        """The start of a packet that an error quotes at `at`; None where its header is not there or is damaged."""

    @abstractmethod
    def write_source(self, packet: Packet, address: int) -> None:
        """Write the source into the network header."""

    @abstractmethod
    def write_destination(self, packet: Packet, address: int) -> None:
        """Write the destination into the network header."""

    @abstractmethod
    def take_a_hop(self, packet: Packet) -> None:
        """Have the packet one hop less to live."""

    @abstractmethod
    def may_be_divided(self, packet: Packet) -> bool:
        """Whether the packet may be fragmented where it is too large."""

    @abstractmethod
    def pieces(self, packet: Packet, mtu: int) -> list[bytes]:
        """The packet in fragments of at most this size, in order."""

    @abstractmethod
    def build(self, source: int, destination: int, protocol: int, payload: bytes) -> bytes:
        """A packet of the device's own."""

    @abstractmethod
    def to_ipff(self, address: int) -> int:
        """An address as an IPFF address, 50 bits."""

    @abstractmethod
    def from_ipff(self, address: int) -> int | None:
        """The address that an IPFF address means here; None when it means none."""

    def checksum_at(self, protocol: int) -> int | None:
        """Where the checksum of a transport header is that covers the addresses; None where there is none."""
        if protocol == TCP:
            return _TCP_CHECKSUM
        return self.udp_checksum_at if protocol == UDP else None

    def shortest(self, protocol: int) -> int:
        """The length of the shortest transport header."""
        return _TCP_HEADER if protocol == TCP else self.udp_header
