# SPDX-License-Identifier: GPL-2.0-or-later
"""One packet on its way through the network `ipff` of the reference, in both directions."""

import struct

from reference.bump.flows import Flows
from reference.bump.ipff import IpffNetwork, IpffSettings
from reference.bump.network import HEADROOM
from reference.system.addresses import KERNEL_PREFIX
from reference.system.configuration import Table
from tests.lab.ipff import Ipff, internet_checksum, number

PEER, OWN = number("525.8.78.3.9"), number("8.8.8.8.8")


def table(reading: Ipff) -> Table:
    return Table(
        {
            "address": "8.8.8.8.8",
            "neighbour_mac": "02:00:00:00:00:01",
            "header": reading.header,
            "icmp_checksum": "plain" if reading.icmp is None else "pseudo-header",
            "icmp_pseudo_protocol": reading.icmp or 1,
            "udp": reading.udp,
        }
    )


class Crossing:
    """One packet on its way through the network."""

    def __init__(self, reading: Ipff, kind: type[IpffNetwork] = IpffNetwork) -> None:
        self.network = IpffSettings.read(table(reading)).network(Flows(), kind)
        self.reading = reading
        self.at = HEADROOM + 14

    def into_kernel(self, packet: bytes) -> bytes | None:
        """What the kernel gets of a packet from the wire, from its IPv6 header on."""
        buffer = bytearray(self.at + len(packet) + 8)
        buffer[self.at : self.at + len(packet)] = packet
        found = self.network.parse_wire(buffer, self.at, self.at + len(packet))
        if found is None:
            return None
        start = self.network.enter_kernel(buffer, self.at, found, None)
        return bytes(buffer[start + 14 : found.end])

    def message(self, packet: bytes) -> bytes:
        """What a role gets of a message from the wire."""
        buffer = bytearray(self.at) + packet
        found = self.network.parse_wire(buffer, self.at, len(buffer))
        assert found is not None
        return bytes(buffer[found.start : found.end])

    def onto_wire(self, protocol: int, payload: bytes) -> bytes:
        """What the wire gets of a packet from the kernel."""
        header = struct.pack(
            "!IHBB8sQ8sQ", 6 << 28, len(payload), protocol, 64, KERNEL_PREFIX, OWN, KERNEL_PREFIX, PEER
        )
        buffer = bytearray(14) + header + payload
        found = self.network.parse_kernel(buffer, 14, len(buffer))
        assert found is not None
        start = self.network.enter_wire(buffer, 14, found, None)
        return bytes(buffer[start : found.end])


def sealed(segment: bytes, at: int, pseudo_header: bytes) -> bytes:
    checksum = internet_checksum(pseudo_header + segment)
    return segment[:at] + struct.pack("!H", checksum) + segment[at + 2 :]
