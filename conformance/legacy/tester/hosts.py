# SPDX-License-Identifier: GPL-2.0-or-later
"""Hosts on both sides of a NAT, and the datagrams and queries between them."""

from dataclasses import dataclass, field
from typing import Any

from scapy.layers.inet import ICMP, IP, UDP, fragment
from scapy.packet import Packet

from testbed.case.case import Case
from testbed.case.side import Side
from testbed.wire import chance
from testbed.wire.capture import Mark, Sent
from testbed.wire.station import Station

Tuple = tuple[str, int]
"""Address and port, or address and identifier of a query."""

TOKEN = 8
ECHO_REQUEST, ECHO_REPLY = 8, 0


@dataclass(frozen=True)
class SentPacket:
    """A packet on its way: how it was sent, when, and the bytes that no other packet has."""

    packet: Packet
    sent: Sent
    since: Mark
    token: bytes


@dataclass(frozen=True)
class Endpoint:
    """A host's end of a flow: the link that the host is on, its station there, and a port or an identifier."""

    side: Side
    port: int
    address: str = ""
    station: Station = field(init=False)

    def __post_init__(self) -> None:
        station = next((one for one in self.side.stations if one.address == self.address), None)
        object.__setattr__(self, "station", station or self.side.station())
        object.__setattr__(self, "address", self.station.address)

    @property
    def place(self) -> Tuple:
        """Address and port."""
        return self.address, self.port

    def at(self, port: int) -> "Endpoint":
        """Another port of the same host."""
        return Endpoint(self.side, port, self.address)

    def send(self, to: Tuple, data: bytes = b"", *, checksum: int | None = None, **fields: Any) -> SentPacket:
        """Send a UDP datagram with a token and `data`; `fields` are those of the IP header."""
        token = chance.token_bytes(TOKEN)
        datagram = UDP(sport=self.port, dport=to[1], **({} if checksum is None else {"chksum": checksum}))
        return self.transmit(self._ip(to[0], **fields) / datagram / (token + data), token)

    def pieces(self, to: Tuple, data: bytes, size: int, identification: int) -> tuple[Packet, bytes, list[Packet]]:
        """A datagram, its token, and its fragments, each with `size` bytes, a multiple of 8."""
        token = chance.token_bytes(TOKEN)
        datagram = UDP(sport=self.port, dport=to[1]) / (token + data)
        whole = IP(bytes(self._ip(to[0], id=identification) / datagram))
        return whole, token, [IP(bytes(one)) for one in fragment(whole, size)]

    def transmit_pieces(self, made: tuple[Packet, bytes, list[Packet]], order: tuple[int, ...]) -> SentPacket:
        """Send fragments in this order; the packet counts as sent with the last of them."""
        whole, token, pieces = made
        sent = [self.station.transmit(pieces[place]) for place in order]
        return SentPacket(whole, sent[-1], self.station.trace.mark_at(sent[0].frame), token)

    def send_in_fragments(self, to: Tuple, data: bytes, size: int, order: tuple[int, ...]) -> SentPacket:
        """Send a UDP datagram in fragments."""
        return self.transmit_pieces(self.pieces(to, data, size, chance.randbits(16)), order)

    def query(self, to: str, data: bytes = b"", kind: int = ECHO_REQUEST, **fields: Any) -> SentPacket:
        """Send an echo request whose identifier is this end's port, or the reply to one."""
        return self._query((to, self.port), kind, data, fields)

    def reply(self, to: Tuple, data: bytes = b"") -> SentPacket:
        """Send an echo reply to an address, with the identifier that the request came with."""
        return self._query(to, ECHO_REPLY, data, {})

    def _query(self, to: Tuple, kind: int, data: bytes, fields: dict[str, Any]) -> SentPacket:
        token = chance.token_bytes(TOKEN)
        return self.transmit(self._ip(to[0], **fields) / ICMP(type=kind, id=to[1], seq=1) / (token + data), token)

    def transmit(self, packet: Packet, token: bytes) -> SentPacket:
        """Send an IP packet as it is."""
        whole = IP(bytes(packet))
        sent = self.station.transmit(whole)
        return SentPacket(whole, sent, self.station.trace.mark_at(sent.frame), token)

    def _ip(self, to: str, **fields: Any) -> Packet:
        return IP(**{"src": self.address, "dst": to, "id": chance.randbits(16), **fields})

    def __str__(self) -> str:
        return f"{self.address}:{self.port}"


class Hosts:
    """New hosts on either side, each at an address of its own."""

    def __init__(self, case: Case) -> None:
        self._case = case

    def inside(self, port: int = 0) -> Endpoint:
        """A host on the inside."""
        return Endpoint(self._case.inside, port or next(self._case.setup.source_ports))

    def outside(self, port: int = 0) -> Endpoint:
        """A host on the outside."""
        return Endpoint(self._case.outside, port or next(self._case.setup.source_ports))
