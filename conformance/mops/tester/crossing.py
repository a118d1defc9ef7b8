# SPDX-License-Identifier: GPL-2.0-or-later
"""Sessions through a middlebox: both ends are the tester's, the mobile node on one side and its server on the other."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from scapy.packet import Packet

from conformance.applicability import needs
from conformance.mops.capable import CapableHandshake
from conformance.mops.migrate import Entry, Message, Octets, SentMigrate, in_mops, send_message
from layers.mops import MIGRATE, SUCCESS, MOPSMigrate
from testbed.case.case import Case
from testbed.case.side import Side
from testbed.peers.options import PeerOption
from testbed.peers.tcp import TcpPeer
from testbed.peers.udp import UdpPeer
from testbed.wire import chance
from testbed.wire.capture import Sent
from testbed.wire.headers import TCP_PROTOCOL, UDP_PROTOCOL
from testbed.wire.station import Station

End = TcpPeer | UdpPeer
"""The tester's end of a connection or a UDP flow."""

TRANSPORTS = {"tcp": TCP_PROTOCOL, "udp": UDP_PROTOCOL}
TOKEN = 8


def token() -> bytes:
    """Data that no other packet carries."""
    return chance.token_bytes(TOKEN)


def probe(end: End, data: bytes = b"") -> Sent:
    """Send the next data of an end without counting it as sent: it need not arrive."""
    data = data or token()
    return end.send(data) if isinstance(end, UdpPeer) else end.send_out_of_window(data, 0)


class Place(NamedTuple):
    """Where an end of a session is."""

    station: Station
    port: int

    def __str__(self) -> str:
        return f"{self.station.address}:{self.port}"


@dataclass
class Session:
    """A connection or UDP flow through the device. `left` is where the node's end was before, in turn.

    `identifier` is what a Migrate names it by: the node's SND.NXT, or the Unique ID of a UDP flow.
    """

    node: End
    server: End
    unique_id: int = field(default_factory=lambda: chance.randbits(32))
    left: list[Place] = field(default_factory=list)

    @property
    def protocol(self) -> int:
        """The transport protocol's number."""
        return TCP_PROTOCOL if isinstance(self.node, TcpPeer) else UDP_PROTOCOL

    @property
    def identifier(self) -> int:
        """What stands in the entry of a Migrate."""
        return self.node.snd_nxt if isinstance(self.node, TcpPeer) else self.unique_id

    @property
    def place(self) -> Place:
        """Where the node's end is."""
        return Place(self.node.station, self.node.port)

    def node_at(self, place: Place) -> End:
        """The node's end as it would be at another place."""
        if isinstance(self.node, TcpPeer):
            return self.node.at(*place)
        return aimed(UdpPeer(place.station, place.port), self.node.remote, self.node.remote_port)

    def server_to(self, place: Place) -> End:
        """The server's end as it would be with the node at another place."""
        return aimed(placed(self.server, self.server.station, self.server.port), place.station.address, place.port)

    def follow(self, place: Place) -> None:
        """The node's end continues at a place, and the server's end follows it there."""
        self.left.append(self.place)
        self.node, self.server = self.node_at(place), self.server_to(place)


def placed(end: End, station: Station, port: int) -> End:
    """The same end at another address and port."""
    return end.at(station, port) if isinstance(end, TcpPeer) else aimed(UdpPeer(station, port), *_remote(end))


def aimed(end: End, address: str, port: int) -> End:
    """The end, of a session with this address and port from now on."""
    end.remote, end.remote_port = address, port
    return end


def _remote(end: End) -> tuple[str, int]:
    return end.remote, end.remote_port


@dataclass
class Move:
    """A move of the node: of each of its sessions where it was and where it is to be, all to one new address."""

    sessions: list[Session]
    places: list[Place]
    previous: list[Place]

    @property
    def entries(self) -> list[Entry]:
        """What a Migrate lists."""
        moved = zip(self.sessions, self.previous, self.places, strict=True)
        return [(old.port, new.port, session.identifier) for session, old, new in moved]

    def follow(self, *places: int) -> None:
        """These sessions, all unless named by number, continue at their new places."""
        for number in places or range(len(self.sessions)):
            self.sessions[number].follow(self.places[number])


