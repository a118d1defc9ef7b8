# SPDX-License-Identifier: GPL-2.0-or-later
"""The NAT router under test: the Migrates and replies that it passes on, and the connections after them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from conformance.mops.dut.acknowledging import Acknowledging
from conformance.mops.migrate import CODES, ReceivedMigrate
from conformance.mops.tester.sides import Moved, Node, SentMessage, Server
from layers.mops import SUCCESS, MOPSMigrate
from testbed.case.expect import preamble
from testbed.case.verdict import Broken, Finding
from testbed.interruptions import Inconclusive
from testbed.peers.through import Tuple
from testbed.wire.capture import Mark
from testbed.wire.station import Station


@dataclass(frozen=True)
class Migration:
    """A Migrate through the device: as it was sent, and as it came to the server."""

    node: Node
    server: Server
    request: SentMessage
    came: ReceivedMigrate

    @property
    def mapped(self) -> list[Tuple]:
        """What the migrated tuples appear as, in the order of the entries."""
        return [(self.came.packet.src, migrated) for _, migrated, _ in self.came.entries]

    def reply(self, code: int = SUCCESS, **fields: Any) -> SentMessage:
        """The server replies; any field can be replaced."""
        return self.server.reply(self.came.message, self.came.packet.src, code, **fields)


class NatRouter(Acknowledging):
    """The device under test."""

    # Migrates

    def _migrates(self, station: Station, since: Mark, codes: Callable[[int], bool]) -> list[ReceivedMigrate]:
        network = station.network
        return [
            ReceivedMigrate(frame, packet, network.payload(frame.data), network)
            for frame, packet in self._case.messages(network.icmp_protocol, since)
            if packet.dst == station.address and isinstance(packet.payload, MOPSMigrate) and codes(packet.payload.code)
        ]

    def requests_at(self, station: Station, since: Mark) -> list[ReceivedMigrate]:
        """The Migrates, whatever they are like, that have come to a station since a mark, replies excepted."""
        return self._migrates(station, since, lambda code: code not in CODES)

    def replies_at(self, station: Station, since: Mark) -> list[ReceivedMigrate]:
        """The replies, whatever they are like, that have come to a station since a mark."""
        return self._migrates(station, since, lambda code: code in CODES)

    def _first(
        self, find: Callable[[Station, Mark], list[ReceivedMigrate]], at: Station, sent: SentMessage, what: str
    ) -> ReceivedMigrate:
        deadline = self._case.deadline(since_ns=sent.sent.ns)

        def fresh() -> list[ReceivedMigrate]:
            return [one for one in find(at, sent.since) if not one.frame.accounted]

        frame = self._case.look(lambda: next((one.frame for one in fresh()), None), deadline)
        if frame is None:
            reason = f"no {what} at {at.address} within {deadline.within_s:g} s"
            raise Broken(Finding(reason, "1", "0", frames=[sent.sent.frame]), deadline)
        came = fresh()[0]
        frame.account(what)
        return came

    def forwards(self, request: SentMessage, server: Server) -> ReceivedMigrate:
        """A Migrate comes to its server, in time."""
        return self._first(self.requests_at, server.station, request, "Migrate")

    def restores(self, reply: SentMessage, node: Node) -> ReceivedMigrate:
        """A reply comes to the node, in time."""
        return self._first(self.replies_at, node.station, reply, "Migrate reply")

    def passes(  # type: ignore[override]
        self, node: Node, server: Server, *moved: Moved, **fields: Any
    ) -> Migration:
        """A Migrate of these connections comes to their server, which knows their tuples from then on; preamble."""
        request = node.migrate(server, *moved, **fields)
        with preamble():
            came = self.forwards(request, server)
        migration = Migration(node, server, request, came)
        if len(migration.mapped) < len(moved):
            raise Inconclusive(f"preamble: #{came.frame.index} does not list all connections")
        for one, mapped in zip(moved, migration.mapped, strict=False):
            one.outer.follow_remote(mapped[0], request.since)
            one.outer.remote_port = mapped[1]
        return migration

    def migrates(self, node: Node, server: Server, *moved: Moved, **fields: Any) -> Migration:
        """A Migrate that is answered with success, which comes to the node; preamble."""
        migration = self.passes(node, server, *moved, **fields)
        with preamble():
            self.restores(migration.reply(), node)
        return migration

    def continues(self, *moved: Moved, data: bytes = b"at the new place") -> None:
        """Data passes both ways on connections, unchanged and in order, the node's first."""
        for one in moved:
            self.delivers(one.inner, one.outer, data)
            self.delivers(one.outer, one.inner, data)
