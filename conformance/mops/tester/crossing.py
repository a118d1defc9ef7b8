# SPDX-License-Identifier: GPL-2.0-or-later
"""Sessions through a middlebox: both ends are the tester's, the mobile node on one side and its server on the other."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from scapy.packet import Packet

from conformance.applicability import needs
from conformance.mops.capable import CapableHandshake
from conformance.mops.migrate import ENTRY, HEADER, Entry, Message, Octets, SentMigrate, enclosed, in_mops, send_message
from layers.mops import MIGRATE, SUCCESS, MOPSMigrate
from testbed.case.case import Case
from testbed.case.side import Side
from testbed.peers.options import PeerOption
from testbed.peers.tcp import WINDOW, TcpPeer
from testbed.peers.udp import UdpPeer
from testbed.wire import chance
from testbed.wire.capture import Sent
from testbed.wire.headers import HOPS, TCP_PROTOCOL, UDP_PROTOCOL
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
class Flow:
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
    def address(self) -> tuple[str, int]:
        """Address and port of the node's end."""
        return self.node.station.address, self.node.port

    @property
    def identifier(self) -> int:
        """What stands in the entry of a Migrate."""
        return self.node.snd_nxt if isinstance(self.node, TcpPeer) else self.unique_id

    @property
    def place(self) -> Place:
        """Where the node's end is."""
        return Place(self.node.station, self.node.port)

    @property
    def connection(self) -> tuple[TcpPeer, TcpPeer]:
        """Both ends of a connection, the node's and the server's."""
        assert isinstance(self.node, TcpPeer)
        assert isinstance(self.server, TcpPeer)
        return self.node, self.server

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

    sessions: list[Flow]
    places: list[Place]
    previous: list[Place]

    @property
    def entries(self) -> list[Entry]:
        """What a Migrate lists."""
        moved = zip(self.sessions, self.previous, self.places, strict=True)
        return [(old.port, new.port, session.identifier) for session, old, new in moved]

    def follow(self, *numbers: int) -> None:
        """These sessions, all unless they are numbered, continue at their new places."""
        for number in numbers or range(len(self.sessions)):
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

    def agree_unasked(self, move: Move, message: Packet) -> Sent:
        """Send to where a move leads the success that would answer a Migrate, which nobody has sent."""
        message = message.copy()
        message.code = SUCCESS
        return send_message(self.station, message, move.places[0].station.address)

    def reply(self, request: SentMigrate, code: int = SUCCESS, **fields: Any) -> Sent:
        """Reply to a request."""
        return self.send(request, self.reply_message(request, code, **fields))


class RoamingNode:
    """The tester as a mobile node on one side of the device, as the hosts beside it, and as its server on the other."""

    def __init__(self, case: Case, position: str) -> None:
        self.case = case
        self.position = position
        self.side: Side = case.sides[position]
        self.station = self.side.station()
        self.server = FarServer(next(side for name, side in case.sides.items() if name != position))

    def new_port(self) -> int:
        """A port that no other case uses."""
        return next(self.case.setup.source_ports)

    def new_place(self, station: Station | None = None) -> Place:
        """A new port, at a new address of the node's side unless one is named."""
        return Place(station or self.side.station(), self.new_port())

    def move(self, *sessions: Flow, to: Station | None = None) -> Move:
        """Be at a new address, or at this one, with a new port for each session; nothing is sent."""
        station = to or self.side.station()
        return Move(list(sessions), [self.new_place(station) for _ in sessions], [one.place for one in sessions])

    def return_to(self, session: Flow, place: Place) -> Move:
        """Take a session back to a place that it had before; nothing is sent."""
        return Move([session], [place], [session.place])

    def bring(self, transport: str = "tcp", elsewhere: Station | None = None) -> Flow:
        """A session in mid-stream that was opened elsewhere: the device has seen nothing of it.

        The node was at a new address of the other side, or at this one.
        """
        previous = Place(elsewhere or self.server.side.station(), self.new_port())
        session = new_session(self.case, transport, previous, Place(self.server.station, self.new_port()))
        if session.protocol == TCP_PROTOCOL:
            node, server = session.connection
            for end, other in ((node, server), (server, node)):
                end.rcv_nxt, end.state, end.window = other.snd_nxt, "ESTABLISHED", WINDOW
        return session

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

    def full_request(self, move: Move, after: int = 0) -> Packet:
        """The Migrate of sessions in a packet that it fills: between them stand entries of others, from a number on."""
        room = (move.places[0].station.room - HEADER) // ENTRY.size - len(move.entries)
        others = [(1024 + number, 2048 + number, number) for number in range(after, after + room)]
        first, *further, last = (
            [*move.entries[:-1], move.entries[-1]] if len(move.entries) > 1 else [*move.entries, None]
        )
        middle = room // 2
        entries = [first, *others[:middle], *further, *others[middle:], *([last] if last else [])]
        return self.request(move, entries=entries)

    def send_pieces(self, move: Move, message: Packet, pieces: Iterable[Packet]) -> SentMigrate:
        """Send the fragments of a message about a move."""
        station = move.places[0].station
        sent = [station.transmit(piece) for piece in pieces]
        return SentMigrate(message, sent[-1], self.case.trace.mark_at(sent[0].frame), station)

    def send(
        self, move: Move, message: Message, sender: Station | None = None, to: str = "", hops: int = HOPS
    ) -> SentMigrate:
        """Send a message about a move, to its server unless named, from where the node is to be unless another host."""
        sender = sender or move.places[0].station
        to = to or move.sessions[0].server.station.address
        if isinstance(message, Packet):
            packet = enclosed(sender, message, to, **{sender.network.hops_field: hops})
            sent, content = sender.transmit(packet), message
        else:
            sent = send_message(sender, message, to)
            content = MOPSMigrate(message.octets if isinstance(message, Octets) else message)
        return SentMigrate(content, sent, self.case.trace.mark_at(sent.frame), sender)

    def pretend(self, source: str, message: Packet, to: str) -> Sent:
        """Send a message from this side that says it comes from an address of the other one."""
        packet = enclosed(self.station, message, to, src=source)
        return self.station.transmit(packet)

    def migrate(self, move: Move, **fields: Any) -> SentMigrate:
        """Send the Migrate of a move; any field can be replaced."""
        return self.send(move, self.request(move, **fields))


def new_session(case: Case, transport: str, near: Place, far: Place, **choices: Any) -> Flow:
    """A session between two places that is not open yet; `choices` are those of `TcpPeer`."""
    if TRANSPORTS[transport] == TCP_PROTOCOL:
        return Flow(tcp_end(case, near, far, **choices), tcp_end(case, far, near, **choices))
    return Flow(udp_end(case, near, far), udp_end(case, far, near))


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
