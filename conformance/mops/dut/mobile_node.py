# SPDX-License-Identifier: GPL-2.0-or-later
"""The mobile node under test: its applications, and what it has to send and to take."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from conformance.mops.capable import mobile_capable
from conformance.mops.migrate import ReceivedMigrate
from conformance.mops.tester.server import Attempt, Connection, Correspondent, UdpFlow
from testbed.case.case import Case
from testbed.case.expect import preamble
from testbed.case.verdict import Broken, Finding, require
from testbed.device.application import END_OF_STREAM, Listener
from testbed.device.upper_tester import Call, OperationFailed
from testbed.interruptions import Inconclusive, NotApplicable
from testbed.peers.connection import await_syn, half_open, new_peer
from testbed.peers.host import MobileHost, Move
from testbed.peers.segment import Segment
from testbed.peers.stream import ECHO
from testbed.peers.tcp import TcpPeer
from testbed.peers.udp import UdpPeer, expect_datagram
from testbed.wire.capture import Frame, Mark
from testbed.wire.headers import TCP_PROTOCOL, UDP_PROTOCOL

NO_CHOICES: Mapping[str, Any] = MappingProxyType({})

MIGRATE = "Migrate"
"""What a Migrate after a move is called where the times of answers are kept."""


ACCEPTED_DO_NOT_MIGRATE = "connections that were accepted do not migrate: that is MOPS-A-22"


class MobileNode(MobileHost):
    """The device under test as a MOPS mobile node."""

    def concerns(self, segment: Segment, end: TcpPeer) -> bool:
        """A migration may have changed the device's port; that of the server is one connection's alone."""
        return bool(segment.destination == end.station.address and segment.destination_port == end.port)

    # Silence

    def quiesce(self) -> None:
        """The barrier, then a quiet window: long enough for this device to ask, or to answer, if it were to."""
        self.barrier()
        echo = self._case.quiet_window(ECHO, self._ixit.tcp_within_s)
        self._case.watch(max(echo, self._case.quiet_window(MIGRATE, self._ixit.mops.reply_within_s)))

    def spoke_early(self, connection: Connection, move: Move) -> bool:
        """Whether the device sends segments of the connection from its new address before it has an answer."""
        self.quiesce()
        return bool(self.segments(connection.local, move.mark, source=move.new))

    # Migrates

    def find_migrate(self, connection: Connection | UdpFlow, since: Mark) -> ReceivedMigrate | None:
        """The first Migrate since a mark that lists the connection, as far as that can be told."""
        return next((one for one in connection.server.requests(since) if one.find_entry(connection)), None)

    def migrates(self, move: Move, connection: Connection | UdpFlow) -> ReceivedMigrate:
        """The device sends a Migrate for the connection in time, counted from when it said that it had moved."""
        deadline = self._case.deadline(self._ixit.mops.migrate_within_s, move.done_ns)
        frame = self._case.look(lambda: self._frame(connection, move.mark), deadline)
        request = self.find_migrate(connection, move.mark)
        if frame is None or request is None:
            reason = f"no Migrate for the connection to {connection.server.address} port {connection.local.port}"
            raise Broken(Finding(reason, f"a Migrate within {deadline.within_s} s", "none"), deadline)
        self._case.answered(MIGRATE, min(move.done_ns, frame.ns), frame.ns)
        return request

    def request(self, move: Move, connection: Connection | UdpFlow) -> ReceivedMigrate:
        """The Migrate that a case looks into, as preamble; NotApplicable where only opened connections migrate."""
        try:
            with preamble():
                return self.migrates(move, connection)
        except Inconclusive:
            if isinstance(connection, Connection) and connection.is_accepted:
                raise NotApplicable(ACCEPTED_DO_NOT_MIGRATE) from None
            raise

    def complete_move(self, *connections: Connection | UdpFlow, to: str = "", use: bool = True) -> Move:
        """Move the device and reply success to its Migrates, after which the connections continue; preamble.

        Without `use` no data is sent: for cases that are about the first data after the move.
        """
        move = self.move(to)
        replied: list[Frame] = []
        for connection in connections:
            request = self.request(move, connection)
            if request.frame in replied:
                connection.expect_at(request)
            else:
                connection.server.reply_success(request, connection)
                replied.append(request.frame)
        with preamble():
            for connection in connections if use else ():
                self.continues(connection)
        return move

    def never_lists(self, connection: Connection | UdpFlow, since: Mark) -> None:
        """Until barrier and quiet window no Migrate since a mark lists the connection."""
        self.quiesce()
        protocol = UDP_PROTOCOL if isinstance(connection, UdpFlow) else TCP_PROTOCOL
        for request in connection.server.requests(since):
            ports = [previous for previous, _, _ in request.entries]
            listed = request.message.protocol == protocol and connection.previous_port in ports
            require(not listed, "ports listed", f"without {connection.previous_port}", ports, request.frame)

    def has_not_ended(self, connection: Connection, since: Mark, move: Move) -> None:
        """No segment since a mark resets or closes a connection that has moved, or comes from the address left."""
        for segment in self.segments(connection.local, since):
            ends = set("RF") & set(segment.flags) or (segment.source == move.old and "old address")
            require(not ends, "segment after the success", "neither reset, FIN nor old address", ends, segment.frame)

    def _frame(self, connection: Connection | UdpFlow, since: Mark) -> Frame | None:
        request = self.find_migrate(connection, since)
        return request.frame if request else None

    def first_segment_from(self, move: Move, connection: Connection, after_ns: int) -> Frame:
        """The frame of the first segment that comes on the connection from the new address after a moment; preamble."""
        segment = self.await_segment(
            connection.local,
            move.mark,
            lambda one: one.source == move.new and one.frame.ns > after_ns,
            self._case.deadline(since_ns=after_ns),
        )
        if segment is None:
            raise Inconclusive("preamble: no segment came from the new address")
        return segment.frame

    # Data

    def continues(self, connection: Connection | UdpFlow, data: bytes = b"at the new address") -> None:
        """Data flows both ways, byte-exact, between the server and the application, where the connection now is."""
        if isinstance(connection, UdpFlow):
            self._flow_continues(connection)
            return
        start = len(connection.local.stream)
        self.delivers(connection.local, data, self.application_takes(connection.socket, data), start)
        connection.local.send(data)
        self.application_reads(connection.socket, data)

    def completes_read(self, reading: Call, data: bytes) -> None:
        """A read of the application, begun before, brings `data`, not an error or the end of the stream."""
        deadline = self._case.deadline()
        try:
            result = reading.result()
            seen = END_OF_STREAM if result["eof"] else repr(bytes.fromhex(result["data"]))
        except OperationFailed as error:
            seen = error.reason
        require(seen == repr(data), "what the application reads", repr(data), seen, deadline)

    def _flow_continues(self, flow: UdpFlow) -> None:
        since = self._case.mark()
        asked_ns = self.application_takes(flow.socket, b"from the device")
        expect_datagram(self._case, flow.local, since, self._case.deadline(since_ns=asked_ns), checks_source=True)
        flow.local.send(b"from the server")
        self.application_reads(flow.socket, b"from the server")


class Applications:
    """The applications of the device, as the upper tester commands them. `choices` are those of their sockets."""

    def __init__(self, case: Case, dut: MobileNode) -> None:
        self._case = case
        self._dut = dut

    def begin_connect(self, server: Correspondent, end: Mapping[str, Any] = NO_CHOICES, **choices: Any) -> Attempt:
        """Begin to connect; the device has sent its SYN, which the server has not answered yet.

        `end` are choices of the server's end (see `TcpPeer`). The socket is MOBILE_ALLOWED where applications can
        choose and this one does not: what holds by default is one requirement's business.
        """
        port, since = next(self._case.setup.source_ports), self._case.mark()
        connecting = self._dut.app.connect(server.address, port, **self._mobile(choices))
        syn = await_syn(self._case, server.station, port, connecting, since)
        local = new_peer(self._case, server.station, port, syn.source_port, checks_source=True, **end)
        local.remote = syn.source
        return Attempt(connecting, syn, local)

    def _mobile(self, choices: dict[str, Any]) -> dict[str, Any]:
        can_choose = self._case.setup.profile.ics.mops.mobile_allowed
        asked = {"mobile_allowed": True, **choices} if can_choose else choices
        return {name: value for name, value in asked.items() if value is not None}

    def connect(self, server: Correspondent, end: Mapping[str, Any] = NO_CHOICES, **choices: Any) -> Connection:
        """Open a connection and use it once; preamble. With `mobile_allowed=None` the application does not choose."""
        connection = server.accept(self.begin_connect(server, end, **choices))
        connection.unique_id = choices.get("unique_id")
        with preamble():
            self._dut.continues(connection, b"hello")
        return connection

    def listen(self) -> Listener:
        """Have an application listen at a port of its own."""
        return self._dut.app.listen(**self._mobile({}))

    def accept(self, server: Correspondent, listener: Listener, *, shares_port: bool = False) -> Connection:
        """Have a listening application accept a connection from this server, and use it once; preamble."""
        option = [mobile_capable(self._case)] if self._case.setup.profile.ics.mops.mobile_capable else []
        local = new_peer(self._case, server.station, remote_port=listener.port, checks_source=True)
        local.remote = self._dut.address
        half_open(self._case, local, *option)
        local.send(flags="A", options=option)
        socket = listener.accepted(self._case.setup.profile.ixit.tcp_within_s, local.port)
        server.connections += 1
        connection = Connection(server, local, socket, shares_port=shares_port, is_accepted=True)
        with preamble():
            self._dut.continues(connection, b"hello")
        return connection

    def open_flow(self, server: Correspondent, **choices: Any) -> UdpFlow:
        """Open a UDP flow and use it once; preamble."""
        local = UdpPeer(server.station, next(self._case.setup.source_ports))
        since = self._case.mark()
        socket = self._dut.app.connect(server.address, local.port, protocol="udp", **choices).socket()
        deadline = self._case.deadline(since_ns=socket.send(b"hello"))
        with preamble("the device did not send a datagram"):
            first = expect_datagram(self._case, local, since, deadline)
        local.remote, local.remote_port = self._dut.address, first.payload.sport
        server.connections += 1
        server.flows += 1
        flow = UdpFlow(server, local, socket, choices.get("unique_id"))
        with preamble():
            self._dut.continues(flow)
        return flow

    @staticmethod
    def try_to_send(connection: Connection) -> None:
        """Send data on a connection that may be dead, whether the socket takes it or not."""
        connection.socket.try_send(b"is this connection dead?")
