# SPDX-License-Identifier: GPL-2.0-or-later
"""The tester as a SACIP host: a peer whose address changes, and one that is told of the device's new address."""

from dataclasses import dataclass
from typing import Any

from scapy.layers.inet import ICMP, IP, TCP
from scapy.packet import Packet
from scapy.utils import checksum

from layers.sacip import SACIP
from testbed.case.case import Case
from testbed.case.expect import preamble
from testbed.device.application import Application, Connecting, Socket
from testbed.device.upper_tester import OperationFailed
from testbed.interruptions import Inconclusive, NotApplicable
from testbed.peers import connection
from testbed.peers.connection import await_state
from testbed.peers.icmp import ICMP_PROTOCOL, QUOTED
from testbed.peers.segment import Segment
from testbed.peers.stream import exchange
from testbed.peers.tcp import TcpPeer
from testbed.peers.udp import UdpPeer, expect_datagram
from testbed.wire.capture import Mark, Sent
from testbed.wire.station import Station


@dataclass(frozen=True)
class Change:
    """A change of the tester's address: the notification, the moment of it, and both addresses."""

    sent: Sent
    mark: Mark
    old: Station
    new: Station


@dataclass(frozen=True)
class Opening:
    """A connection that the device is opening: its SYN, and the tester's end, which has not answered yet."""

    connecting: Connecting
    syn: Segment
    local: TcpPeer


class Node:
    """The tester at an address of its own, or at this one."""

    def __init__(self, case: Case, address: str = "") -> None:
        self._case = case
        self._ixit = case.setup.profile.ixit
        self.station = case.station(address)
        self.home = self.station

    # Connections

    def peer(self, port: int = 0, remote_port: int = 0, at: Station | None = None, **choices: Any) -> TcpPeer:
        """An end of a connection that is not open yet; `choices` are those of `TcpPeer`."""
        usual = {"checks_source": True}
        return connection.new_peer(self._case, at or self.station, port, remote_port, **(usual | choices))

    def connect(self, port: int = 0, remote_port: int = 0, remote: str = "", **choices: Any) -> TcpPeer:
        """Open a connection to the echo service unless another port is named, as preamble."""
        peer = self.peer(port, remote_port, **choices)
        peer.remote = remote or peer.remote
        return connection.connect(self._case, peer)

    def connect_to(self, app: Application, **choices: Any) -> tuple[TcpPeer, Socket]:
        """Open a connection to a socket that the upper tester commands, as preamble."""
        listener = app.listen()
        peer = self.connect(remote_port=listener.port, **choices)
        return peer, listener.accepted(self._ixit.tcp_within_s)

    def await_syn(self, app: Application, **choices: Any) -> Opening:
        """A connection that the application opens to this host, not answered yet, as preamble."""
        port = next(self._case.setup.source_ports)
        connecting = app.connect(self.station.address, port)
        syn = connection.await_syn(self._case, self.station, port, connecting)
        peer = self.peer(port, syn.source_port, **choices)
        peer.remote = syn.source
        return Opening(connecting, syn, peer)

    def accept_from(self, app: Application, **choices: Any) -> tuple[TcpPeer, Socket]:
        """Accept a connection that the application opens, as preamble."""
        opening = self.await_syn(app, **choices)
        connection.accept(self._case, opening.local, opening.syn)
        return opening.local, opening.connecting.socket()

    def exchange(self, *peers: TcpPeer, data: bytes = b"hello") -> None:
        """Exchange a few bytes with the echo service, as preamble."""
        with preamble():
            for peer in peers:
                exchange(self._case, peer, data)

    def receive_without_ack(self, peer: TcpPeer, socket: Socket, data: bytes) -> int:
        """Have the application send data, which comes and is not acknowledged, as preamble; when it was asked to."""
        expected = len(peer.stream) + len(data)
        asked_ns = socket.send(data)
        deadline = self._case.deadline(since_ns=asked_ns)
        if await_state(self._case, peer, deadline, lambda: len(peer.stream) >= expected) is None:
            raise Inconclusive(f"preamble: no data received within {deadline.within_s:g} s")
        return asked_ns

    def datagram_socket(self, app: Application) -> tuple[Socket, int]:
        """A socket of UDP that the application connects to this host, and its port here; a datagram comes, as preamble.

        NotApplicable where there are none.
        """
        port, since = next(self._case.setup.source_ports), self._case.mark()
        try:
            socket = app.connect(self.station.address, port, protocol="udp").socket()
        except OperationFailed as error:
            raise NotApplicable(f"the device's applications connect no socket of UDP: {error.reason}") from None
        socket.send(b"hello")
        with preamble():
            expect_datagram(self._case, UdpPeer(self.station, port), since, self._case.deadline())
        return socket, port

    # Changes of this end's address

    def notification(self, new: str, **fields: Any) -> SACIP:
        """The notification that names a new address; any field can be replaced."""
        return SACIP(**({"byte_order": self._ixit.sacip.byte_order, "new_address": new} | fields))

    def notify(self, new: str, *, at: Station | None = None, source: str = "", to: str = "", **fields: Any) -> Sent:
        """Send a notification, from this host's address unless another one is named."""
        return self.send(self.notification(new, **fields), at=at, source=source, to=to)

    def send(self, message: Packet | bytes, *, at: Station | None = None, source: str = "", to: str = "") -> Sent:
        """Send a message of ICMP."""
        return (at or self.station).send(ICMP_PROTOCOL, message, source=source, destination=to)

    def wrong_checksum(self, new: str) -> int:
        """Another checksum than that of the notification that names an address."""
        return int.from_bytes(bytes(self.notification(new))[2:4], "big") ^ 0xFF

    def cut(self, new: str, length: int) -> bytes:
        """The first bytes of a notification, with the checksum that is right for them."""
        content = bytes(self.notification(new, checksum=0))[:length]
        return content[:2] + int(checksum(content)).to_bytes(2, "big") + content[4:]

    def notify_everybody(self, new: str, address: str, mac: str) -> Sent:
        """Send a notification to an address of many hosts, in a frame to theirs."""
        station, network = self.station, self._case.network
        packet = network.packet(station.address, address, ICMP_PROTOCOL, self.notification(new))
        return station.interface.send(network.frame(station.interface.mac, mac, packet), station.trace)

    def redirect(self, peer: TcpPeer) -> Sent:
        """As the device's router: tell it that the peer of a connection is on its own wire (RFC 792, Redirect)."""
        quoted = bytes(IP(src=peer.remote, dst=peer.station.address) / TCP(sport=peer.remote_port, dport=peer.port))
        message = ICMP(type=5, code=1, gw=peer.station.address) / quoted[:QUOTED]
        return self.send(message, to=peer.remote)

    def change(self, *peers: TcpPeer, to: Station | None = None, remote: str = "") -> Change:
        """Take another address, say so from the old one, and go on from the new one with these connections."""
        old, new = self.station, to or self._case.station()
        sent = self.notify(new.address, to=remote)
        mark = self._case.trace.mark_at(sent.frame)
        self.station = new
        for peer in peers:
            peer.rebind(new, peer.port, mark)
        return Change(sent, mark, old, new)
