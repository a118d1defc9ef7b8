# SPDX-License-Identifier: GPL-2.0-or-later
"""The host of TCP Migrate that the tester plays, as it opens connections and accepts them."""

from collections.abc import Callable
from enum import Enum
from typing import Any

from scapy.packet import Packet

from conformance.applicability import needs
from conformance.migrate.segment import MigrateSegment, Permitted
from conformance.migrate.tester.connection import Connection, Identity, Opening
from conformance.migrate.tester.keys import Keys
from layers.migrate import INSECURE, KEY_PART, NO_KEY, MigratePermittedOption
from layers.tcp_options import TimestampOption
from testbed.case.case import Case
from testbed.case.expect import preamble
from testbed.device.application import Application
from testbed.interruptions import Inconclusive
from testbed.peers import connection as tcp_connection
from testbed.peers.flight import initial_window
from testbed.peers.segment import Segment
from testbed.peers.sequence import SEQUENCE_SPACE
from testbed.peers.stream import exchange
from testbed.peers.tcp import TcpPeer
from testbed.wire.capture import BEGINNING, Mark

MSS = 1460

INITIAL_WINDOW = initial_window(MSS)
"""The most bytes that a connection with such segments may begin with."""


class Variant(Enum):
    """The variants of Migrate-Permitted."""

    INSECURE = "insecure"
    SECURE = "secure"

    def __str__(self) -> str:
        return self.value