class FarServer:
    """The tester as the server on the other side of the device, and as the hosts beside it."""

    def __init__(self, side: Side) -> None:
        self.side = side
        self.station = side.station()

    def reply_message(self, request: SentMigrate, code: int = SUCCESS, **fields: Any) -> Packet:
        """The reply to a request, all its fields as sent; any of them can be replaced."""
        names = ("protocol", "previous_source", "migrated_source")
        content = {name: request.message.getfieldval(name) for name in names}
        return MOPSMigrate(**{"code": code, **content, "entries": request.entries, **fields})

    def send(self, request: SentMigrate, message: Message, sender: Station | None = None) -> Sent:
        """Send a message to where a request came from, from this server unless another host sends it."""
        return send_message(sender or self.station, message, request.station.address)

    def reply(self, request: SentMigrate, code: int = SUCCESS, **fields: Any) -> Sent:
        """Reply to a request."""
        return self.send(request, self.reply_message(request, code, **fields))


class RoamingNode:
    """The tester as a mobile node on one side of the device, as the hosts beside it, and as its server on the other."""

    def __init__(self, case: Case, position: str) -> None:
        self._case = case
        self.position = position
        self.side: Side = case.sides[position]
        self.station = self.side.station()
        self.server = FarServer(next(side for name, side in case.sides.items() if name != position))

    def new_port(self) -> int:
        """A port that no other case uses."""
        return next(self._case.setup.source_ports)

    def new_place(self, station: Station | None = None) -> Place:
        """A new port, at a new address of the node's side unless one is named."""
        return Place(station or self.side.station(), self.new_port())

    def move(self, *sessions: Session, to: Station | None = None) -> Move:
        """Be at a new address, or at this one, with a new port for each session; nothing is sent."""
        station = to or self.side.station()
        return Move(list(sessions), [self.new_place(station) for _ in sessions], [one.place for one in sessions])

    def request(self, move: Move, **fields: Any) -> Packet:
        """The Migrate of a move; any field can be replaced."""
        session, previous, place = move.sessions[0], move.previous[0], move.places[0]
        content = {
            "code": MIGRATE,
            "protocol": session.protocol,
            "previous_source": in_mops(previous.station.address),
            "migrated_source": in_mops(place.station.address),
            "entries": move.entries,
        }
        return MOPSMigrate(**{**content, **fields})

    def send(self, move: Move, message: Message, sender: Station | None = None) -> SentMigrate:
        """Send a message about a move to its server, from where the node is to be unless another host sends it."""
        sender = sender or move.places[0].station
        sent = send_message(sender, message, move.sessions[0].server.station.address)
        octets = message.octets if isinstance(message, Octets) else message
        content = octets if isinstance(octets, Packet) else MOPSMigrate(octets)
        return SentMigrate(content, sent, self._case.trace.mark_at(sent.frame), sender)

    def migrate(self, move: Move, **fields: Any) -> SentMigrate:
        """Send the Migrate of a move; any field can be replaced."""
        return self.send(move, self.request(move, **fields))


def tcp_end(case: Case, own: Place, far: Place, **choices: Any) -> TcpPeer:
    """An end of a connection, not open yet; it negotiates MOBILE_CAPABLE where the profile claims the option."""
    end = TcpPeer(*own, far.port, checks_source=True, options=_handshake_options(case), **choices)
    end.remote = far.station.address
    return end


def udp_end(case: Case, own: Place, far: Place) -> UdpPeer:
    """An end of a UDP flow; NotApplicable where the device knows nothing of Mobile UDP."""
    needs(case, "mops.udp")
    end = UdpPeer(*own, far.port)
    end.remote = far.station.address
    return end


def _handshake_options(case: Case) -> Iterable[PeerOption]:
    return [CapableHandshake(case)] if case.setup.profile.ics.mops.mobile_capable else []
