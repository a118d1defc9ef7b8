# SPDX-License-Identifier: GPL-2.0-or-later
"""How messages and segments travel to the DUT: straight on Ethernet as IPFF, or inside IPv4."""

import functools
import ipaddress
import struct
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw
from scapy.utils import checksum

from layers.fields import address_to_int, address_to_str
from layers.icmpv5 import bind_ipv4_protocol
from profiles import Profile
from profiles.addresses import IPFF_PLACES, ipff_at, ipff_place
from testbed.wire.headers import (
    ETHERNET_HEADER,
    TCP_PROTOCOL,
    UDP_PROTOCOL,
    IpHeader,
    read_ipv4,
    write_ipv4,
)
from testbed.wire.interface import ETHERTYPE_IPV4
from testbed.wire.ipff import IpffReadings
from testbed.wire.leftovers import Key

_DISSECTED = 512


@dataclass(frozen=True)
class Network(ABC):
    """One way to reach the DUT, on one link.

    `dut` is its address there, `first` and `last` are the tester's range of addresses, as numbers; `moves_to` are the
    addresses that the DUT may be told to move to.
    """

    name: ClassVar[str]
    has_arp: ClassVar[bool]
    """Whether neighbours are found by asking; else everybody's Ethernet address is known from the start."""

    datagram: ClassVar[type[Packet]] = UDP
    """The layer of UDP."""

    udp_has_length: ClassVar[bool] = True
    """Whether the header of UDP says the length (RFC 768)."""

    ethertype: int
    icmp_protocol: int
    dut: str
    first: int
    last: int
    moves_to: tuple[str, ...] = ()

    @abstractmethod
    def number(self, address: str) -> int:
        """The address as a number."""

    @abstractmethod
    def address(self, number: int) -> str:
        """The dotted notation of an address."""

    hops_field: ClassVar[str] = "ttl"
    """The field of the network packet that says how many routers it may still pass."""

    places: ClassVar[int] = 1 << 32
    """How many addresses there are that a host may have."""

    def place(self, number: int) -> int:
        """How many addresses that a host may have come before this one."""
        return number

    def at(self, place: int) -> int:
        """The address, as a number, that so many come before."""
        return place

    @abstractmethod
    def packet(self, source: str, destination: str, protocol: int, payload: Packet | bytes) -> Packet:
        """A network packet around `payload`."""

    @abstractmethod
    def enclose(self, source: int, destination: int, protocol: int, payload: bytes) -> bytes:
        """The bytes of a network packet around `payload`."""

    @property
    def header_length(self) -> int:
        """The bytes of a network header."""
        return len(self.enclose(0, 0, 0, b""))

    @abstractmethod
    def read(self, packet: bytes) -> Packet:
        """The network packet in these bytes."""

    @abstractmethod
    def read_header(self, frame: bytes) -> IpHeader | None:
        """The network header of a frame of this network, None if it is cut short."""

    @abstractmethod
    def pseudo_header(self, source: int, destination: int, protocol: int, length: int) -> bytes:
        """What a transport checksum covers beside `length` bytes of payload."""

    def message_checksum(self, source: int, destination: int, message: bytes) -> int:
        """The checksum that a message of ICMPv5 has to have between these ends, whatever it has."""
        blank = message[:2] + bytes(2) + message[4:]
        return int(checksum(self.covered_beside(source, destination, len(message)) + blank))

    def covered_beside(self, source: int, destination: int, length: int) -> bytes:
        """What the checksum of a message of ICMPv5 covers beside its `length` bytes."""
        return b""

    def header(self, frame: bytes) -> IpHeader | None:
        """The network header in a frame; None where there is none of this network."""
        return self.read_header(frame) if frame[12:14] == self.ethertype.to_bytes(2, "big") else None

    def protocol(self, frame: bytes) -> int | None:
        """The protocol number of the network packet in a frame; None where there is none of this network."""
        header = self.header(frame)
        return header.protocol if header else None

    def payload(self, frame: bytes) -> bytes:
        """What the network packet in a frame of this network carries, byte for byte."""
        header = self.read_header(frame)
        return frame[header.start : header.end] if header else b""

    def key(self, address: str) -> Key:
        """What the interface knows a station by."""
        return self.ethertype, self.number(address)

    def frame(self, source_mac: str, destination_mac: str, packet: Packet | bytes) -> bytes:
        """The Ethernet frame around a network packet."""
        addresses = bytes.fromhex((destination_mac + source_mac).replace(":", ""))
        return addresses + self.ethertype.to_bytes(2, "big") + bytes(packet)

    def dissect(self, frame: bytes) -> Packet:
        """The network packet of a frame of this network; anything else as an Ethernet frame.

        It is kept and given again for the same bytes: whoever changes it changes a copy.
        """
        return _dissect(self, frame)

    def tcp_checksum_ok(self, frame: bytes) -> bool:
        """Whether the TCP segment in a frame of this network carries a right checksum (RFC 9293 3.1)."""
        return self._checksum_ok(frame, TCP_PROTOCOL)

    def udp_checksum_ok(self, frame: bytes) -> bool:
        """Whether the UDP datagram in a frame of this network carries a right checksum (RFC 768)."""
        return self._checksum_ok(frame, UDP_PROTOCOL)

    def _checksum_ok(self, frame: bytes, protocol: int) -> bool:
        header = self.read_header(frame)
        if header is None:
            return False
        segment = frame[header.start : header.end]
        covered = self.pseudo_header(header.source, header.destination, protocol, len(segment)) + segment
        return bool(checksum(covered) == 0)


