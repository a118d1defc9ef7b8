# SPDX-License-Identifier: GPL-2.0-or-later
"""The anycast server under test: its acknowledgements, and at which of its two addresses a connection is."""

from collections.abc import Iterable

from scapy.packet import Packet

from conformance.mops.dut.server import Server
from conformance.mops.migrate import Reply, SentMigrate
from conformance.mops.tester.anycast_node import AnycastNode
from conformance.mops.tester.mobile_node import Connection
from layers.mops import MOPSAnycastAck
from testbed.case.case import Case
from testbed.case.expect import preamble
from testbed.case.verdict import Broken, Finding, require, require_none
from testbed.interruptions import Inconclusive
from testbed.peers.connection import connect
from testbed.peers.tcp import TcpPeer
from testbed.wire.capture import BEGINNING, Frame, Mark
from testbed.wire.station import Station

ACKNOWLEDGEMENT = "anycast acknowledgement"
"""What the answers to a SYN with MOBILE_CAPABLE are called where their times are kept."""


class AnycastServer(Server):
    """The device under test as an anycast server."""

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self.unicast = self.address
        self.anycast = case.setup.profile.ixit.mops.anycast_on(case.network.name)

    # Acknowledgements

    def acknowledgements(self, since: Mark = BEGINNING) -> list[tuple[Frame, Packet]]:
        """Every anycast acknowledgement since a mark, wherever it went to; the network packets around them."""
        found = self._case.messages(self._case.network.icmp_protocol, since)
        return [(frame, packet) for frame, packet in found if isinstance(packet.payload, MOPSAnycastAck)]

    def acknowledges(self, peer: TcpPeer, since: Mark) -> tuple[Frame, Packet]:
        """The SYN that this end has sent since a mark draws an acknowledgement in time; it, and the packet around it.

        It is the one that names the end's port, or else one that came to its address: what it names is judged apart.
        """
        deadline = self._case.deadline(self._ixit.mops.reply_within_s)
        frame = self._case.look(lambda: next(iter(self._to(peer, since)), None), deadline)
        if frame is None:
            finding = Finding(f"no {ACKNOWLEDGEMENT} of {peer}", f"one within {deadline.within_s} s", "silence")
            raise Broken(finding, deadline)
        asked = next(one for one in self._case.trace.since(since)[0] if one.outgoing)
        self._case.answered(ACKNOWLEDGEMENT, asked.ns, frame.ns)
        return frame.account(ACKNOWLEDGEMENT), self._case.network.dissect(frame.data)

    def sends_acknowledgements(self, station: Station, count: int, since: Mark) -> None:
        """So many acknowledgements have come to this address since a mark, or come in time."""
        deadline = self._case.deadline(self._ixit.mops.reply_within_s)

        def last() -> Frame | None:
            found = [frame for frame, packet in self.acknowledgements(since) if packet.dst == station.address]
            return found[count - 1] if len(found) >= count else None

        came = self._case.look(last, deadline) is not None
        found = len([one for one, packet in self.acknowledgements(since) if packet.dst == station.address])
        require(came, f"{ACKNOWLEDGEMENT}s", f"{count} within {deadline.within_s} s", found, deadline)

    def _to(self, peer: TcpPeer, since: Mark) -> list[Frame]:
        found = self.acknowledgements(since)
        by_port = [frame for frame, packet in found if packet.payload.source_port == peer.port]
        return by_port or [frame for frame, packet in found if packet.dst == peer.station.address]

    def acknowledgement_of(self, peer: TcpPeer, since: Mark) -> tuple[Frame, Packet]:
        """The acknowledgement that a case looks into, as preamble."""
        with preamble():
            return self.acknowledges(peer, since)

    def has_acknowledged(self, *peers: TcpPeer) -> list[Frame]:
        """The acknowledgements so far that name the port of one of these ends."""
        ports = {peer.port for peer in peers}
        return [frame for frame, packet in self.acknowledgements() if packet.payload.source_port in ports]

    def acknowledges_none(self, node: AnycastNode, *peers: TcpPeer, but: int = 0, later_s: float = 0.0) -> None:
        """What these ends have sent has drawn no more than `but` acknowledgements, at a device that acknowledges.

        The SYN that shows it comes from the same node and is at the same time the barrier.
        """
        mark = self._case.mark()
        self.acknowledgement_of(node.open_capable(), mark)
        self.quiesce()
        self._case.watch(max(later_s, self._case.quiet_window(ACKNOWLEDGEMENT, self._ixit.mops.reply_within_s)))
        require_none(ACKNOWLEDGEMENT, self.has_acknowledged(*peers)[but:])

    # The two addresses

    def answers_from(self, address: str, request: SentMigrate, code: int) -> Reply:
        """The server replies in time, with this code and from this address of its own."""
        reply = self.answers(request, code)
        source = self._case.network.dissect(reply.frame.data).src
        require(source == address, "source of the reply", address, source, reply.frame)
        return reply

    def leaves_alone(
        self, request: SentMigrate, *connections: Connection, migrated: Iterable[int] | None = None
    ) -> None:
        """Connections are where they were before a request and nowhere else, at neither address of the server."""
        self.can_migrate()
        ends = [
            _towards(connection.local.at(request.station, port), address)
            for connection in connections
            for port in self._migrated(request, connection, migrated)
            for address in (self.unicast, self.anycast)
        ]
        self._have_no_connection(ends)
        self.serves(*connections)

    def is_not_at(self, address: str, connection: Connection) -> None:
        """The connection does not take its next data where it is sent to this address of the server instead.

        Nothing but resets comes from there, and the data does not count as sent.
        """
        end = _towards(connection.local.at(connection.local.station), address)
        sent = end.transmit(end.segment("PA", b"is anybody there"))
        self.expect_silence(end, self._case.trace.mark_at(sent.frame), source=address)
        self.serves(connection)

    def old_tuple_is_dead_at(self, address: str, connection: Connection) -> None:
        """Data sent to this address of the server from where the connection was before is not accepted."""
        previous = connection.previous[-1]
        self._have_no_connection([_towards(connection.local.at(previous.station, previous.port), address)])

    def opens_at_the_anycast_address(self, peer: TcpPeer) -> None:
        """A connection of this peer opens at the anycast address and carries data."""
        start_ns = self._case.clock.now_ns()
        try:
            connect(self._case, _towards(peer, self.anycast))
        except Inconclusive as trouble:
            finding = Finding(f"new connection from {peer}: {trouble}", "a connection", "none")
            raise Broken(finding, self._case.deadline(since_ns=start_ns)) from None
        self.serves(peer)

    def sends_from(self, address: str, connection: Connection, since: Mark) -> None:
        """Everything that came to the connection's end since a mark came from this address of the server."""
        segments = [one for one in self.segments(connection.local, since) if not one.is_reset]
        for segment in segments:
            require(segment.source == address, "source of a segment", address, segment.source, segment.frame)


def _towards(end: TcpPeer, address: str) -> TcpPeer:
    """The end, which sends to this address of the server."""
    end.remote = address
    return end
