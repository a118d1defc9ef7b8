# SPDX-License-Identifier: GPL-2.0-or-later
"""The Rehash host that the tester plays: it connects, is connected to, moves, and sends options of any shape."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from scapy.packet import Packet

from conformance.rehash.segment import RehashSegment
from conformance.rehash.tester.connection import Connection, Opening, SentSegment, find_init
from conformance.rehash.tester.state import RehashState, rehash_addr, rehash_init, state_of
from testbed.case.case import Case
from testbed.case.expect import preamble
from testbed.device.application import Application
from testbed.interruptions import Inconclusive, NotApplicable
from testbed.peers import connection as tcp_connection
from testbed.peers.flight import initial_window
from testbed.peers.host import Move
from testbed.peers.options import Options
from testbed.peers.sequence import SEQUENCE_SPACE
from testbed.peers.stream import send_stream
from testbed.peers.tcp import TcpPeer
from testbed.wire.capture import Mark

MSS = 1460

INITIAL_WINDOW = initial_window(MSS)
"""The most bytes that a connection with such segments may begin with."""

OUT_OF_ORDER_DATA = b"out of order"


class RehashHost:
    """The tester as a Rehash host."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._ixit = case.setup.profile.ixit
        self.station = case.station()
        self.home = self.station

    @property
    def address(self) -> str:
        """Where it is now."""
        return self.station.address

    # Opening connections

    def new_state(self, **fields: int) -> RehashState:
        """The Rehash state of an end that is not open yet, with this `nonce` or a random one."""
        return RehashState(self._ixit.rehash.option_kind, **fields)

    def new_peer(self, port: int = 0, remote_port: int = 0, **choices: Any) -> TcpPeer:
        """An end of a connection that is not open yet, at the present address, to the echo service by default.

        `choices` are those of `TcpPeer`.
        """
        usual = {"checks_source": True, "mss": MSS, "options": [self.new_state()]}
        return tcp_connection.new_peer(self._case, self.station, port, remote_port, **(usual | choices))

    def connect(self, port: int = 0, remote_port: int = 0, **choices: Any) -> Connection:
        """Open a connection and exchange REHASH-INIT, as preamble.

        It is on the SYN, or follows the handshake where the device understands it only then.
        """
        return self.connect_with(self.new_peer(port, remote_port, **choices))

    def connect_with(self, peer: TcpPeer) -> Connection:
        """The same for an end that was made before."""
        if self._ixit.rehash.init_at == "established":
            connection = Connection(tcp_connection.connect(self._case, peer))
            self.exchange_init(connection)
            return connection
        return self.complete_init(self.half_open(peer))

    def connect_plainly(self, remote_port: int = 0, **choices: Any) -> Connection:
        """Open a connection without any Rehash option."""
        peer = self.new_peer(remote_port=remote_port, **choices)
        return Connection(tcp_connection.connect(self._case, peer))

    def connect_to(self, app: Application, init: bool = True, **choices: Any) -> Connection:
        """Open a connection, with REHASH-INIT unless told otherwise, to a socket that the upper tester commands."""
        listener = app.listen()
        connect = self.connect if init else self.connect_plainly
        connection = connect(remote_port=listener.port, **choices)
        connection.application = listener.accepted(self._ixit.tcp_within_s)
        return connection

    def expects_init_at_syn(self) -> None:
        """NotApplicable where the profile says that REHASH-INIT follows the handshake."""
        if self._ixit.rehash.init_at == "established":
            raise NotApplicable(f"{self._case.setup.profile.path}: ixit.rehash.init_at is established")

    def as_many_as_open(self, connect: Callable[[], Connection], most: int) -> list[Connection]:
        """Open connections until there are enough or the device takes no more; NotApplicable if that is one."""
        opened: list[Connection] = []
        with suppress(Inconclusive):
            while len(opened) < most:
                opened.append(connect())
        if len(opened) < 2:
            raise NotApplicable("the device does not take two connections at once")
        return opened

    def half_open(self, peer: TcpPeer | None = None) -> Connection:
        """Send a SYN with REHASH-INIT, and take in the SYN-ACK without acknowledging it."""
        peer = peer or self.new_peer()
        return Connection(tcp_connection.half_open(self._case, peer, rehash_init(peer)))

    def complete_init(self, connection: Connection) -> Connection:
        """End the handshake; Inconclusive unless the device has sent its nonce or sends it now."""
        connection.local.acknowledge()
        self._await_nonce(connection)
        return connection

    def exchange_init(self, connection: Connection) -> None:
        """Send REHASH-INIT; Inconclusive unless the device sends its nonce."""
        connection.await_nonce(self._case, self.send_init(connection).ns)

    def exchange(self, *connections: Connection) -> None:
        """Exchange a few bytes with the echo service, as preamble."""
        for connection in connections:
            data = b"hello"
            sent = send_stream(self._case, connection.local, data)
            with preamble():
                connection.expect(self._case, data, self._case.deadline(since_ns=sent.ns))

    # Accepting connections

    def await_syn(self, app: Application) -> Opening:
        """A connection that the application opens to this host, not answered yet; Inconclusive if no SYN comes."""
        port = next(self._case.setup.source_ports)
        connecting = app.connect(self.address, port)
        syn = RehashSegment.of(tcp_connection.await_syn(self._case, self.station, port, connecting))
        peer = self.new_peer(port, syn.source_port)
        peer.remote = syn.source
        state_of(peer).device_nonce = syn.init.nonce if syn.init else None
        return Opening(connecting, syn, peer)

    def accept(self, opening: Opening, *options: Packet | bytes) -> Connection:
        """Answer the device's SYN, with REHASH-INIT or other options if given; the connection is then open."""
        tcp_connection.accept(self._case, opening.local, opening.syn, *options)
        return Connection(opening.local, application=opening.connecting.socket())

    def accept_from(self, app: Application) -> Connection:
        """Accept a connection that the application opens, and exchange REHASH-INIT, as preamble."""
        opening = self.await_syn(app)
        if self._ixit.rehash.init_at == "established":
            connection = self.accept(opening)
            self.exchange_init(connection)
            return connection
        connection = self.accept(opening, rehash_init(opening.local))
        self._await_nonce(connection)
        return connection

    def accept_plainly(self, app: Application) -> Connection:
        """Accept a connection that the application opens, without any Rehash option."""
        return self.accept(self.await_syn(app))

    # Sending

    def send(self, end: TcpPeer, flags: str, data: bytes = b"", options: Options = (), **fields: Any) -> SentSegment:
        """Send a segment with any options from an end, which counts what it takes of the sequence space."""
        sent = end.send(data, flags, options, **fields)
        return SentSegment(end, sent, self._case.trace.mark_at(sent.frame), data)

    def transmitted(self, end: TcpPeer, segment: Packet) -> SentSegment:
        """Send a segment that counts for nothing."""
        sent = end.transmit(segment)
        return SentSegment(end, sent, self._case.trace.mark_at(sent.frame))

    def receive_without_ack(self, connection: Connection, data: bytes) -> int:
        """Take in the echo of data without acknowledging it, as preamble; when the data was sent."""
        peer, expected = connection.local, len(connection.local.stream) + len(data)
        sent = peer.send(data)
        deadline = self._case.deadline(since_ns=sent.ns)
        if tcp_connection.await_state(self._case, peer, deadline, lambda: len(peer.stream) >= expected) is None:
            raise Inconclusive(f"preamble: no echo received within {deadline.within_s:g} s")
        return sent.ns

    def send_init(self, connection: Connection, data: bytes = b"", **fields: Any) -> SentSegment:
        """Send REHASH-INIT on an acknowledgement, or on data; `fields` replace those of the option."""
        end = connection.local
        return self.send(end, "PA" if data else "A", data, [rehash_init(end, **fields)])

    def send_rehash_addr(
        self, connection: Connection, data: bytes = b"", flags: str = "", around: Options = (), **fields: Any
    ) -> SentSegment:
        """Send REHASH-ADDR for the connection from the present address, with `data` if given.

        `around` are further options in front of it, `fields` replace those of the option.
        """
        end = connection.local.at(self.station)
        option = rehash_addr(end, **{"old": connection.address, **fields})
        return self.send(end, flags or ("PA" if data else "A"), data, [*around, option])

    def send_out_of_order(self, peer: TcpPeer) -> set[tuple[int, int]]:
        """Send data out of order, so that as many SACK blocks are due as there is room for; what they can be."""
        blocks = set()
        for offset in range(100, 500, 100):
            peer.send_out_of_window(OUT_OF_ORDER_DATA, offset)
            left = peer.snd_nxt + offset
            blocks.add((left % SEQUENCE_SPACE, (left + len(OUT_OF_ORDER_DATA)) % SEQUENCE_SPACE))
        return blocks

    def await_init(self, sent: SentSegment, since: Mark | None = None) -> RehashSegment:
        """The REHASH-INIT that acknowledges REHASH-ADDR, or the first one since a mark, as preamble."""
        segment = find_init(self._case, sent, since)
        if segment is None:
            raise Inconclusive(f"preamble: no REHASH-INIT received after #{sent.frame.index}", repeat=False)
        return segment

    # Moving

    def move(self) -> None:
        """Take a new address; the old one stays under observation."""
        self.station = self._case.station()

    def rehash(self, *connections: Connection, data: bytes = b"") -> None:
        """Move and rehash the connections, as preamble: Inconclusive unless REHASH-INIT comes for each."""
        self.move()
        segments = [self.send_rehash_addr(connection, data) for connection in connections]
        for connection, sent in zip(connections, segments, strict=True):
            if find_init(self._case, sent) is None:
                raise Inconclusive("preamble: an ordinary rehash was not acknowledged", repeat=False)
            connection.rebind(sent)

    def follow_move(self, connection: Connection, move: Move) -> None:
        """Rehash the connection at this end for a device that has moved, and acknowledge that with REHASH-INIT."""
        peer = connection.local
        peer.follow_remote(move.new, move.mark)
        peer.read()
        peer.acknowledge(options=[rehash_init(peer)])

    def _await_nonce(self, connection: Connection) -> None:
        if connection.state.device_nonce is None:
            self.exchange_init(connection)
