# SPDX-License-Identifier: GPL-2.0-or-later
"""Who else stands on the outside of a firewall: routers that translate or report errors, an anycast server."""

import struct
from dataclasses import dataclass
from typing import Any

from scapy.layers.inet import ICMP
from scapy.packet import Raw

from conformance.mops.migrate import Octets, in_mops, send_message
from conformance.mops.tester.crossing import End, Flow, RoamingNode
from layers.mops import MOPSAnycastAck, MOPSNATAck
from testbed.case.case import Case
from testbed.peers.icmp import ICMP_PROTOCOL
from testbed.peers.tcp import TcpPeer
from testbed.wire import chance
from testbed.wire.capture import Sent
from testbed.wire.headers import TCP_PROTOCOL, UDP_PROTOCOL
from testbed.wire.station import Station

Tuple = tuple[str, int]
"""Address and port."""

_QUOTED = 24
"""Bytes of a packet's payload that an error quotes."""


@dataclass(frozen=True)
class Error:
    """An error: its type and code in ICMP (RFC 792) and in ICMPv5."""

    name: str
    icmp: tuple[int, int]
    icmpv5: tuple[int, int]

    def __str__(self) -> str:
        return self.name


ERRORS = (
    Error("host unreachable", (3, 1), (1, 1)),
    Error("port unreachable", (3, 3), (1, 3)),
    Error("hops exceeded", (11, 0), (3, 0)),
)
REDIRECT = Error("redirect", (5, 1), (5, 0))


class Router:
    """A router on the outside."""

    def __init__(self, case: Case) -> None:
        self.station = case.outside.station()

    def translation(self) -> Tuple:
        """A tuple that this router could translate to."""
        return self.station.address, 1024 + chance.randbits(15)

    def acknowledge(
        self,
        session: Flow,
        original: Tuple,
        translated: Tuple,
        level: int = 1,
        to: Station | None = None,
        **fields: Any,
    ) -> Sent:
        """Tell a session's node, or another host inside, that `original` appears as `translated`."""
        content = {
            "nat_level": level,
            "protocol": session.protocol,
            "original_source": in_mops(original[0]),
            "translated_source": in_mops(translated[0]),
            "entries": [(original[1], translated[1])],
        }
        return send_message(self.station, MOPSNATAck(**{**content, **fields}), (to or session.place.station).address)

    def report(self, error: Error, end: End) -> Sent:
        """Send an error about the next packet of an end inside."""
        quoted, network = next_packet(end), self.station.network
        quoted = quoted[: network.header_length + _QUOTED].ljust(network.header_length + _QUOTED, b"\0")
        if network.name == "ipv4":
            message = ICMP(type=error.icmp[0], code=error.icmp[1]) / Raw(quoted)
            return self.station.send(ICMP_PROTOCOL, message, destination=end.station.address)
        kind, code = error.icmpv5
        head = struct.pack("!HH", kind, 0) + (b"" if kind == HOPS_EXCEEDED else bytes([code, 0, 0, 0]))
        return send_message(self.station, Octets(head + quoted), end.station.address)


HOPS_EXCEEDED = 3


def next_packet(end: End) -> bytes:
    """The packet that an end could send next."""
    network = end.station.network
    if isinstance(end, TcpPeer):
        protocol, payload = TCP_PROTOCOL, end.segment("A")
    else:
        protocol, payload = UDP_PROTOCOL, network.datagram(sport=end.port, dport=end.remote_port) / b"data"
    return bytes(network.packet(end.station.address, end.remote, protocol, payload))


class AnycastServer:
    """The server of a node's session as one of several at an anycast address, with an address of its own."""

    def __init__(self, node: RoamingNode) -> None:
        self.anycast = node.server.station
        self.unicast = node.server.side.station()

    def acknowledge(self, session: Flow, **fields: Any) -> Sent:
        """Acknowledge a session from the anycast address; any field can be replaced."""
        content = {
            "protocol": session.protocol,
            "anycast_destination": in_mops(self.anycast.address),
            "unicast_destination": in_mops(self.unicast.address),
            "source_port": session.node.port,
            "destination_port": session.server.port,
        }
        return send_message(self.anycast, MOPSAnycastAck(**{**content, **fields}), session.place.station.address)
