# SPDX-License-Identifier: GPL-2.0-or-later
"""The server that the tester plays for a mobile node: its connections, its replies, its second address."""

import contextlib
from dataclasses import dataclass
from typing import Any

from scapy.packet import Packet

from conformance.mops.capable import mobile_capable
from conformance.mops.migrate import Message, ReceivedMigrate, in_mops, send_message
from layers.mops import FAILED, SUCCESS, MOPSAnycastAck, MOPSMigrate
from testbed.case.case import Case
from testbed.device.application import Connecting, Socket
from testbed.device.upper_tester import OperationFailed
from testbed.interruptions import Inconclusive
from testbed.peers.connection import accept
from testbed.peers.segment import Segment
from testbed.peers.sequence import SEQUENCE_SPACE
from testbed.peers.tcp import TcpPeer
from testbed.peers.udp import UdpPeer
from testbed.wire.capture import BEGINNING, Frame, Mark, Sent
from testbed.wire.clock import NANO
from testbed.wire.headers import TCP_PROTOCOL, UDP_PROTOCOL
from testbed.wire.network import Network
from testbed.wire.station import Station

REPLIES = (SUCCESS, FAILED)


@dataclass
class Attempt:
    """A connection that the device's application is opening: the device's SYN, and the server's end, still silent."""

    connecting: Connecting
    syn: Segment
    local: TcpPeer


@dataclass
class Connection:
    """A connection of the device. `local` is the server's end of it, `socket` the application's.

    `previous_port` and `identifier` are what the device's next Migrate is expected to name without NAT on the path.
    """

    server: "Correspondent"
    local: TcpPeer
    socket: Socket
    unique_id: int | None = None
    shares_port: bool = False
    is_accepted: bool = False

    @property
    def previous_port(self) -> int:
        """The device's port."""
        return self.local.remote_port

    @property
    def identifier(self) -> int:
        """The device's SND.NXT as far as the server has seen it, or the Unique ID."""
        return self.local.rcv_nxt if self.unique_id is None else self.unique_id

    @property
    def is_only(self) -> bool:
        """Whether the device has nothing else with this server."""
        return self.server.connections == 1

    def is_ruled_out(self, protocol: int) -> bool:
        """Whether a message with this Protocol is not about TCP: the device has UDP sockets with this server, too."""
        return protocol != TCP_PROTOCOL and self.server.flows > 0

    def expect_at(self, request: ReceivedMigrate, since: Frame | None = None) -> None:
        """Expect the device where its request asks for this connection.

        What has come from there since a frame, the request unless another is named, is taken as unread: a fast device
        continues before the tester has so much as seen its own reply leave.
        """
        port = request.entry(self)[1]
        self.local.follow_remote(request.packet.src, self.local.station.trace.mark_at(since or request.frame))
        self.local.remote_port = port


@dataclass
class UdpFlow:
    """A UDP flow of the device. `local` is the server's end of it, `socket` the application's."""

    server: "Correspondent"
    local: UdpPeer
    socket: Socket
    unique_id: int | None
    shares_port: bool = False

    @property
    def previous_port(self) -> int:
        """The device's port."""
        return self.local.remote_port

    @property
    def identifier(self) -> int:
        """The Unique ID."""
        return self.unique_id or 0

    @property
    def is_only(self) -> bool:
        """Whether the device has nothing else with this server."""
        return self.server.connections == 1

    def is_ruled_out(self, protocol: int) -> bool:
        """Whether a message with this Protocol is not about UDP: the device has connections with this server, too."""
        return protocol != UDP_PROTOCOL and self.server.connections > self.server.flows

    def expect_at(self, request: ReceivedMigrate, since: Frame | None = None) -> None:
        """Expect the device where its request asks for this flow; datagrams are looked for since a mark anyway."""
        self.local.remote, self.local.remote_port = request.packet.src, request.entry(self)[1]


