# SPDX-License-Identifier: GPL-2.0-or-later
"""A connection of a mobile node behind NAT: what its routers acknowledge, and what its Migrates name (section 4.3)."""

from dataclasses import dataclass
from typing import Any

from scapy.packet import Packet

from conformance.mops.dut.mobile_node import Applications, MobileNode
from conformance.mops.migrate import Message, ReceivedMigrate, in_mops
from conformance.mops.tester.nat_router import NatRouter, Tuple
from conformance.mops.tester.server import Connection
from testbed.case.expect import preamble
from testbed.case.verdict import require
from testbed.peers.host import Move

INNER, OUTER, OUTERMOST, TAUGHT = 5050, 6050, 7050, 8050
"""Translated ports: of three levels, and of another connection."""


@dataclass
class NattedConnection:
    """A connection of a device behind routers: its tuple `inside`, and in `chain` what each level translates it to."""

    dut: MobileNode
    app: Applications
    router: NatRouter
    connection: Connection
    inside: Tuple
    chain: list[Tuple]

    def acknowledgement(self, level: int, **fields: Any) -> Packet:
        """The acknowledgement of a level; any field can be replaced."""
        original, translated = [self.inside, *self.chain][level - 1], self.chain[level - 1]
        return self.router.acknowledgement(original, translated, level, **fields)

    def acknowledge(self, *acknowledgements: Message) -> None:
        """The router sends these to the device, which has then read them."""
        for message in acknowledgements:
            self.router.send(self.dut.address, message)
        self.dut.barrier()

    def requests(self, *connections: Connection) -> list[tuple[ReceivedMigrate, Tuple]]:
        """The Migrates after a move, and which previous tuple each names for its connection; preamble."""
        move = self.dut.move()
        return [self.named(move, connection) for connection in connections or [self.connection]]

    def named(self, move: Move, connection: Connection) -> tuple[ReceivedMigrate, Tuple]:
        """The Migrate of a connection after a move, and the previous tuple that it names; preamble."""
        request = self.dut.request(move, connection)
        return request, (request.address("previous_source"), request.entry(connection)[0])

    def names(self, expected: Tuple, move: Move | None = None) -> None:
        """After a move the Migrate gives `expected` as the previous tuple."""
        request, seen = self.named(move or self.dut.move(), self.connection)
        self.require("previous tuple", tuple_in_mops(expected), seen, request)

    def learns_nothing(self, *acknowledgements: Message) -> None:
        """These leave the mapping table unchanged, at a device that learns the right one of another connection."""
        other = self.app.connect(self.connection.server)
        taught = self.chain[0][0], TAUGHT
        right = self.router.acknowledgement((self.dut.address, other.previous_port), taught)
        self.acknowledge(*acknowledgements, right)
        move = self.dut.move()
        request, learnt = self.named(move, other)
        with preamble():
            wanted = tuple_in_mops(taught)
            require(learnt == wanted, "tuple of the other connection", wanted, learnt, request.frame)
        self.names(self.inside, move)

    def require(self, what: str, expected: object, seen: object, request: ReceivedMigrate) -> None:
        """Broken where the Migrate names something else; Inconclusive where it does so without NAT too."""
        if seen != expected:
            plain = self.app.connect(self.connection.server)
            own = tuple_in_mops((self.dut.address, plain.previous_port))
            ((other, named),) = self.requests(plain)
            with preamble():
                require(named == own, "tuple without NAT", own, named, other.frame)
        require(seen == expected, what, expected, seen, request.frame)


def tuple_in_mops(end: Tuple) -> Tuple:
    """A tuple as MOPS writes it."""
    return in_mops(end[0]), end[1]