@functools.lru_cache(_DISSECTED)
def _dissect(network: Network, frame: bytes) -> Packet:
    if int.from_bytes(frame[12:14], "big") != network.ethertype:
        return Ether(frame)
    try:
        return network.read(frame[ETHERNET_HEADER:])
    except Exception:  # a layer may say in any way that these bytes are none of its own
        return Raw(frame[ETHERNET_HEADER:])


@dataclass(frozen=True, kw_only=True)
class IpffNetwork(Network):
    """IPFF, natively on Ethernet: 50-bit addresses in five fields."""

    name = "ipff"
    has_arp = False
    places = IPFF_PLACES

    readings: IpffReadings

    def number(self, address: str) -> int:
        return address_to_int(address)

    def address(self, number: int) -> str:
        return address_to_str(number)

    def place(self, number: int) -> int:
        return ipff_place(number)

    def at(self, place: int) -> int:
        return ipff_at(place)

    @property
    def datagram(self) -> type[Packet]:  # type: ignore[override]
        return self.readings.datagram

    @property
    def hops_field(self) -> str:  # type: ignore[override]
        return self.readings.header.layer.hops_field

    @property
    def udp_has_length(self) -> bool:  # type: ignore[override]
        return self.readings.udp_has_length

    def packet(self, source: str, destination: str, protocol: int, payload: Packet | bytes) -> Packet:
        return self.readings.header.layer(src=source, dst=destination, protocol=protocol) / payload

    def read(self, packet: bytes) -> Packet:
        return self.readings.header.layer(packet)

    def enclose(self, source: int, destination: int, protocol: int, payload: bytes) -> bytes:
        return self.readings.header.write(source, destination, protocol, len(payload)) + payload

    def read_header(self, frame: bytes) -> IpHeader | None:
        header = self.readings.header
        return header.read(frame) if len(frame) >= ETHERNET_HEADER + header.struct.size else None

    def pseudo_header(self, source: int, destination: int, protocol: int, length: int) -> bytes:
        return self.readings.header.pseudo_header(source, destination, protocol, length)

    def covered_beside(self, source: int, destination: int, length: int) -> bytes:
        protocol = self.readings.icmp_pseudo_protocol
        return b"" if protocol is None else self.pseudo_header(source, destination, protocol, length)


class Ipv4Network(Network):
    """IPv4 (RFC 791)."""

    name = "ipv4"
    has_arp = True

    def number(self, address: str) -> int:
        return int(ipaddress.IPv4Address(address))

    def address(self, number: int) -> str:
        return str(ipaddress.IPv4Address(number))

    def packet(self, source: str, destination: str, protocol: int, payload: Packet | bytes) -> Packet:
        return IP(src=source, dst=destination, proto=protocol) / payload

    def read(self, packet: bytes) -> Packet:
        return IP(packet)

    def enclose(self, source: int, destination: int, protocol: int, payload: bytes) -> bytes:
        return write_ipv4(source, destination, protocol, payload)

    def read_header(self, frame: bytes) -> IpHeader | None:
        return read_ipv4(frame)

    def pseudo_header(self, source: int, destination: int, protocol: int, length: int) -> bytes:
        return struct.pack("!IIHH", source, destination, protocol, length)


def networks(profile: Profile, names: Iterable[str], link: str) -> dict[str, Network]:
    """Those of these networks that the profile describes on a link, by name; binds the layers to its numbers."""
    found: dict[str, Network] = {}
    for name in names:
        if name == "ipff" and (ipff := profile.ixit.ipff.of(link)):
            first, last = address_to_int(ipff.tester_first), address_to_int(ipff.tester_last)
            numbers = (ipff.ethertype, ipff.icmp_protocol)
            moves_to = tuple(ipff.moves_to)
            found[name] = IpffNetwork(*numbers, ipff.address, first, last, moves_to, readings=IpffReadings.bind(ipff))
        elif name == "ipv4" and (ipv4 := profile.ixit.ipv4.of(link)):
            bind_ipv4_protocol(ipv4.icmp_protocol)
            first, last = (int(ipaddress.IPv4Address(one)) for one in (ipv4.tester_first, ipv4.tester_last))
            found[name] = Ipv4Network(
                ETHERTYPE_IPV4, ipv4.icmp_protocol, ipv4.address, first, last, tuple(ipv4.moves_to)
            )
    return found
