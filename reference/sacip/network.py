# SPDX-License-Identifier: GPL-2.0-or-later
"""IPv4 of a host with several addresses; the address of a packet's peer is the pair of both ends' (`flows.pair`)."""

import struct
from dataclasses import dataclass

from reference.bump.flows import Flow
from reference.bump.fragments import MORE, OFFSET
from reference.bump.ipv4 import ECHO_REQUEST, ICMP, Ipv4Network, Ipv4Settings
from reference.bump.network import ETHERNET, TCP, UDP, Packet
from reference.sacip.addresses import Addresses
from reference.sacip.flows import SacipFlows, SacipUdpFlows, ends, pair

_HEADER = struct.Struct("!BBHHHBBHII")
_SOURCE, _DESTINATION = 12, 16


@dataclass(frozen=True)
class SacipIpv4Settings(Ipv4Settings):
    """The table `ipv4`; the kernel reaches everybody through the bump, on whatever subnet."""

    @property
    def kernel_route(self) -> tuple[bytes, int]:
        return bytes(4), 0


class SacipNetwork(Ipv4Network):
    """IPv4 with the addresses that the host has."""

    role = "server"
    flows: SacipFlows
    udp: SacipUdpFlows

    def __init__(self, settings: Ipv4Settings, flows: SacipFlows, addresses: Addresses) -> None:
        super().__init__(settings, flows)
        self.addresses = addresses
        self.udp = SacipUdpFlows(addresses)
        self.asked_at: dict[int, int] = {}  # which address a peer has sent its last echo request to

    def parse_wire(self, buffer: bytearray, at: int, end: int) -> Packet | None:
        if end - at < _HEADER.size:
            return None
        first, _, length, _, fragment, _, protocol, _, source, destination = _HEADER.unpack_from(buffer, at)
        header = (first & 0xF) << 2
        if first >> 4 != 4 or header < _HEADER.size or not header <= length <= end - at:
            return None
        if destination not in self.addresses or source in self.addresses:
            return None
        if fragment & (MORE | OFFSET):
            return self._fragment_from_wire(buffer, at, header, length) if protocol in (TCP, UDP) else None
        if protocol == ICMP:
            if length == header:
                return None
            if buffer[at + header] == ECHO_REQUEST:
                self.asked_at[source] = destination
        return Packet(protocol, pair(destination, source), at + header, at + length)

    def parse_kernel(self, buffer: bytearray, at: int, end: int) -> Packet | None:
        packet = super().parse_kernel(buffer, at, end)
        return None if packet is None else packet._replace(peer=pair(self.kernel_own, packet.peer))

    def enter_kernel(self, buffer: bytearray, at: int, packet: Packet, flow: Flow | None) -> int:
        own, peer = ends(packet.peer)
        known = peer if flow is None else ends(flow.kernel_address)[1]
        if known != peer:
            self._rewrite(buffer, at, _SOURCE, known, known - peer)
        if own != self.kernel_own:
            self._rewrite(buffer, at, _DESTINATION, self.kernel_own, self.kernel_own - own)
        buffer[at - ETHERNET : at] = self.kernel_ethernet
        return at - ETHERNET

    def enter_wire(self, buffer: bytearray, at: int, packet: Packet, flow: Flow | None) -> int:
        _, known = ends(packet.peer)
        own, peer = ends(flow.wire_address) if flow is not None else (self._answering(known), known)
        if peer != known:
            self._rewrite(buffer, at, _DESTINATION, peer, peer - known)
        if own != self.kernel_own:
            self._rewrite(buffer, at, _SOURCE, own, own - self.kernel_own)
        return at

    def _answering(self, peer: int) -> int:
        asked = self.asked_at.get(peer, 0)
        return asked if asked in self.addresses else self.addresses.towards(peer)

    def pseudo_header_sum(self, peer: int, protocol: int, length: int) -> int:
        return (peer + protocol + length) % 0xFFFF
