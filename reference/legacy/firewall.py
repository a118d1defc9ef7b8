# SPDX-License-Identifier: GPL-2.0-or-later
"""An ordinary stateful firewall in user space: it knows none of the protocols.

What the inside has begun passes in both directions, with its errors; a SYN, a datagram or a query begins it. All else
is dropped in silence. It forwards as a router does, and changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from reference.middlebox.middlebox import Middlebox
from reference.middlebox.nat.endpoints import Endpoints
from reference.middlebox.nat.mappings import Endpoint
from reference.middlebox.nat.settings import NatSettings
from reference.middlebox.nat.translation import is_call
from reference.middlebox.packet import TCP, UDP, Packet
from reference.middlebox.role import Families, MiddleboxRole
from reference.middlebox.side import Side
from reference.system.configuration import Configuration
from reference.system.role import Parts, Wire

Flow = tuple[int, Endpoint, Endpoint]
"""Protocol, inside end and outside end."""

_MOST = 65536


class Firewall(Middlebox):
    """Sessions, each with the time until which it is kept."""

    role = "firewall"

    def __init__(self, sides: tuple[Side, Side], messages: Families, settings: NatSettings) -> None:
        super().__init__(sides, messages)
        self.settings = settings
        self.sessions: dict[Flow, float] = {}
        self.endpoints = {
            network: Endpoints({one.protocol: one for one in families}) for network, families in messages.items()
        }

    def passes(self, side: Side, packet: Packet, out: Side) -> bool:
        if side is out:
            return False
        family = self.messages[packet.network].get(packet.protocol)
        if family is None:
            return self.passes_session(side, packet)
        if not family.is_intact(packet):
            return False
        at = family.quote_at(packet.payload)
        return self.passes_session(side, packet) if at is None else self.passes_error(side, packet, at)

    def passes_session(self, side: Side, packet: Packet) -> bool:
        """Whether a packet is of a session, or begins one."""
        session = self.session(side, packet)
        if session is None or not (self.is_known(session) or self.begins(side, packet)):
            return False
        if session in self.sessions or len(self.sessions) < _MOST:
            self.sessions[session] = self.now + self.lifetime(packet)
        return session in self.sessions

    def passes_error(self, side: Side, packet: Packet, at: int) -> bool:
        """Whether an error about a session passes; what it quotes has gone the other way."""
        quoted = packet.network.quoted(packet.buffer, packet.start + at, packet.end)
        session = None if quoted is None else self.session(side.other, quoted)
        return session is not None and self.is_known(session)

    def session(self, side: Side, packet: Packet) -> Flow | None:
        """The session of a packet that comes from a side; None where it cannot be of one."""
        ends = self.endpoints[packet.network].read(packet)
        if ends is None:
            return None
        source, destination = ends
        return packet.protocol, *((source, destination) if side is self.inside else (destination, source))

    def begins(self, side: Side, packet: Packet) -> bool:
        """Whether a packet may be the first of a session."""
        whole = self.endpoints[packet.network].may_begin(packet)
        return side is self.inside and whole and (packet.protocol != TCP or is_call(packet))

    def is_known(self, session: Flow) -> bool:
        """Whether a session is kept still."""
        return self.sessions.get(session, 0.0) > self.now

    def lifetime(self, packet: Packet) -> float:
        """How long a session is kept after a packet, in seconds."""
        if packet.protocol == TCP:
            return self.settings.established_s
        return self.settings.udp_s if packet.protocol == UDP else self.settings.query_s

    def expire(self) -> None:
        for session in [one for one, until in self.sessions.items() if until <= self.now]:
            del self.sessions[session]


@dataclass(frozen=True)
class FirewallParts(Parts):
    """What a firewall is made of."""

    box: type[Firewall] = Firewall


class FirewallRole(MiddleboxRole):
    """Guards the inside."""

    protocol, name = "legacy", "firewall"
    parts: FirewallParts = FirewallParts()

    def __init__(self, configuration: Configuration) -> None:
        super().__init__(configuration)
        self.settings = NatSettings.read(configuration.of_protocol(self.protocol))

    def build(self, wires: Sequence[Wire]) -> Firewall:
        networks = self.networks()
        return self.parts.box(self.sides(wires, networks, self.settings.outside_mtu), networks, self.settings)
