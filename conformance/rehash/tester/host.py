# SPDX-License-Identifier: GPL-2.0-or-later
"""The Rehash host that the tester plays: it connects, is connected to, moves, and sends options of any shape."""

from dataclasses import dataclass, field
from typing import Any

from scapy.packet import Packet

from conformance.rehash.oracle import preamble
from conformance.rehash.tester.peer import Options, RehashPeer
from testbed.case.case import Case
from testbed.case.verdict import Broken, Finding
from testbed.device.upper_tester import Call
from testbed.interruptions import Inconclusive
from testbed.peers.connection import opens
from testbed.peers.segment import Segment, read
from testbed.peers.tcp import SEQUENCE_SPACE
from testbed.wire.capture import Frame, Mark, Sent
from testbed.wire.clock import NANO, Deadline
from testbed.wire.station import Station

CONNECT_TIMEOUT_S = 10
ISLAND = b"out of order"


@dataclass
class Session:
    """A connection. `peer` is the tester's end where it is now, `left` the ends it was at before, oldest first.

    `connection` is the application's socket at the device, where the upper tester knows it, `taken` how many bytes of
    the device's stream the case has looked at.
    """

    peer: RehashPeer
    left: list[RehashPeer] = field(default_factory=list)
    connection: int = 0
    taken: int = 0

    def skips(self) -> None:
        """Take in what has come so far without looking at it."""
        self.peer.read()
        self.taken = len(self.peer.stream)

    def follows(self, order: "Order") -> None:
        """Go on where the order has moved the connection to."""
        self.left.append(self.peer)
        self.peer = order.end


@dataclass(frozen=True)
class Order:
    """A segment with a Rehash option that was sent. `end` is where it came from, and would move the connection to."""

    end: RehashPeer
    sent: Sent
    mark: Mark
    data: bytes = b""


@dataclass(frozen=True)
class Move:
    """A move of the device. What it sends from the new address stands behind `mark` of the trace."""

    old: str
    new: str
    mark: Mark
    ns: int


@dataclass(frozen=True)
class Opening:
    """A connection that the device is opening: its first SYN, and the tester's end, which has not answered yet."""

    call: Call
    syn: Segment
    peer: RehashPeer
    mark: Mark