class Opener:
    """The tester as a host of TCP Migrate, as far as connections are opened."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._ixit = case.setup.profile.ixit
        self._numbers = case.setup.profile.ixit.migrate
        self.station = case.station()

    @property
    def usual(self) -> Variant:
        """The variant of connections of which a case does not say any."""
        return Variant.INSECURE if self._case.setup.profile.ics.migrate.insecure else Variant.SECURE

    def needs(self, variant: Variant) -> None:
        """NotApplicable where the profile does not claim the variant."""
        needs(self._case, f"migrate.{variant}")

    # Options

    def permitted(self, keys: Keys | None = None, **fields: Any) -> list[Packet]:
        """Migrate-Permitted, with a key and its end in the timestamps where there is one; any field replaced."""
        kind = self._numbers.permitted_kind
        if keys is None:
            return [MigratePermittedOption(**{"kind": kind, "curve": INSECURE} | fields)]
        return self.permitted_with(keys.public, **fields)

    def permitted_with(self, key: bytes, **fields: Any) -> list[Packet]:
        """The secure variant with any Key Data."""
        usual = {"kind": self._numbers.permitted_kind, "curve": self._numbers.curve, "key": key[:KEY_PART]}
        tsval, tsecr = int.from_bytes(key[KEY_PART:-4]), int.from_bytes(key[-4:])
        return [TimestampOption(tsval=tsval, tsecr=tsecr), MigratePermittedOption(**usual | fields)]

    def _agreed(self, ni: int, na: int, keys: Keys | None, device: Permitted | None) -> Identity:
        if device is None:
            raise Inconclusive("preamble: the device does not permit migration", repeat=False)
        if keys is None:
            return Identity(ni, na)
        try:
            return Identity(ni, na, keys.secret(device.key))
        except ValueError:
            raise Inconclusive("preamble: the device's key is no point of the curve", repeat=False) from None

    # Opening connections

    def new_peer(self, port: int = 0, remote_port: int = 0, **choices: Any) -> TcpPeer:
        """An end of a connection that is not open yet, to the echo service by default; see `TcpPeer`."""
        usual = {"checks_source": True, "mss": MSS}
        return tcp_connection.new_peer(self._case, self.station, port, remote_port, **(usual | choices))

    def connect(
        self,
        port: int = 0,
        remote_port: int = 0,
        variant: Variant | None = None,
        keys: Keys | None = None,
        **choices: Any,
    ) -> Connection:
        """Open a connection that can migrate, as preamble.

        Where it has a key its timestamps follow those of the SYN, which hold the end of it, unless `clock` is named.
        """
        asked = variant or self.usual
        self.needs(asked)
        pair = (keys or Keys()) if asked is Variant.SECURE else None
        if pair is not None:
            choices = {"clock": int.from_bytes(pair.public[KEY_PART:-4])} | choices
        mark, has_timestamps = self._case.mark(), pair is not None or bool(choices.pop("timestamps", False))
        peer = self.new_peer(port, remote_port, timestamps=has_timestamps and pair is None, **choices)
        tcp_connection.half_open(self._case, peer, *self.permitted(pair))
        syn_ack = self.syn_ack_of(peer, mark)
        device = syn_ack.permitted(self._numbers.permitted_kind)
        identity = self._agreed((peer.snd_nxt - 1) % SEQUENCE_SPACE, syn_ack.seq, pair, device)
        peer.timestamps = has_timestamps
        peer.acknowledge()
        return Connection(peer, identity)

    def offer(self, *options: Packet | bytes, **choices: Any) -> tuple[TcpPeer, MigrateSegment]:
        """Send a SYN with these options; its SYN-ACK, which is not acknowledged, or a reset, as preamble."""
        peer = self.new_peer(**choices)
        sent = peer.start(*options)
        answer = self._first_answer(peer, sent.ns)
        peer.read()
        return peer, answer

    def _first_answer(self, peer: TcpPeer, since_ns: int) -> MigrateSegment:
        deadline = self._case.deadline(since_ns=since_ns)
        found = tcp_connection.first_segment(self._case, lambda one: peer.owns(one.frame), deadline, at=peer.station)
        if found is None:
            raise Inconclusive(f"preamble: the SYN from {peer} was not answered")
        return MigrateSegment.of(found)

    def syn_ack_of(self, peer: TcpPeer, since: Mark = BEGINNING) -> MigrateSegment:
        """The SYN-ACK that has come to an end since a mark."""

        def wanted(segment: Segment) -> bool:
            return peer.owns(segment.frame) and "S" in segment.flags

        found = tcp_connection.first_segment(self._case, wanted, self._case.deadline(), since, peer.station)
        assert found
        return MigrateSegment.of(found)

    def connect_plainly(self, remote_port: int = 0, **choices: Any) -> Connection:
        """Open a connection without Migrate-Permitted."""
        peer = self.new_peer(remote_port=remote_port, **choices)
        return Connection(tcp_connection.connect(self._case, peer))

    def identity_of(self, peer: TcpPeer) -> Identity:
        """What Token and Request of a connection without data would be made of, in the insecure variant."""
        return Identity((peer.snd_nxt - 1) % SEQUENCE_SPACE, (peer.rcv_nxt - 1) % SEQUENCE_SPACE, NO_KEY)

    def connect_to(self, app: Application, plainly: bool = False, **choices: Any) -> Connection:
        """Open a connection, that can migrate unless told otherwise, to a socket that the upper tester commands."""
        listener = app.listen()
        connect: Callable[..., Connection] = self.connect_plainly if plainly else self.connect
        connection = connect(remote_port=listener.port, **choices)
        connection.application = listener.accepted(self._ixit.tcp_within_s)
        return connection

    def exchange(self, *connections: Connection) -> None:
        """Exchange a few bytes with the echo service, as preamble."""
        for connection in connections:
            with preamble():
                exchange(self._case, connection.local, b"hello")
            connection.taken = len(connection.local.stream)

    # Accepting connections

    def await_syn(self, app: Application, **choices: Any) -> Opening:
        """A connection that the application opens to this host, not answered yet; Inconclusive if no SYN comes."""
        port = next(self._case.setup.source_ports)
        connecting = app.connect(self.station.address, port)
        syn = MigrateSegment.of(tcp_connection.await_syn(self._case, self.station, port, connecting))
        peer = self.new_peer(port, syn.source_port, **choices)
        peer.remote = syn.source
        return Opening(connecting, syn, peer)

    def device_permitted(self, opening: Opening) -> Permitted:
        """The Migrate-Permitted of the device's SYN, as preamble."""
        found = opening.syn.permitted(self._numbers.permitted_kind)
        if found is None:
            raise Inconclusive("preamble: the device's SYN does not permit migration", repeat=False)
        return found

    def accept(self, opening: Opening, pair: Keys | None = None) -> Connection:
        """Answer the device's SYN with Migrate-Permitted of the same variant; the connection is then open.

        Where it has a key its timestamps follow those of the SYN-ACK, which hold the end of it.
        """
        device = self.device_permitted(opening)
        keys = (pair or Keys()) if device.is_secure else None
        if keys is not None:
            opening.local.clock = int.from_bytes(keys.public[KEY_PART:-4])
        na = opening.local.snd_nxt
        tcp_connection.accept(self._case, opening.local, opening.syn, *self.permitted(keys))
        opening.local.timestamps = keys is not None
        identity = self._agreed(opening.syn.seq, na, keys, device)
        return Connection(opening.local, identity, application=opening.connecting.socket())

    def accept_from(self, app: Application) -> Connection:
        """Accept a connection that the application opens, as preamble."""
        return self.accept(self.await_syn(app))

    def accept_plainly(self, app: Application) -> Connection:
        """Accept a connection that the application opens, without Migrate-Permitted."""
        opening = self.await_syn(app)
        tcp_connection.accept(self._case, opening.local, opening.syn)
        return Connection(opening.local, application=opening.connecting.socket())