class Correspondent:
    """The tester as a server at an address of its own. `unicast` is its second address if it is an anycast server.

    `further` are addresses of others of the same anycast address.
    `connections` counts the connections and flows that the device has opened to it, `flows` those of UDP.
    """

    def __init__(self, case: Case, address: str = "", network: Network | None = None) -> None:
        self._case = case
        self.station = case.station(address, network)
        self.unicast: Station | None = None
        self.further: list[Station] = []
        self.connections = self.flows = 0

    @property
    def address(self) -> str:
        """Where the device connects to."""
        return self.station.address

    @property
    def network(self) -> Network:
        """What the server is reached by."""
        return self.station.network

    def accept(self, attempt: Attempt, *, negotiates: bool = True) -> Connection:
        """Answer the SYN; the connection is then open; preamble.

        The SYN-ACK carries MOBILE_CAPABLE where the device claims it: it may migrate negotiated connections alone.
        """
        claimed = negotiates and self._case.setup.profile.ics.mops.mobile_capable
        accept(self._case, attempt.local, attempt.syn, *([mobile_capable(self._case)] if claimed else []))
        socket = attempt.connecting.socket()
        self.connections += 1
        return Connection(self, attempt.local, socket)

    @staticmethod
    def refuse(attempt: Attempt) -> None:
        """Answer the SYN with a reset; the application is then told that its connection was not opened."""
        attempt.local.rcv_nxt = (attempt.syn.seq + 1) % SEQUENCE_SPACE
        attempt.local.reset()
        with contextlib.suppress(OperationFailed):
            attempt.connecting.socket()

    # Requests and replies

    def requests(self, since: Mark = BEGINNING) -> list[ReceivedMigrate]:
        """Every Migrate request of the device to this server since a mark.

        It is one whatever its fields say, so that only the case about a field fails where that field is wrong.
        """
        mine = [one.address for one in self._stations]
        return [
            ReceivedMigrate(frame, packet, self.network.payload(frame.data), self.network)
            for frame, packet in self._case.messages(self.network.icmp_protocol, since, self.network)
            if packet.dst in mine and isinstance(packet.payload, MOPSMigrate) and packet.payload.code not in REPLIES
        ]

    def reply_message(self, request: ReceivedMigrate, code: int = SUCCESS, **fields: Any) -> Packet:
        """A reply to the request, its fields as received; any of them can be replaced."""
        names = ("protocol", "previous_source", "migrated_source")
        content = {name: request.message.getfieldval(name) for name in names}
        return MOPSMigrate(**{"code": code, **content, "entries": request.entries, **fields})

    def send(self, request: ReceivedMigrate, message: Message, sender: Station | None = None) -> Sent:
        """Send a message to where the request came from, by the address it was sent to or by another station.

        Inconclusive where the device is no more at that address: nothing follows from a reply that nobody receives.
        """
        source = request.packet.src
        if source != self._case.setup.networks[self.network.name].dut:
            number = request.frame.index
            raise Inconclusive(f"preamble: #{number} came from {source}, which is no longer the DUT's address")
        return send_message(sender or self._called(request), message, source)

    def reply(self, request: ReceivedMigrate, code: int = SUCCESS, **fields: Any) -> Sent:
        """Reply to the request."""
        return self.send(request, self.reply_message(request, code, **fields))

    def waits_until_ns(self, request: ReceivedMigrate, share: float = 0.8) -> int:
        """When `share` of the time is over in which the device waits for the reply to its first Migrate."""
        mops = self._case.setup.profile.ixit.mops
        return request.frame.ns + round(mops.retry_interval_s * (mops.retries + 1) * share * NANO)

    def reply_in_time(self, request: ReceivedMigrate, code: int = SUCCESS, **fields: Any) -> Sent:
        """Reply; Inconclusive if the tester was so late that the device may have given up."""
        return self.check_in_time(request, self.reply(request, code, **fields))

    def check_in_time(self, request: ReceivedMigrate, sent: Sent) -> Sent:
        """What was sent in reply; Inconclusive if the tester was so late that the device may have given up."""
        if sent.ns > self.waits_until_ns(request):
            raise Inconclusive(f"the tester answered #{request.frame.index} too late")
        return sent

    def reply_success(self, request: ReceivedMigrate, *connections: Connection | UdpFlow) -> int:
        """Reply success, and expect the connections at their migrated tuples from now on; when it was sent."""
        sent = self.reply_in_time(request, SUCCESS)
        for connection in connections:
            connection.expect_at(request, sent.frame)
        return sent.ns

    def _called(self, request: ReceivedMigrate) -> Station:
        return next(one for one in self._stations if one.address == request.packet.dst)

    @property
    def _stations(self) -> list[Station]:
        return [self.station, *([self.unicast] if self.unicast else []), *self.further]

    # Anycast

    def become_anycast(self) -> Station:
        """Take a unicast address besides the one that the device knows."""
        self.unicast = self._case.station(network=self.network)
        return self.unicast

    def anycast_acknowledgement(self, connection: Connection, **fields: Any) -> Packet:
        """The anycast acknowledgement for a connection; any field can be replaced."""
        assert self.unicast
        content = {
            "protocol": TCP_PROTOCOL,
            "anycast_destination": in_mops(self.address),
            "unicast_destination": in_mops(self.unicast.address),
            "source_port": connection.previous_port,
            "destination_port": connection.local.port,
        }
        return MOPSAnycastAck(**{**content, **fields})

    def send_about(self, connection: Connection, message: Message, sender: Station | None = None) -> Sent:
        """Send a message to the device where it is known to be with this connection."""
        return send_message(sender or self.station, message, connection.local.remote)