class Node:
    """The tester as a Rehash host."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._ixit = case.setup.profile.ixit
        self.station = case.station()
        self.home = self.station

    @property
    def address(self) -> str:
        """Where the node is now."""
        return self.station.address

    # Connecting

    def peer(self, port: int = 0, remote_port: int = 0, timestamps: bool = False) -> RehashPeer:
        """An end of a connection that is not open yet, at the node's present address."""
        return RehashPeer(
            self.station,
            port or next(self._case.setup.source_ports),
            remote_port or self._ixit.services.echo,
            self._ixit.rehash.option_kind,
            timestamps,
        )

    def connects(self, port: int = 0, remote_port: int = 0, timestamps: bool = False) -> Session:
        """Open a connection with REHASH-INIT on the SYN; Inconclusive unless the device answers it somewhere."""
        return self.introduces(self.half_opens(self.peer(port, remote_port, timestamps)))

    def introduces(self, session: Session) -> Session:
        """End the handshake; Inconclusive unless the device has told its nonce or tells it now."""
        session.peer.acknowledge()
        if session.peer.device_nonce is None:
            self.wants_init(session.peer)
        return session

    def connects_plainly(self, port: int = 0, remote_port: int = 0, timestamps: bool = False) -> Session:
        """Open a connection without any Rehash option."""
        session = self.half_opens(self.peer(port, remote_port, timestamps), init=False)
        session.peer.acknowledge()
        return session

    def half_opens(self, peer: RehashPeer | None = None, init: bool = True) -> Session:
        """Send a SYN, with REHASH-INIT unless told otherwise, and take in the SYN-ACK without acknowledging it."""
        peer = peer or self.peer()
        opens(self._case, peer, peer.init() if init else None)
        return Session(peer)

    def uses(self, *sessions: Session) -> None:
        """Exchange a few bytes with the echo service, as preamble."""
        for session in sessions:
            with preamble():
                receives(self._case, session, b"hello", session.peer.send(b"hello").ns)

    def wants_init(self, peer: RehashPeer) -> None:
        """REHASH-INIT was sent and not answered with the first segment: wait for it a little, as preamble."""
        sent = peer.transmit(peer.segment("A", options=[peer.init()]))

        def told() -> Any:
            news = peer.read()
            return news[-1] if news and peer.device_nonce is not None else None

        if self._case.look(told, Deadline(sent.ns, self._ixit.tcp_within_s)) is None:
            raise Inconclusive("preamble: the device did not answer REHASH-INIT", repeat=False)

    def is_called(self, call: Call, port: int) -> Opening:
        """The device's SYN to `port` of the node, as preamble: Inconclusive if it does not come."""
        found: list[tuple[int, Segment]] = []

        def syn() -> Any:
            for mark, frame in enumerate(self._case.trace.frames):
                segment = read(frame)
                if segment and segment.ip.dst == self.address and segment.tcp.dport == port and "S" in segment.flags:
                    found.append((mark, segment))
                    return frame
            return None

        if self._case.look(syn, Deadline(self._case.clock.now_ns(), self._ixit.tcp_within_s)) is None:
            raise Inconclusive("preamble: the device did not send a SYN")
        mark, segment = found[-1]
        peer = self.peer(port, segment.tcp.sport)
        peer.remote = segment.source
        peer.device_nonce = segment.init.nonce if segment.init else None
        return Opening(call, segment, peer, mark)

    def accepts(self, opening: Opening, *options: Packet | bytes) -> Session:
        """Answer the device's SYN, with REHASH-INIT or other options if given; the connection is then open."""
        peer = opening.peer
        sent = peer.accepts(opening.syn.tcp, options=options)

        def established() -> Any:
            news = peer.read()
            return news[-1] if peer.state == "ESTABLISHED" else None

        if self._case.look(established, Deadline(sent.ns, self._ixit.tcp_within_s)) is None:
            raise Inconclusive("preamble: the device did not acknowledge the SYN-ACK")
        return Session(peer, connection=int(opening.call.result()["connection"]))

    # Moving

    def moves(self) -> None:
        """Take a new address; the old one stays under observation."""
        self.station = self._case.station()

    def end(self, session: Session, station: Station | None = None) -> RehashPeer:
        """The end of the session if it were where the node is now."""
        return session.peer.at(station or self.station)

    def orders(
        self, session: Session, data: bytes = b"", flags: str = "", around: Options = (), **fields: Any
    ) -> Order:
        """Send REHASH-ADDR for the session from the node's present address, with `data` if given.

        `around` are further options in front of it, `fields` replace those of the option.
        """
        end = self.end(session)
        option = end.order(**{"old": session.peer.station.address, **fields})
        return self.sends(end, flags or ("PA" if data else "A"), data, [*around, option])

    def sends(self, end: RehashPeer, flags: str, data: bytes = b"", options: Options = (), **fields: Any) -> Order:
        """Send a segment with any options from an end, which counts what it takes of the sequence space."""
        sent = end.transmit(end.segment(flags, data, options=options, **fields))
        end.snd_nxt = (end.snd_nxt + len(data) + ("F" in flags)) % SEQUENCE_SPACE
        return Order(end, sent, self._case.trace.mark_at(sent.frame), data)

    def strays(self, end: RehashPeer, data: bytes, offset: int) -> None:
        """Send data that lies `offset` beyond the next of the stream, and does not count as sent."""
        end.transmit(end.segment("PA", data, seq=(end.snd_nxt + offset) % SEQUENCE_SPACE))

    def digs_holes(self, peer: RehashPeer) -> set[tuple[int, int]]:
        """Send data out of order, so that as many SACK blocks are due as there is room for; what they can be."""
        islands = set()
        for offset in range(100, 500, 100):
            self.strays(peer, ISLAND, offset)
            left = peer.snd_nxt + offset
            islands.add((left % SEQUENCE_SPACE, (left + len(ISLAND)) % SEQUENCE_SPACE))
        return islands

    def rehashes(self, *sessions: Session, data: bytes = b"") -> list[Order]:
        """Move and rehash the sessions, as preamble: Inconclusive unless REHASH-INIT comes for each."""
        self.moves()
        orders = [self.orders(session, data) for session in sessions]
        for session, order in zip(sessions, orders, strict=True):
            if find_init(self._case, order) is None:
                raise Inconclusive("preamble: an ordinary rehash was not acknowledged", repeat=False)
            session.follows(order)
        return orders

    def takes_over(self, session: Session, move: Move, answer: bool = True) -> None:
        """Rehash the session at this end for a device that has moved, and acknowledge that with REHASH-INIT."""
        peer = session.peer
        peer.follows_device(move.new, move.mark)
        peer.read()
        if answer:
            peer.transmit(peer.segment("A", options=[peer.init()]))

    def waits(self, seconds: float) -> None:
        """Let some time pass."""
        self._case.wait_until(self._case.clock.now_ns() + round(seconds * NANO))


def receives(case: Case, session: Session, data: bytes, since_ns: int, within_s: float = 0) -> None:
    """`data`, and nothing else, comes next on the session's stream, in time; what comes is acknowledged at once."""
    peer, within = session.peer, within_s or case.setup.profile.ixit.tcp_within_s
    seen: list[Frame] = []

    def complete() -> Frame | None:
        news = peer.read()
        seen.extend(news)
        if peer.state == "ESTABLISHED" and any((segment := read(frame)) and segment.data for frame in news):
            peer.acknowledge()
        arrived = len(peer.stream) - session.taken >= len(data)
        return seen[-1] if seen and (arrived or peer.state == "RESET") else None

    if len(peer.stream) > session.taken:
        peer.acknowledge()
    complete()
    in_time = (
        len(peer.stream) - session.taken >= len(data) or case.look(complete, Deadline(since_ns, within)) is not None
    )
    came = bytes(peer.stream[session.taken :])
    session.taken = len(peer.stream)
    if came != data or not in_time:
        where = f"{peer.station.address}:{peer.port}"
        how = "a reset" if peer.state == "RESET" else f"{len(came)} bytes"
        same = "" if came == data[: len(came)] else ", not the bytes that were expected"
        same += " too late" if came == data else ""
        finding = Finding(f"the connection from {where} does not carry data", f"{len(data)} bytes", how + same)
        finding.frames = seen[-1:]
        raise Broken(finding, None if peer.state == "RESET" else Deadline(since_ns, within))


def find_init(case: Case, order: Order) -> Segment | None:
    """The first segment behind the order, at its end, that carries REHASH-INIT, if it comes in time."""
    found: list[Segment] = []

    def look() -> Any:
        for frame in case.trace.received(order.mark):
            segment = read(frame)
            if segment and segment.init and order.end.owns(frame) is not None:
                found.append(segment)
                return frame
        return None

    frame = case.look(look, Deadline(order.sent.ns, case.setup.profile.ixit.tcp_within_s))
    return found[-1] if frame and found else None
