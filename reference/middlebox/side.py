# SPDX-License-Identifier: GPL-2.0-or-later
"""One of the two wires of a device between two links: its interface, its addresses, its neighbours."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from reference.bump.arp import Arp
from reference.bump.ends import Frame
from reference.bump.fragments import Fragments
from reference.bump.ipff import IpffSettings
from reference.bump.ipv4 import Ipv4Settings
from reference.middlebox.packet import BoxNetwork, Packet
from reference.system.addresses import ipv4_from_text
from reference.system.configuration import Table
from reference.system.role import Wire

ETHERNET = 14
_FRAME = 65536 + ETHERNET
_LONGEST = 65535 - 60
_INCOMPLETE = 256  # packets that are waited for

Settings = IpffSettings | Ipv4Settings


@dataclass(frozen=True)
class Route:
    """Where addresses beyond the link are reached: by the neighbour `via`."""

    prefix: int
    length: int
    via: int

    def leads_to(self, address: int) -> bool:
        """Whether an address is one of the prefix."""
        return (address ^ self.prefix) >> (32 - self.length) == 0


def read_routes(table: Table) -> tuple[Route, ...]:
    """The list `routes` of a table: `{"to": "10.2.0.0/24", "via": "10.1.0.2"}`; the longest prefix first."""
    found = []
    for entry in table.value.get("routes", []):
        try:
            prefix, _, length = str(entry["to"]).partition("/")
            found.append(Route(ipv4_from_text(prefix), int(length), ipv4_from_text(str(entry["via"]))))
        except (KeyError, TypeError, ValueError):
            raise table.wrong("routes", 'a list of {"to": "10.2.0.0/24", "via": "10.1.0.2"}') from None
    return tuple(sorted(found, key=lambda route: -route.length))


class Side:
    """A wire with the device's end of it. Frames are read into `room`; what is sent is kept until someone attaches."""

    def __init__(self, name: str, wire: Wire, mtu: int | None = None) -> None:
        self.name, self.mac = name, wire.mac
        self.mtu = wire.mtu if mtu is None else min(mtu, wire.mtu)
        self.buffer = bytearray(_FRAME)
        self.room = memoryview(self.buffer)
        self.own: dict[BoxNetwork, int] = {}
        self.other: Side = self
        self.fragments = Fragments(_INCOMPLETE, _LONGEST)
        self.arp: Arp | None = None
        self.routes: tuple[Route, ...] = ()
        self._prefix = (0, 0)
        self._fixed: dict[BoxNetwork, bytes] = {}
        self._kept: list[bytes] = []
        self._send: Callable[[Frame], Any] = lambda frame: self._kept.append(bytes(frame))

    def attach(self, send: Callable[[Frame], Any]) -> None:
        """Have frames go there instead of being kept."""
        self._send = send

    def frames(self) -> list[bytes]:
        """What has been sent since the last time, in order."""
        frames, self._kept[:] = self._kept[:], []
        return frames

    def join(self, network: BoxNetwork, settings: Settings, routes: tuple[Route, ...] = ()) -> None:
        """Have an address of a network."""
        self.own[network] = settings.address
        if isinstance(settings, Ipv4Settings):
            self.arp = Arp(self.send, settings.address, self.mac)
            self._prefix = settings.address, 32 - settings.prefix_length
            self.routes = routes
        else:
            self._fixed[network] = settings.neighbour_mac + self.mac + network.ethertype.to_bytes(2, "big")

    @property
    def prefix(self) -> tuple[int, int]:
        """The own address of IPv4, and the length of the link's prefix."""
        address, host_bits = self._prefix
        return address, 32 - host_bits

    def has(self, network: BoxNetwork, address: int) -> bool:
        """Whether an address is the device's own on this side."""
        return self.own.get(network) == address

    def send(self, frame: Frame) -> None:
        """Put a finished frame on the wire."""
        self._send(frame)

    def send_packet(self, network: BoxNetwork, destination: int, packet: bytes, now: float) -> None:
        """Put a packet on the wire, to the neighbour that leads to its destination."""
        header = self._header(network, destination, packet, now)
        if header is not None:
            self._send(header + packet)

    def send_in_place(self, packet: Packet, now: float) -> None:
        """The same for a packet that lies in a buffer, with room before it for an Ethernet header."""
        view = memoryview(packet.buffer)
        header = self._header(packet.network, packet.destination, view[packet.at : packet.end], now)
        if header is not None:
            packet.buffer[packet.at - ETHERNET : packet.at] = header
            self._send(view[packet.at - ETHERNET : packet.end])

    def _header(self, network: BoxNetwork, destination: int, packet: Frame, now: float) -> bytes | None:
        header = self._fixed.get(network)
        if header is None and self.arp is not None:
            hop = self.next_hop(destination)
            header = self.arp.header_for(hop, now)
            if header is None:
                self.arp.keep(hop, bytes(packet), now)
        return header

    def next_hop(self, destination: int) -> int:
        """The neighbour that leads to an address; what no route leads to is asked for on the link."""
        own, host_bits = self._prefix
        if (destination ^ own) >> host_bits == 0:
            return destination
        return next((route.via for route in self.routes if route.leads_to(destination)), destination)

    def arp_received(self, length: int, now: float) -> None:
        """Take the ARP message that lies in the room."""
        if self.arp is not None:
            self.arp.receive(bytes(self.buffer[ETHERNET:length]), now)

    def deadline(self, now: float, interval_s: float, never: float) -> float:
        """When ARP has to ask again."""
        return now + interval_s if self.arp is not None and self.arp.is_waiting else never
