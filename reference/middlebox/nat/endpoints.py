# SPDX-License-Identifier: GPL-2.0-or-later
"""The two endpoints of a packet, read and rewritten: ports of TCP and UDP, the identifier of a query."""

from collections.abc import Mapping

from reference.middlebox.messages import Messages
from reference.middlebox.nat.mappings import ANY_PORT, Endpoint
from reference.middlebox.packet import TCP, UDP, Packet, shift

_LARGEST_PORT = 0xFFFF


class Endpoints:
    """Of the packets of one network; a query has its identifier on the side of who asks, the other side has none."""

    role = "NAT"

    def __init__(self, families: Mapping[int, Messages]) -> None:
        self._families = families

    def read(self, packet: Packet) -> tuple[Endpoint, Endpoint] | None:
        """Source and destination; None where the packet has none that could be translated."""
        if packet.protocol in (TCP, UDP):
            ports = packet.leading_ports()
            return None if ports is None else ((packet.source, ports[0]), (packet.destination, ports[1]))
        family = self._families.get(packet.protocol)
        if family is None:
            return None
        kind, identifier = self._query(packet, family)
        if kind in family.requests:
            return (packet.source, identifier), (packet.destination, ANY_PORT)
        if kind in family.replies:
            return (packet.source, ANY_PORT), (packet.destination, identifier)
        return None

    def may_begin(self, packet: Packet) -> bool:
        """Whether a packet can be the first of an exchange: whole TCP or UDP, or a request."""
        if packet.protocol in (TCP, UDP):
            return packet.ports() is not None
        family = self._families.get(packet.protocol)
        return family is not None and self._query(packet, family)[0] in family.requests

    def highest(self, protocol: int) -> int:
        """The highest port, or identifier, of a protocol."""
        family = self._families.get(protocol)
        return _LARGEST_PORT if family is None else (1 << 8 * family.identifier_width) - 1

    def change_source(self, packet: Packet, endpoint: Endpoint) -> None:
        """Have a packet come from another endpoint."""
        if packet.protocol in (TCP, UDP):
            packet.change_source(*endpoint)
            return
        self._change_message(packet, endpoint, endpoint[0] - packet.source, is_source=True)
        packet.change_source(endpoint[0])

    def change_destination(self, packet: Packet, endpoint: Endpoint) -> None:
        """Have a packet go to another endpoint."""
        if packet.protocol in (TCP, UDP):
            packet.change_destination(*endpoint)
            return
        self._change_message(packet, endpoint, endpoint[0] - packet.destination, is_source=False)
        packet.change_destination(endpoint[0])

    def _change_message(self, packet: Packet, endpoint: Endpoint, moved: int, *, is_source: bool) -> None:
        family = self._families[packet.protocol]
        kind, before = self._query(packet, family)
        delta = moved if family.covers_addresses else 0
        if kind in (family.requests if is_source else family.replies):
            at = packet.start + family.identifier_at
            packet.buffer[at : at + family.identifier_width] = endpoint[1].to_bytes(family.identifier_width, "big")
            delta += endpoint[1] - before
        shift(packet.buffer, packet.start + family.checksum_at, delta)

    @staticmethod
    def _query(packet: Packet, family: Messages) -> tuple[int | None, int]:
        """The type of a message, and what stands where a query has its identifier."""
        at = family.identifier_at
        start = bytes(packet.buffer[packet.start : min(packet.end, packet.start + at + family.identifier_width)])
        if len(start) < at + family.identifier_width:
            return None, 0
        return family.kind(start.ljust(8, b"\0")), int.from_bytes(start[at:], "big")
