# SPDX-License-Identifier: GPL-2.0-or-later
"""How messages and segments travel to the DUT: straight on Ethernet as IPFF, or inside IPv4."""

import ipaddress
import struct
from dataclasses import dataclass

from scapy.layers.inet import IP
from scapy.layers.l2 import Ether
from scapy.packet import Packet
from scapy.utils import checksum

from layers.ipff import IPFF, bind_ethertype, bind_icmpv5_protocol, bind_ipv4_protocol, pseudo_header
from profiles import Profile
from profiles.addresses import format_ipff, parse_ipff
from testbed.wire.interface import ETHERTYPE_IPV4, Key

ETHERNET_HEADER = 14
IPFF_HEADER = 24
ADDRESS_MASK = (1 << 50) - 1
TCP_PROTOCOL = 6
UDP_PROTOCOL = 17


@dataclass(frozen=True)
class Network:
    """One way to reach the DUT. `first` and `last` are the tester's range of addresses, as numbers."""

    name: str
    ethertype: int
    icmp_protocol: int
    dut: str
    first: int
    last: int

    def number(self, address: str) -> int:
        """The address as a number."""
        return parse_ipff(address) if self.name == "ipff" else int(ipaddress.IPv4Address(address))

    def address(self, number: int) -> str:
        """The dotted notation of an address."""
        return format_ipff(number) if self.name == "ipff" else str(ipaddress.IPv4Address(number))

    def key(self, address: str) -> Key:
        """What the port knows a station by."""
        return self.ethertype, self.number(address)

    def packet(self, source: str, destination: str, protocol: int, payload: Packet | bytes) -> Packet:
        """A network packet around `payload`."""
        if self.name == "ipff":
            return IPFF(src=source, dst=destination, protocol=protocol) / payload
        return IP(src=source, dst=destination, proto=protocol) / payload

    def frame(self, source_mac: str, destination_mac: str, packet: Packet) -> bytes:
        """The Ethernet frame around a network packet."""
        return _ethernet_header(source_mac, destination_mac, self.ethertype) + bytes(packet)

    def dissect(self, frame: bytes) -> Packet:
        """The network packet of a frame of this network; anything else as an Ethernet frame."""
        if int.from_bytes(frame[12:14], "big") != self.ethertype:
            return Ether(frame)
        return (IPFF if self.name == "ipff" else IP)(frame[ETHERNET_HEADER:])

    def tcp_checksum_ok(self, frame: bytes) -> bool:
        """Whether the TCP segment in a frame of this network carries a right checksum (RFC 9293 3.1)."""
        return self._checksum_ok(frame, TCP_PROTOCOL)

    def udp_checksum_ok(self, frame: bytes) -> bool:
        """Whether the UDP datagram in a frame of this network carries a right checksum (RFC 768)."""
        return self._checksum_ok(frame, UDP_PROTOCOL)

    def payload(self, frame: bytes) -> bytes:
        """What the network packet in a frame of this network carries, byte for byte."""
        packet = frame[ETHERNET_HEADER:]
        if self.name == "ipff":
            return packet[IPFF_HEADER:][: int.from_bytes(packet[4:6], "big")]
        return packet[(packet[0] & 15) * 4 : int.from_bytes(packet[2:4], "big")]

    def _checksum_ok(self, frame: bytes, protocol: int) -> bool:
        packet, segment = frame[ETHERNET_HEADER:], self.payload(frame)
        if self.name == "ipff":
            source, destination = (int.from_bytes(packet[at : at + 8], "big") & ADDRESS_MASK for at in (8, 16))
            return bool(checksum(pseudo_header(source, destination, protocol, len(segment)) + segment) == 0)
        return bool(checksum(packet[12:20] + struct.pack("!HH", protocol, len(segment)) + segment) == 0)

    @staticmethod
    def protocol(packet: Packet) -> int | None:
        """The protocol number of a network packet; None for what is not one."""
        if isinstance(packet, IPFF):
            return int(packet.protocol)
        return int(packet.proto) if isinstance(packet, IP) else None


def _ethernet_header(source: str, destination: str, ethertype: int) -> bytes:
    return bytes.fromhex((destination + source).replace(":", "")) + ethertype.to_bytes(2, "big")


def networks(profile: Profile) -> dict[str, Network]:
    """The networks that the profile claims, by name; binds the layers to the profile's numbers."""
    found: dict[str, Network] = {}
    for name in profile.ics.networks:
        if name == "ipff" and (ipff := profile.ixit.ipff):
            bind_ethertype(ipff.ethertype)
            bind_icmpv5_protocol(ipff.icmp_protocol)
            first, last = parse_ipff(ipff.tester_first), parse_ipff(ipff.tester_last)
            found[name] = Network(name, ipff.ethertype, ipff.icmp_protocol, ipff.address, first, last)
        elif name == "ipv4" and (ipv4 := profile.ixit.ipv4):
            bind_ipv4_protocol(ipv4.icmp_protocol)
            first, last = (int(ipaddress.IPv4Address(one)) for one in (ipv4.tester_first, ipv4.tester_last))
            found[name] = Network(name, ETHERTYPE_IPV4, ipv4.icmp_protocol, ipv4.address, first, last)
    return found
