# SPDX-License-Identifier: GPL-2.0-or-later
"""The mobile node that the tester plays: it connects, moves and sends Migrate messages of any shape."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from scapy.packet import Packet

from conformance.mops.capable import CapableHandshake
from conformance.mops.dut.sockets import mobile_echo
from conformance.mops.migrate import (
    CODES,
    ENTRY,
    HEADER,
    Entry,
    Message,
    Octets,
    SentMigrate,
    find_reply,
    send_message,
)
from conformance.mops.tester.server import Attempt
from layers.mops import MIGRATE, SUCCESS, MOPSMigrate
from testbed.case.case import Case
from testbed.case.expect import preamble
from testbed.device.application import Application, Listener, Socket
from testbed.interruptions import Inconclusive
from testbed.peers.connection import accept, await_syn, connect, new_peer, packet_room
from testbed.peers.options import PeerOption
from testbed.peers.sequence import SEQUENCE_SPACE, after
from testbed.peers.stream import exchange
from testbed.peers.tcp import TcpPeer
from testbed.peers.udp import UdpPeer, expect_datagram
from testbed.wire.capture import Mark
from testbed.wire.clock import NANO
from testbed.wire.headers import TCP_PROTOCOL, UDP_PROTOCOL
from testbed.wire.station import Station

OVER = 1.1
"""Rate-limit intervals after which an interval is over."""


@dataclass
class Connection:
    """A connection of the mobile node. `local` is its end where the node is now, `previous` those before, in turn."""

    local: TcpPeer
    previous: list[TcpPeer] = field(default_factory=list)

    def rebind(self, station: Station, port: int, since: Mark) -> None:
        """Continue at a new address and port, with what came there since a mark; the previous end stays as it was."""
        self.previous.append(self.local.at(self.local.station))
        self.local.rebind(station, port, since)


@dataclass
class UdpFlow:
    """A UDP flow between the node and a socket of the device's application. `local` is the node's end."""

    local: UdpPeer
    socket: Socket

    def rebind(self, station: Station, port: int, since: Mark) -> None:
        """Continue at a new address and port."""
        self.local = UdpPeer(station, port, self.local.remote_port)


class MobileNode:
    """The tester as a mobile node.

    `called` is the device's address that it connects to, `asked` the one that it sends its Migrates to.
    """

    def __init__(self, case: Case, address: str = "") -> None:
        self.case = case
        self.called = self.asked = case.network.dut
        self._ixit = case.setup.profile.ixit
        self.station = case.station(address)
        self.home = self.station
        self._last: SentMigrate | None = None

    @property
    def address(self) -> str:
        """Where the node is now."""
        return self.station.address

    # Connections

    def new_port(self) -> int:
        """A source port that no other case uses."""
        return next(self.case.setup.source_ports)

    def new_peer(self, port: int = 0, remote_port: int = 0, initial_sequence: int | None = None) -> TcpPeer:
        """An end of a connection at the present address that is not open yet, to the echo service if not named."""
        peer = new_peer(self.case, self.station, port, remote_port, initial_sequence=initial_sequence)
        peer.remote = self.called
        return peer

    def connect(self, port: int = 0, remote_port: int = 0, *, use: bool = True, **choices: Any) -> Connection:
        """Open a connection to an echo service that is mobile, or to another port, and use it once; preamble.

        It carries MOBILE_CAPABLE where the device claims the option: a device may migrate negotiated connections alone.
        `choices` are those of `TcpPeer`.
        """
        service = remote_port or mobile_echo(self.case)
        peer = new_peer(self.case, self.station, port, service, options=self.handshake_options(), **choices)
        peer.remote = self.called
        connection = Connection(connect(self.case, peer))
        if use:
            self._use(connection)
        return connection

    def await_attempt(self, app: Application) -> Attempt:
        """An application of the server begins to connect to the node, and has sent its SYN; preamble.

        Its socket is MOBILE_ALLOWED where applications can choose.
        """
        port, since = self.new_port(), self.case.mark()
        choices = {"mobile_allowed": True} if self.case.setup.profile.ics.mops.mobile_allowed else {}
        connecting = app.connect(self.address, port, **choices)
        syn = await_syn(self.case, self.station, port, connecting, since)
        local = new_peer(self.case, self.station, port, syn.source_port, options=self.handshake_options())
        return Attempt(connecting, syn, local)

    def accept(self, attempt: Attempt) -> tuple[Connection, Socket]:
        """Answer the SYN; the connection, and the application's socket; preamble."""
        accept(self.case, attempt.local, attempt.syn)
        return Connection(attempt.local), attempt.connecting.socket()

    def handshake_options(self) -> list[PeerOption]:
        """What an end of a connection adds to its handshake."""
        return [CapableHandshake(self.case)] if self.case.setup.profile.ics.mops.mobile_capable else []

    def open_flow(self, listener: Listener) -> UdpFlow:
        """Send a first datagram to an application, which sends one back; preamble."""
        local = UdpPeer(self.station, self.new_port(), listener.port)
        local.send(b"hello")
        flow = UdpFlow(local, listener.accepted(self._ixit.tcp_within_s))
        if flow.socket.receive(self._ixit.tcp_within_s) != b"hello":
            raise Inconclusive("preamble: the application did not get the first datagram")
        with preamble():
            since = self.case.mark()
            asked_ns = flow.socket.send(b"from the server")
            expect_datagram(self.case, flow.local, since, self.case.deadline(since_ns=asked_ns))
        return flow

    def _use(self, connection: Connection) -> None:
        with preamble():
            exchange(self.case, connection.local, b"hello")

    # Moves

    def move(self, address: str = "") -> None:
        """Take a new address, or this one; the previous one stays under observation."""
        self.station = self.case.station(address)

    def return_to(self, station: Station) -> None:
        """Take an address that the node had before."""
        self.station = station

    def rebind(self, request: SentMigrate, *moved: Connection | UdpFlow) -> None:
        """Continue with connections and flows where the request has moved them."""
        ports = {previous: migrated for previous, migrated, _ in request.entries}
        for one in moved:
            one.rebind(self.station, ports[one.local.port], request.mark)

    # Messages

    def entry(self, connection: Connection, **replaced: int) -> Entry:
        """The entry that migrates a connection; `previous_port`, `migrated_port` and `identifier` can be replaced."""
        values = {
            "previous_port": connection.local.port,
            "migrated_port": replaced.get("migrated_port") or self.new_port(),
            "identifier": connection.local.snd_nxt,
        } | replaced
        return values["previous_port"], values["migrated_port"], values["identifier"] % SEQUENCE_SPACE

    def request(self, *connections: Connection, **fields: Any) -> Packet:
        """A Migrate of connections to the node's present address and fresh ports; any field can be replaced."""
        content = {
            "code": MIGRATE,
            "protocol": TCP_PROTOCOL,
            "previous_source": connections[0].local.station.address if connections else self.home.address,
            "migrated_source": self.address,
            "entries": [self.entry(connection) for connection in connections],
        }
        return MOPSMigrate(**{**content, **fields})

    def full_request(self, *connections: Connection, mtu: int = 0) -> Packet:
        """A Migrate with as many entries as one packet carries: unknown ports, and these connections last.

        The packet is as long as the link has room for, or has `mtu` bytes.
        """
        peer = connections[0].local if connections else None
        room = mtu - self.case.network.header_length if mtu else packet_room(self.case, self.station, peer)
        number_unknown = (room - HEADER) // ENTRY.size - len(connections)
        unknown = [(1024 + number, 30000 + number, number) for number in range(number_unknown)]
        entries = unknown + [self.entry(connection) for connection in connections]
        return self.request(*connections, entries=entries)

    def send(self, message: Message, sender: Station | None = None) -> SentMigrate:
        """Send a message to the server, from the node's present address unless another station sends it."""
        sent = send_message(sender or self.station, message, self.asked)
        mark = self.case.trace.mark_at(sent.frame)
        octets = message.octets if isinstance(message, Octets) else message
        content = octets if isinstance(octets, Packet) else MOPSMigrate(octets)
        self._last = SentMigrate(content, sent, mark, self.station)
        return self._last

    def send_packet(self, packet: Packet | bytes) -> SentMigrate:
        """Send a network packet around a message as it is."""
        sent = self.station.transmit(packet)
        message = self.case.network.read(bytes(packet)).payload
        self._last = SentMigrate(message, sent, self.case.trace.mark_at(sent.frame), self.station)
        return self._last

    def send_pieces(self, message: Packet, pieces: Iterable[bytes]) -> SentMigrate:
        """Send a message in packets that are the fragments of its own."""
        first, *others = [self.station.transmit(piece) for piece in pieces]
        mark = self.case.trace.mark_at(first.frame)
        self._last = SentMigrate(message, [first, *others][-1], mark, self.station)
        return self._last

    def send_migrate(self, *connections: Connection, sender: Station | None = None, **fields: Any) -> SentMigrate:
        """Send a Migrate of connections to the node's present address; any field can be replaced."""
        return self.send(self.request(*connections, **fields), sender)

    def send_udp_migrate(self, flow: UdpFlow, identifier: int, port: int = 0) -> SentMigrate:
        """Send a Migrate of a UDP flow to the node's present address, and this port if one is named."""
        entries = [(flow.local.port, port or self.new_port(), identifier)]
        previous = flow.local.station.address
        return self.send_migrate(protocol=UDP_PROTOCOL, previous_source=previous, entries=entries)

    def move_and_send(self, connection: Connection, identifier: int) -> SentMigrate:
        """Move and send a Migrate with this sequence number; the evidence relates it to the server's window."""
        peer = connection.local
        ahead = after(identifier, peer.snd_una)
        window = f"window {peer.window}"
        self.case.values["sequence number"] = f"{identifier % SEQUENCE_SPACE} = RCV.NXT {ahead:+d} ({window})"
        self.move()
        return self.send_migrate(connection, entries=[self.entry(connection, identifier=identifier)])

    def migrate(self, *connections: Connection, code: int = MIGRATE, use: bool = True) -> SentMigrate:
        """Move, migrate connections and use them once, as preamble: Inconclusive if the server does not accept it.

        Without `use` no data is sent: for cases that are about the first data at the new tuple.
        """
        self.move()
        request = self.send_migrate(*connections, code=code)
        reply = find_reply(self.case, request)
        if reply is None or reply.message.code != SUCCESS:
            seen = "no reply" if reply is None else CODES[reply.message.code]
            raise Inconclusive(f"preamble: an ordinary Migrate: expected success, got {seen}", repeat=False)
        self.rebind(request, *connections)
        for connection in connections if use else ():
            self._use(connection)
        return request

    # Time, in rate-limit intervals of the server

    def wait(self, since: SentMigrate, intervals: float) -> None:
        """Wait until `intervals` have passed since a request was sent."""
        interval = self._ixit.mops.rate_limit_s
        self.case.wait_until(since.sent.ns + round(intervals * interval * NANO))

    def rest(self) -> None:
        """Wait until the interval since the node's last Migrate, if any, is over: whatever a limiter counts by."""
        if self._last:
            self.wait(self._last, OVER)

    def check_in_time(self, request: SentMigrate, since: SentMigrate, intervals: float) -> None:
        """Inconclusive unless the tester itself sent `request` less than `intervals` after `since`."""
        interval = self._ixit.mops.rate_limit_s
        late = (request.sent.ns - since.sent.ns) / NANO - intervals * interval
        if late >= 0:
            raise Inconclusive(f"the tester sent #{request.sent.frame.index} {late:.3f} s too late")
