# SPDX-License-Identifier: GPL-2.0-or-later
"""The firewall under test: what passes it because of a Migrate, and what does not (section 6)."""

from typing import Any

from scapy.packet import Packet

from conformance.mops.dut.passage import PASSED, Passage, signature
from conformance.mops.migrate import SentMigrate, entries_in, is_mops
from conformance.mops.tester.beyond import Router
from conformance.mops.tester.crossing import (
    TRANSPORTS,
    End,
    Flow,
    Move,
    Place,
    RoamingNode,
    new_session,
    probe,
    token,
)
from layers.mops import FAILED, MIGRATE, SUCCESS
from testbed.case.case import Case
from testbed.case.expect import preamble
from testbed.case.verdict import Broken
from testbed.interruptions import Inconclusive
from testbed.peers.segment import Segment
from testbed.peers.tcp import TcpPeer
from testbed.peers.udp import UdpPeer
from testbed.wire.capture import Frame, Sent
from testbed.wire.clock import NANO

INSIDE, OUTSIDE = "inside", "outside"

_SAFE = 0.7
"""The share of a timer in which nothing can have been forgotten."""


class Firewall(Passage):
    """The device under test."""

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self._control: tuple[RoamingNode, Flow] | None = None
        self._flow: tuple[UdpPeer, UdpPeer] | None = None
        self.fresh_ns = case.started_ns
        """When all sessions of the case were in use last: what is idle for long may be forgotten."""
        self._lasts_s = case.setup.profile.ixit.mops.firewall_idle_s
        case.explains = lambda packet: is_mops(packet) and not self._was_sent(packet)

    def passes(self, sent: Sent) -> Frame:
        """The packet comes out on the other side, in time; Inconclusive where its session may have been forgotten.

        A device that is late with its work takes the packet when it is nearer to the end of a timer.
        """
        try:
            return super().passes(sent)
        except Broken as broken:
            late_s = max(self._case.setup.answers.slowest_s(PASSED), self._withheld_s(sent))
            idle_s = (sent.ns - self.fresh_ns) / NANO + late_s
            if self._lasts_s is not None and idle_s > _SAFE * self._lasts_s:
                raise Inconclusive(f"after {idle_s:.1f} s, near a timer: {broken.finding.reason}") from None
            raise

    def _withheld_s(self, sent: Sent) -> float:
        """What the machine has withheld from the device since a packet was sent."""
        with self._case.clock.waiting():
            return self._case.setup.withheld_ns(sent.ns, self._case.clock.now_ns()) / NANO

    # Sessions

    def connect(
        self,
        node: RoamingNode,
        transport: str = "tcp",
        place: Place | None = None,
        port: int = 0,
        **choices: Any,
    ) -> Flow:
        """A session of the node with its server, opened from the inside; preamble.

        The node is at `place`, its address with a new port unless one is named; `port` is the server's. `choices` are
        those of `TcpPeer`.
        """
        session = self.new_session(node, transport, place, port, **choices)
        with preamble():
            self.opens(session, session.node if node.position == INSIDE else session.server)
        return session

    def new_session(
        self,
        node: RoamingNode,
        transport: str = "tcp",
        place: Place | None = None,
        port: int = 0,
        **choices: Any,
    ) -> Flow:
        """A session that is not open yet."""
        near = place or node.new_place(node.station)
        far = Place(node.server.station, port or node.new_port())
        return new_session(self._case, transport, near, far, **choices)

    def opens(self, session: Flow, opener: End) -> None:
        """The packets pass by which one end of a session opens it."""
        other = session.server if opener is session.node else session.node
        if isinstance(opener, TcpPeer) and isinstance(other, TcpPeer):
            self.shakes_hands(opener, other)
        else:
            self.delivers(opener, other)
            self.delivers(other, opener)

    def shakes_hands(self, opener: TcpPeer, other: TcpPeer) -> tuple[tuple[Sent, Frame], ...]:
        """SYN, SYN-ACK and ACK pass; each as sent, and as it came out."""
        syn = opener.start()
        came = self.passes(syn)
        segment = Segment.read(came, other.station.network)
        assert segment
        syn_ack = other.accept(segment)
        answer = self.passes(syn_ack)
        opener.read()
        ack = opener.acknowledge()
        last = self.passes(ack)
        other.read()
        return (syn, came), (syn_ack, answer), (ack, last)

    def sends_syn(self, session: Flow) -> None:
        """The node's SYN passes, and its session is not open yet; preamble."""
        assert isinstance(session.node, TcpPeer)
        self._lasts_s = self._case.setup.profile.ixit.mops.firewall_ended_s
        with preamble():
            self.passes(session.node.start())

    def carries(self, *sessions: Flow, first: str = "") -> None:
        """Data passes both ways; the end outside speaks first, or the one that is named: "server" or "node"."""
        for session in sessions:
            outer, inner = self._ends(session)
            one, other = {"server": (session.server, session.node), "node": (session.node, session.server)}.get(
                first, (outer, inner)
            )
            self.delivers(one, other)
            self.delivers(other, one)

    def _ends(self, session: Flow) -> tuple[End, End]:
        """The ends of a session, the outside one first."""
        is_outside = session.node.station in self._case.outside.stations
        return (session.node, session.server) if is_outside else (session.server, session.node)

    def delivers(self, one: End, other: End, data: bytes = b"") -> None:
        """Data passes from one end to the other, which has read it then and acknowledges it with what it sends next."""
        self.passes(one.send(data or token()))
        if isinstance(other, TcpPeer):
            other.read()

    # Moves

    def lets_migrate(self, node: RoamingNode, move: Move, code: int = MIGRATE) -> SentMigrate:
        """A Migrate and the success that answers it pass; the sessions are at their new places then."""
        request = node.migrate(move, code=code)
        self.passes(request.sent)
        self.passes(node.server.reply(request, SUCCESS))
        move.follow()
        return request

    def migrate(self, node: RoamingNode, *sessions: Flow, used: bool = True) -> Move:
        """Move sessions, and use them at their new places unless that is not wanted; preamble."""
        move = node.move(*sessions)
        with preamble():
            self.lets_migrate(node, move)
        if used:
            self.use(*sessions)
        return move

    def use(self, *sessions: Flow) -> None:
        """Data passes from the outside to the inside; preamble."""
        with preamble():
            for session in sessions:
                self.delivers(*self._ends(session))

    def ask(self, node: RoamingNode, move: Move, message: Packet | None = None) -> SentMigrate:
        """A Migrate passes; preamble."""
        with preamble():
            request = node.send(move, message or node.request(move))
            self.passes(request.sent)
        return request

    def hear(self, sent: Sent) -> None:
        """A message of the tester's passes; preamble."""
        with preamble():
            self.passes(sent)

    def can_open(self, node: RoamingNode, session: Flow) -> None:
        """An ordinary Migrate of a node on this side opens a place, once a run: otherwise nothing opened says nothing.

        Inconclusive where it does not.
        """
        key = f"opens over {self._case.inside.network.name} for {node.position} and protocol {session.protocol}"
        if key in self._case.setup.known:
            return
        other = RoamingNode(self._case, node.position)
        transport = next(name for name, number in TRANSPORTS.items() if number == session.protocol)
        control = self.connect(other, transport)
        move = other.move(control)
        try:
            self.lets_migrate(other, move)
            self.carries(control)
        except Broken as broken:
            raise Inconclusive(f"control: an ordinary Migrate: {broken.finding.reason}", repeat=False) from None
        self._case.setup.known[key] = True

    def shows(self, request: SentMigrate) -> bool:
        """Whether a Migrate that was sent in fragments has come out whole."""
        network = self._case.inside.network
        messages = (one.data for one in self._case.trace.received(request.mark))
        carried = (network.payload(data) for data in messages if network.protocol(data) == network.icmp_protocol)
        return any(entries_in(octets) == request.entries for octets in carried)

    def lets_acknowledge(self, router: Router, session: Flow) -> None:
        """An acknowledgement of a session's node passes: otherwise that others do not says nothing; preamble."""
        with preamble("control: an acknowledgement of a known session does not pass"):
            self.passes(router.acknowledge(session, session.address, router.translation()))

    # From outside to inside

    def inward(self, node: RoamingNode, session: Flow, place: Place) -> Sent:
        """Send the next data of a session from the outside, with the node's end at a place."""
        return probe(session.server_to(place) if node.position == INSIDE else session.node_at(place))

    def stays_closed(self, node: RoamingNode, session: Flow, *places: Place) -> None:
        """From the outside nothing passes of a session at these places, at a device that opens them for a Migrate."""
        self.blocks(*[self.inward(node, session, place) for place in places])
        self.can_open(node, session)

    def keeps_closed(self, node: RoamingNode, move: Move, *numbers: int) -> None:
        """Nothing passes from the outside at the new places of a move, or at those of them that are numbered."""
        wanted = numbers or range(len(move.sessions))
        self.blocks(*[self.inward(node, move.sessions[number], move.places[number]) for number in wanted])
        self.can_open(node, move.sessions[0])

    def blocks(self, *probes: Sent) -> None:
        """None of these packets has come out when what was sent after them has, and a quiet window later."""
        for name in {sent.frame.interface for sent in probes}:
            self.barrier(name)
        self.quiesce()
        self.require_none(*probes)

    def tells(self, sent: Sent) -> str:
        """In words, whether a packet passes; a packet of another session that was sent after it has passed."""
        self.barrier(sent.frame.interface)
        self.quiesce()
        return "passes" if self.find(sent) else "does not pass"

    def quiesce(self) -> None:
        """A quiet window: what was to come has come."""
        self._case.watch(self._case.quiet_window(PASSED, self._case.setup.profile.ixit.tcp_within_s))

    # Barriers

    def barrier(self, sent_on: str = OUTSIDE) -> None:
        """What was sent on a side has been dealt with: a datagram of another flow, sent after it, has passed."""
        if self._flow is None:
            inner, outer = self._case.inside.station(), self._case.outside.station()
            ports = next(self._case.setup.source_ports), next(self._case.setup.source_ports)
            self._flow = UdpPeer(inner, *ports), UdpPeer(outer, *reversed(ports))
            self._flow[0].remote, self._flow[1].remote = outer.address, inner.address
            self._cross(INSIDE)
        self._cross(sent_on)

    def _cross(self, sent_on: str) -> None:
        assert self._flow
        with preamble():
            self.passes(self._flow[sent_on == OUTSIDE].send(token()))

    def message_barrier(self) -> None:
        """Messages that were sent have been dealt with: those of another session that were sent after them have passed.

        They are a Migrate from the inside, and the answer that it failed.
        """
        if self._control is None:
            node = RoamingNode(self._case, INSIDE)
            self._control = node, node.bring()
        node, session = self._control
        with preamble():
            request = node.migrate(node.move(session, to=node.station))
            self.passes(request.sent)
            self.passes(node.server.reply(request, FAILED))

    # Messages

    def _was_sent(self, packet: Packet) -> bool:
        """Whether a message is one that the tester has sent on the other side."""
        network = self._case.inside.network
        octets = network.frame("00:00:00:00:00:00", "00:00:00:00:00:00", packet.original)
        mine = signature(network, Frame(0, 0, False, octets))
        return any(signature(network, frame) == mine for frame in self._case.trace.frames if frame.outgoing)
