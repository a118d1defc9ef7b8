# SPDX-License-Identifier: GPL-2.0-or-later
"""The host of TCP Migrate that the tester plays: it moves, follows the device, and sends Migrate SYNs of any shape."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from scapy.packet import Packet

from conformance.migrate.segment import MigrateSegment
from conformance.migrate.tester.connection import Connection, Crafted, Identity, SentMigrate
from conformance.migrate.tester.opener import Opener
from layers.migrate import MigrateOption
from testbed.interruptions import Inconclusive, NotApplicable
from testbed.peers import connection as tcp_connection
from testbed.peers.build import plain_segment
from testbed.peers.options import Options
from testbed.peers.segment import Segment
from testbed.peers.sequence import SEQUENCE_SPACE, after
from testbed.peers.stream import send_stream
from testbed.peers.tcp import TcpPeer
from testbed.wire.station import Station


class MigrateHost(Opener):
    """The tester as a host of TCP Migrate."""

    # Moving

    def move(self) -> Station:
        """Take a new address; the old one stays under observation."""
        self.station = self._case.station()
        return self.station

    def syn_number(self, end: TcpPeer) -> int:
        """The sequence number of a Migrate SYN, or of the SYN-ACK to one, of this end."""
        less = 1 if self._numbers.syn_number == "acknowledged" else 0
        return (end.snd_una - less) % SEQUENCE_SPACE

    def migrate_option(self, identity: Identity, sequence: int, reqno: int, **fields: Any) -> Packet:
        """Migrate for a SYN with this sequence number; any field replaced."""
        number = reqno | fields.get("preload", 0) << 7
        usual = {"kind": self._numbers.option_kind, "reqno": reqno, "token": identity.token}
        return MigrateOption(**{**usual, "request": identity.request(sequence, number)} | fields)

    def send_migrate(
        self,
        connection: Connection,
        *,
        port: int = 0,
        remote_port: int = 0,
        identity: Identity | None = None,
        sequence: int | None = None,
        reqno: int | None = None,
        flags: str = "S",
        data: bytes = b"",
        more: Options = (),
        **fields: Any,
    ) -> SentMigrate:
        """Send a Migrate SYN for the connection from the present address; whatever is named is not as it should be."""
        known = identity or connection.known
        end = connection.local.at(self.station, port)
        end.remote_port = remote_port or end.remote_port
        number = self.syn_number(end) if sequence is None else sequence
        asked = known.next_reqno() if reqno is None else reqno
        options = [self.migrate_option(known, number, asked, **fields), *more]
        return self.send_segment(end, number, flags, options, data)

    def send_segment(
        self, end: TcpPeer, sequence: int, flags: str, options: Options, data: bytes = b"", **fields: Any
    ) -> SentMigrate:
        """Send a segment with exactly these options, which counts for nothing at this end."""
        ports = {"sport": end.port, "dport": end.remote_port}
        header = {**ports, "seq": sequence, "ack": end.rcv_nxt if "A" in flags else 0, "flags": flags, "window": 65535}
        area = b"".join(map(bytes, options))
        return self._send(end, Crafted(header | fields, area + bytes(-len(area) % 4), data))

    def repeat(self, sent: SentMigrate) -> SentMigrate:
        """Send a Migrate SYN once more, as it was, from where it came."""
        return self._send(sent.end, sent.crafted)

    def replay(self, sent: SentMigrate) -> SentMigrate:
        """Send a recorded Migrate SYN from the present address."""
        return self._send(sent.end.at(self.station), sent.crafted)

    def _send(self, end: TcpPeer, crafted: Crafted) -> SentMigrate:
        ends = end.station.number, end.station.network.number(end.remote)
        sent = end.transmit(plain_segment(end.station.network, *ends, crafted.header, crafted.area, crafted.data))
        return SentMigrate(end, sent, self._case.trace.mark_at(sent.frame), crafted)

    def complete(self, connection: Connection, sent: SentMigrate, syn_ack: Segment, reqno: int | None = None) -> None:
        """Acknowledge the SYN-ACK of a migration: the connection continues where the SYN came from."""
        known, end = connection.known, sent.end
        known.reqno = known.next_reqno() if reqno is None else reqno
        if after(syn_ack.ack, end.snd_una) > 0 >= after(syn_ack.ack, end.snd_nxt):
            end.snd_una = syn_ack.ack
        end.read()
        connection.rebind(end)
        end.acknowledge()

    def await_syn_ack(self, sent: SentMigrate) -> MigrateSegment:
        """The SYN-ACK to a Migrate SYN, as preamble."""
        found = self.find_syn_ack(sent)
        if found is None:
            raise Inconclusive("preamble: an ordinary Migrate SYN was not answered", repeat=False)
        return found

    def find_syn_ack(self, sent: SentMigrate) -> MigrateSegment | None:
        """The SYN-ACK to a Migrate SYN if it comes in time."""

        def wanted(segment: Segment) -> bool:
            return sent.end.owns(segment.frame) and "S" in segment.flags and "A" in segment.flags

        deadline = self._case.deadline(since_ns=sent.ns)
        found = tcp_connection.first_segment(self._case, wanted, deadline, sent.mark, sent.end.station)
        return MigrateSegment.of(found) if found else None

    def migrate(self, *connections: Connection) -> list[SentMigrate]:
        """Move and migrate the connections, as preamble."""
        self.move()
        sent = [self.send_migrate(connection) for connection in connections]
        for connection, one in zip(connections, sent, strict=True):
            self.complete(connection, one, self.await_syn_ack(one))
        return sent

    # Following the device

    def answer_migrate(self, connection: Connection, syn: Segment, **fields: Any) -> SentMigrate:
        """Answer the device's Migrate SYN: the last byte that it has acknowledged, and the last of its data taken."""
        end = connection.local
        end.remote, end.remote_port = syn.source, syn.source_port
        return self.send_segment(end, self.syn_number(end), "SA", [], **fields)

    def as_many_as_open(self, connect: Callable[[], Connection], most: int) -> list[Connection]:
        """Open connections until there are enough or the device takes no more; NotApplicable if that is one."""
        opened: list[Connection] = []
        with suppress(Inconclusive):
            while len(opened) < most:
                opened.append(connect())
        if len(opened) < 2:
            raise NotApplicable("the device does not take two connections at once")
        return opened

    def send(self, connection: Connection, data: bytes) -> int:
        """Send data on the connection; when."""
        return send_stream(self._case, connection.local, data).ns
