# SPDX-License-Identifier: GPL-2.0-or-later
"""The Rehash host under test: what it has to do, and the proof that it did."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from conformance.rehash.dut.application import Application
from conformance.rehash.oracle import preamble
from conformance.rehash.tester.host import CONNECT_TIMEOUT_S, Move, Node, Opening, Order, Session, find_init, receives
from conformance.rehash.tester.peer import MSS, RehashPeer
from testbed.case.case import Case
from testbed.case.verdict import Broken, Finding
from testbed.interruptions import Inconclusive, NotApplicable
from testbed.peers.connection import opens
from testbed.peers.segment import Option, Segment, read
from testbed.peers.tcp import TcpPeer
from testbed.wire.capture import BEGINNING, Mark
from testbed.wire.clock import NANO, Deadline

RETRANSMITTED_WITHIN_S = 10.0
"""The timer of RFC 6298 doubles: after some seconds of loss it takes as many again."""


class Host(Application):
    """The device under test in the role of a Rehash host."""

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self.address = case.network.dut

    # What came

    def segments(self, end: TcpPeer, mark: Mark = BEGINNING, source: str = "") -> list[Segment]:
        """Every segment to this end from `mark` of the trace on, from any address or from `source`."""
        return [
            segment
            for frame in self._case.trace.received(mark)
            if (segment := read(frame)) and _is_to(segment, end) and source in ("", segment.source)
        ]

    def waits_for(
        self, end: TcpPeer, mark: Mark, wanted: Callable[[Segment], Any], since_ns: int = 0, within_s: float = 0
    ) -> Segment | None:
        """The first segment to this end that is wanted, if it comes in time."""
        found: list[Segment] = []

        def look() -> Any:
            found.extend(one for one in self.segments(end, mark) if wanted(one))
            return found[0].frame if found else None

        since_ns = since_ns or self._case.clock.now_ns()
        frame = self._case.look(look, Deadline(since_ns, within_s or self._ixit.tcp_within_s))
        return found[0] if frame else None

    def has_gone_on(self) -> None:
        """An ordered barrier: the device has dealt with everything sent so far, for it answers a SYN sent behind it."""
        peer = TcpPeer(self._case.station(), next(self._case.setup.source_ports), self._ixit.services.echo, 1)
        peer.remote = self.address
        opens(self._case, peer)
        peer.reset()

    def has_calmed_down(self) -> None:
        """The barrier and a short window: what was to come has come."""
        self.has_gone_on()
        self._case.watch(self._ixit.silence_s)

    # The device is told of a move

    def acknowledges(self, order: Order) -> Segment:
        """REHASH-INIT comes to the end that REHASH-ADDR, or REHASH-INIT, was sent from."""
        segment = find_init(self._case, order)
        if segment is None:
            within = self._ixit.tcp_within_s
            frames = [order.sent.frame, *(one.frame for one in self.segments(order.end, order.mark))]
            seen = ", ".join(map(str, self.segments(order.end, order.mark))) or "silence"
            finding = Finding("no REHASH-INIT came", f"REHASH-INIT within {within} s", seen, frames=frames)
            raise Broken(finding, Deadline(order.sent.ns, within))
        return segment

    def acknowledged(self, order: Order) -> Segment:
        """The REHASH-INIT that a case looks into, as preamble."""
        segment = find_init(self._case, order)
        if segment is None:
            raise Inconclusive(f"preamble: no REHASH-INIT came for #{order.sent.frame.index}", repeat=False)
        return segment

    def serves(self, session: Session, data: bytes = b"still there") -> None:
        """Data flows on the session, both ways and byte-exact, where both ends are now."""
        sent = session.peer.send(data)
        if not session.connection:
            self.delivers(session, data, sent.ns)
            return
        self.application_reads(session, data)
        self.delivers(session, data, self.application_sends(session, data))

    def is_served(self, session: Session) -> bool:
        """Whether data flows on the session, for cases that only report."""
        try:
            self.serves(session)
        except Broken:
            return False
        return True

    def delivers(self, session: Session, data: bytes, since_ns: int) -> None:
        """`data`, sent or asked for before, arrives on the session."""
        receives(self._case, session, data, since_ns)

    def delivers_again(self, session: Session, data: bytes) -> None:
        """`data`, which was lost on the way, arrives on the session when the device sends it again."""
        receives(self._case, session, data, self._case.clock.now_ns(), RETRANSMITTED_WITHIN_S)

    def has_moved(self, session: Session, order: Order, data: bytes = b"at the new address") -> None:
        """The session goes on where the order has moved it to; Inconclusive if the device serves no order at all."""
        with self.serving_orders():
            self.goes_on(session, order, data)

    @contextlib.contextmanager
    def serving_orders(self) -> Iterator[None]:
        """What is broken inside is broken only at a device that moves an ordinary connection on an ordinary order."""
        try:
            yield
        except Broken:
            node = Node(self._case)
            session = self.connected(node)
            node.moves()
            with preamble("an ordinary order moves nothing"):
                self.goes_on(session, node.orders(session))
            raise

    @contextlib.contextmanager
    def asking_for_an_exchange(self) -> Iterator[None]:
        """What is broken inside is broken only at a device that moves no connection without an init exchange."""
        try:
            yield
        except Broken:
            node = Node(self._case)
            session = self.accepted_plainly(node)
            node.moves()
            with preamble("a connection moves without an exchange"):
                self.has_not_moved(session, node.orders(session))
            raise

    def goes_on(self, session: Session, order: Order, data: bytes = b"at the new address") -> None:
        """The session carries data where the order has moved it to, that of the order, said again, included."""
        session.follows(order)
        if order.data:
            session.peer.says_again(order.data)
        if order.data and session.connection:
            self.application_reads(session, order.data)
        elif order.data:
            self.delivers(session, order.data, order.sent.ns)
        self.serves(session, data)

    def has_not_moved(self, session: Session, order: Order, data: bytes = b"at the old address") -> None:
        """Nothing but resets came to where the order would have moved the session, which goes on where it is."""
        self.sends_nothing_to(order.end, order.mark)
        self.serves(session, data)
        self.sends_nothing_to(order.end, order.mark)

    def sends_nothing_to(self, end: TcpPeer, mark: Mark, even_resets: bool = False) -> None:
        """Behind a barrier and a short window: no segment has come to this end, or resets alone."""
        self.has_calmed_down()
        for segment in self.segments(end, mark):
            if even_resets or "R" not in segment.flags:
                expected = "silence" if even_resets else "a reset or silence"
                reason = f"a segment came to {end.station.address}:{end.port}: #{segment.frame.index}"
                raise Broken(Finding(reason, expected, str(segment), frames=[segment.frame]))

    def keeps_silent(self, order: Order) -> None:
        """Nothing at all is sent to where the order came from."""
        self.sends_nothing_to(order.end, order.mark, even_resets=True)

    def answers(self, order: Order) -> str:
        """In words, what came to where the order was sent from, for cases that report or compare."""
        self.has_calmed_down()
        said = []
        for segment in self.segments(order.end, order.mark):
            name = "reset" if "R" in segment.flags else "REHASH-INIT" if segment.init else "acknowledgement"
            said += [name] if name not in said else []
        return " and ".join(said) or "silence"

    # The init exchange

    @staticmethod
    def nonce(session: Session) -> int:
        """The nonce that the device has told, as preamble."""
        if session.peer.device_nonce is None:
            raise Inconclusive("preamble: the device told no nonce", repeat=False)
        return session.peer.device_nonce

    def learns_nonce(self, session: Session) -> None:
        """The device has told its nonce with whatever it has sent so far, as preamble."""
        self.has_calmed_down()
        session.peer.read()
        self.nonce(session)

    def init_on(self, node: Node, carrier: str) -> tuple[Segment, Option]:
        """A REHASH-INIT on the SYN, on the SYN-ACK or on a later acknowledgement of the device, as preamble."""
        if carrier == "SYN":
            segment = self.opens(node).syn
        elif carrier == "SYN-ACK":
            segment = self.segments(node.half_opens().peer)[0]
        else:
            session = node.connects_plainly()
            segment = self.acknowledged(node.sends(session.peer, "A", options=[session.peer.init()]))
        if segment.init is None:
            raise Inconclusive(f"preamble: no REHASH-INIT on the {carrier}", repeat=False)
        return segment, segment.init

    def data_with_init(self, node: Node) -> tuple[Segment, RehashPeer]:
        """A data segment with REHASH-INIT that is not acknowledged; NotApplicable if the device makes none.

        So much data follows that the device has no REHASH-INIT left to send again unasked.
        """
        session = self.accepted_plainly(node)
        asked_ns = self.application_sends(session, bytes(MSS * (1 + self._ixit.rehash.init_reissues)))
        segment = self.waits_for(session.peer, 0, lambda one: one.data, asked_ns)
        if segment is None or segment.init is None:
            raise NotApplicable("no data segment of the device carries REHASH-INIT")
        return segment, session.peer

    def accepted_plainly(self, node: Node) -> Session:
        """A connection that the device has opened and the node has accepted without REHASH-INIT."""
        return node.accepts(self.opens(node))

    def sees_again(self, end: RehashPeer, first: Segment, within_s: float) -> Segment:
        """The retransmission of a segment, as preamble."""
        mark = self._case.trace.mark_after(first.frame)
        taken = first.tcp.seq, first.data, "S" in first.flags

        def repeated(segment: Segment) -> bool:
            return (segment.tcp.seq, segment.data[: len(first.data)], "S" in segment.flags) == taken

        again = self.waits_for(end, mark, repeated, first.frame.ns, within_s)
        if again is None:
            raise Inconclusive(f"preamble: #{first.frame.index} was not sent again within {within_s:.0f} s")
        return again

    # The device opens connections

    def opens(self, node: Node) -> Opening:
        """The device's application connects to the node; its SYN, which is not answered yet."""
        port = next(self._case.setup.source_ports)
        call = self.agent.ask("connect", address=node.address, port=port, timeout_s=CONNECT_TIMEOUT_S)
        return node.is_called(call, port)

    def connects(self, node: Node) -> Session:
        """The device's application connects to the node, which exchanges REHASH-INIT, as preamble."""
        opening = self.opens(node)
        session = node.accepts(opening, opening.peer.init())
        if session.peer.device_nonce is None:
            node.wants_init(session.peer)
        return session

    def closes(self, session: Session) -> None:
        """The device acknowledges the tester's FIN and sends its own."""
        peer = session.peer
        since_ns = self._case.clock.now_ns()

        def closed() -> Any:
            news = peer.read()
            return news[-1] if news and peer.state == "CLOSE-WAIT" and peer.snd_una == peer.snd_nxt else None

        if self._case.look(closed, Deadline(since_ns, self._ixit.tcp_within_s)) is None:
            finding = Finding("the connection was not closed", "acknowledgement and FIN", peer.state)
            raise Broken(finding, Deadline(since_ns, self._ixit.tcp_within_s))
        peer.acknowledge()

    def hangs_up(self, session: Session) -> None:
        """The device sends its FIN."""
        since_ns = self._case.clock.now_ns()
        if self.waits_for(session.peer, 0, lambda one: "F" in one.flags, since_ns) is None:
            finding = Finding("the connection was not closed", "FIN", "none")
            raise Broken(finding, Deadline(since_ns, self._ixit.tcp_within_s))

    def reaches(self, node: Node) -> Session:
        """A connection that the device opens is established with a node that sends no REHASH-INIT."""
        opening = self.opens(node)
        try:
            return node.accepts(opening)
        except Inconclusive as trouble:
            raise Broken(Finding(f"a new connection: {trouble}", "a connection", "none"), self._just_passed()) from None

    def connected(self, node: Node) -> Session:
        """A new connection with REHASH-INIT from the node to where the device is now, as preamble."""
        peer = node.peer()
        peer.remote = self.address
        return node.introduces(node.half_opens(peer))

    def welcomes(self, node: Node, port: int = 0, remote_port: int = 0) -> Session:
        """A new connection from the node to where the device is now is opened and carries data."""
        peer = node.peer(port, remote_port)
        peer.remote = self.address
        try:
            session = node.half_opens(peer)
        except Inconclusive as trouble:
            raise Broken(Finding(f"a new connection: {trouble}", "a connection", "none"), self._just_passed()) from None
        peer.acknowledge()
        self.serves(session)
        return session

    def _just_passed(self) -> Deadline:
        """A deadline for ordinary TCP that has just passed."""
        within = self._ixit.tcp_within_s
        return Deadline(self._case.clock.now_ns() - round(within * NANO), within)

    # The device moves

    def waits_until_given_up(self, session: Session) -> None:
        """Until the application sees an error, or until the device had the time for it."""
        with contextlib.suppress(Broken):
            self.application_sees_an_error(session, self.patience_s)
        self.has_calmed_down()

    def moves(self, to: str = "") -> Move:
        """The device is told to move, to its next address or to this one."""
        ipv4 = self._case.setup.profile.ixit.ipv4
        others = [one for one in (ipv4.moves_to if ipv4 else []) if one != self.address]
        if not others:
            raise NotApplicable(f"{self._case.setup.profile.path}: ixit.ipv4.moves_to names no address to move to")
        new = to or others[0]
        move = Move(self.address, new, self._case.mark(), self._case.clock.now_ns())
        self.agent.call("move", address=new)
        self.address = new
        return move

    def first_from(self, move: Move, end: RehashPeer) -> Segment:
        """The first segment of a connection from the new address, as preamble."""
        segment = self.waits_for(end, move.mark, lambda one: one.source == move.new)
        if segment is None:
            raise Inconclusive("preamble: the device sent nothing from its new address", repeat=False)
        return segment

    def order_of(self, move: Move, end: RehashPeer) -> tuple[Segment, Option]:
        """The REHASH-ADDR that a case looks into, as preamble."""
        segment = self.waits_for(end, move.mark, lambda one: one.source == move.new and one.order)
        if segment is None or segment.order is None:
            raise Inconclusive("preamble: the device sent no REHASH-ADDR", repeat=False)
        return segment, segment.order

    def data_with_order(self, move: Move, session: Session, since_ns: int) -> Segment:
        """A data segment with REHASH-ADDR, as preamble."""
        segment = self.waits_for(session.peer, move.mark, lambda one: one.order and one.data, since_ns)
        if segment is None:
            raise Inconclusive("preamble: no data segment carried REHASH-ADDR", repeat=False)
        return segment

    def announces(self, move: Move, end: RehashPeer) -> tuple[Segment, Option]:
        """REHASH-ADDR comes from the new address in time."""
        within = self._ixit.rehash.retry_within_s
        segment = self.waits_for(end, move.mark, lambda one: one.source == move.new and one.order, 0, within)
        if segment is None or segment.order is None:
            seen = ", ".join(map(str, self.segments(end, move.mark))) or "silence"
            finding = Finding("no REHASH-ADDR came", f"REHASH-ADDR from {move.new} within {within} s", seen)
            raise Broken(finding, Deadline(move.ns, within))
        return segment, segment.order


def _is_to(segment: Segment, end: TcpPeer) -> bool:
    ports = segment.tcp.dport, segment.tcp.sport
    return bool(segment.ip.dst == end.station.address and ports == (end.port, end.remote_port))
