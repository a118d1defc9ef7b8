# SPDX-License-Identifier: GPL-2.0-or-later
"""The firewall: what of the packets between two links passes, and what MOPS adds to that (section 6).

It forwards as a router does, or as a bridge: frames go on as they are, ARP too. It drops in silence. Errors about a
session that it knows pass, others do not. Messages of MOPS whose checksum is wrong pass in neither direction.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from reference.bump.arp import ETHERTYPE as ARP_ETHERTYPE
from reference.middlebox.messages import Messages
from reference.middlebox.middlebox import Middlebox
from reference.middlebox.packet import TCP, UDP, BoxNetwork, Packet
from reference.middlebox.side import ETHERNET, Side
from reference.mops.acknowledgements import ANYCAST_TYPE, NAT_TYPE, AnycastAcknowledgement, NatAcknowledgement
from reference.mops.firewall.acknowledgements import Acknowledgements
from reference.mops.firewall.moves import Carried, Moves
from reference.mops.firewall.tracking import Segment
from reference.mops.firewall.ways import Way
from reference.mops.message import MIGRATE_TYPE, Migrate

_QUOTED_ROOM = 65536


class Firewall(Middlebox):
    """A stateful firewall."""

    role = "firewall"
    is_bridge = False

    def __init__(
        self,
        sides: tuple[Side, Side],
        messages: Mapping[BoxNetwork, Sequence[Messages]],
        moves: Moves,
        acknowledgements: Acknowledgements,
    ) -> None:
        super().__init__(sides, messages)
        self.sessions, self.moves, self.acknowledgements = moves.sessions, moves, acknowledgements

    def take(self, side: Side, length: int) -> None:
        if self.is_bridge:
            self.bridge(side, length)
        else:
            super().take(side, length)

    def bridge(self, side: Side, length: int) -> None:
        """Serve a frame as a bridge does: it goes on as it is, in fragments again where it was put together."""
        buffer, out = side.buffer, side.other
        ethertype = int.from_bytes(buffer[12:ETHERNET])
        if ethertype == ARP_ETHERTYPE:
            out.send(bytes(buffer[:length]))
        network = next((one for one in self.networks if one.ethertype == ethertype), None)
        packet = network.parse(buffer, ETHERNET, length) if network and length > ETHERNET else None
        is_fragment = packet is not None and packet.is_fragment
        if packet is not None and is_fragment:
            packet = self._reassembled(side, packet)
        if packet is None or not self.passes(side, packet, out):
            return
        header = bytes(buffer[:ETHERNET])
        pieces = packet.network.pieces(packet, out.mtu) if len(packet) > out.mtu else [packet.whole]
        for piece in pieces:
            out.send(header + piece)

    def passes(self, side: Side, packet: Packet, out: Side) -> bool:
        is_inward = side is self.outside
        if packet.protocol == packet.network.icmp_protocol and self.is_of_mops(packet):
            return self.passes_mops(packet, is_inward=is_inward)
        family = self.messages[packet.network].get(packet.protocol)
        if family is not None:
            return self.passes_message(packet, family, is_inward=is_inward)
        return self.passes_data(packet, is_inward=is_inward)

    def expire(self) -> None:
        self.sessions.expire(self.now)
        self.moves.expire(self.now)

    def status(self) -> dict[str, Any]:
        return {**super().status(), "sessions": len(self.sessions)}

    # Data --------------------------------------------------------------------------------------------------------

    def passes_data(self, packet: Packet, *, is_inward: bool) -> bool:
        """Whether a packet of a session passes; of other protocols than TCP and UDP a session has no ports."""
        ports = packet.ports()
        segment = Segment.read(packet) if packet.protocol == TCP else None
        if packet.protocol in (TCP, UDP) and (ports is None or (packet.protocol == TCP and segment is None)):
            return False
        way = self.way(packet, ports or (0, 0), is_inward=is_inward)
        return self.sessions.admits(way, segment, self.now, is_inward=is_inward)

    @staticmethod
    def way(packet: Packet, ports: tuple[int, int], *, is_inward: bool) -> Way:
        """The way of a packet."""
        ends = (packet.source, ports[0]), (packet.destination, ports[1])
        inside, outside = reversed(ends) if is_inward else ends
        return Way(packet.network.name, packet.protocol, inside, outside)

    # Messages ----------------------------------------------------------------------------------------------------

    def passes_message(self, packet: Packet, family: Messages, *, is_inward: bool) -> bool:
        """Whether a control message passes: an error about a session, an echo request outwards, and its reply."""
        message = packet.payload
        if not family.is_intact(packet):
            return False
        at = family.quote_at(message)
        if at is not None:
            return self.is_related(packet, message[at:], is_inward=is_inward)
        kind = family.kind(message)
        if kind not in (family.request, family.reply) or is_inward is (kind == family.request):
            return not is_inward
        identifier = int.from_bytes(message[family.identifier_at : family.identifier_at + 2])
        way = self.way(packet, (identifier, identifier), is_inward=is_inward)
        return self.sessions.admits(way, None, self.now, is_inward=is_inward)

    def is_related(self, packet: Packet, quoted: bytes, *, is_inward: bool) -> bool:
        """Whether an error is about a packet of a session that the other side has sent."""
        buffer = bytearray(quoted.ljust(_QUOTED_ROOM, b"\0"))
        about = packet.network.parse(buffer, 0, len(buffer))
        if about is None or about.source != packet.destination:
            return False
        ports = about.ports() or (0, 0)
        return self.sessions.find(self.way(about, ports, is_inward=not is_inward), self.now) is not None

    # Messages of MOPS --------------------------------------------------------------------------------------------

    @staticmethod
    def is_of_mops(packet: Packet) -> bool:
        """Whether a message of ICMPv5 is one of MOPS."""
        return int.from_bytes(packet.payload[:2]) in (MIGRATE_TYPE, ANYCAST_TYPE, NAT_TYPE)

    def passes_mops(self, packet: Packet, *, is_inward: bool) -> bool:
        """Whether a message of MOPS passes."""
        if not self.is_intact(packet):
            return False
        data, network = packet.payload, packet.network
        kind = int.from_bytes(data[:2])
        if kind == MIGRATE_TYPE:
            carried = self.carried(packet, data, is_inward=is_inward)
            return carried is not None and self.moves.passes(carried, self.now)
        return not is_inward or self.passes_acknowledgement(network, packet.destination, kind, data)

    def is_intact(self, packet: Packet) -> bool:
        """Whether the checksum of a message of MOPS is right."""
        return self.messages[packet.network][packet.protocol].is_intact(packet)

    @staticmethod
    def carried(packet: Packet, data: bytes, *, is_inward: bool) -> Carried | None:
        """The Migrate in a packet; None where it has no whole header, or addresses that are none of this network."""
        message, network = Migrate.parse(data), packet.network
        if message is None:
            return None
        previous, migrated = (network.from_ipff(one) for one in (message.previous, message.migrated))
        if previous is None or migrated is None:
            return None
        ends = packet.source, packet.destination
        return Carried(network.name, *ends, previous, migrated, message, len(data), is_inward)

    def passes_acknowledgement(self, network: BoxNetwork, node: int, kind: int, data: bytes) -> bool:
        """Whether a NAT or anycast acknowledgement comes in to a node."""
        if kind == NAT_TYPE:
            nat = NatAcknowledgement.parse(data)
            return nat is not None and self.passes_nat(network, node, nat)
        anycast = AnycastAcknowledgement.parse(data)
        if anycast is None:
            return False
        called, own = network.from_ipff(anycast.anycast), network.from_ipff(anycast.unicast)
        if called is None or own is None:
            return False
        return self.acknowledgements.passes_anycast(network.name, node, anycast, (called, own), self.now)

    def passes_nat(self, network: BoxNetwork, node: int, message: NatAcknowledgement) -> bool:
        """Whether a NAT acknowledgement comes in to a node."""
        original, translated = (network.from_ipff(one) for one in (message.original, message.translated))
        if original is None or translated is None:
            return False
        return self.acknowledgements.passes_nat(network.name, node, message, (original, translated), self.now)
