# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 5: nodes outside that move while they are connected to servers inside, by ports of the router's address."""

from dataclasses import dataclass, replace
from typing import Any, Self

import pytest

from conformance.mops.dut.nat_router import Migration, NatRouter
from conformance.mops.migrate import ReceivedMigrate
from conformance.mops.tester.destinations import InsideServer, OutsideNode
from conformance.mops.tester.sides import Moved, SentMessage
from layers.mops import FAILED, MIGRATE, MIGRATE_ATOMIC, SUCCESS
from testbed import inopportune, requirement, valid
from testbed.case.case import Case
from testbed.case.expect import preamble
from testbed.case.verdict import require
from testbed.peers.through import Connection

NUMBERS = pytest.mark.parametrize("number", [1, 3])


@pytest.fixture
def server(case: Case) -> InsideServer:
    """The tester as a server on the inside."""
    (made,) = InsideServer.several(case, 1)
    return made


@pytest.fixture
def node(case: Case) -> OutsideNode:
    """The tester as a mobile node on the outside."""
    return OutsideNode(case)


def _connection(dut: NatRouter, node: OutsideNode, server: InsideServer) -> Connection:
    """A connection of a node to a server, used once; preamble."""
    with preamble():
        connection = dut.opens(node.at(), server.listening, *dut.syn_options, called=server.place)
        dut.carries(connection, b"hello")
    return connection


@dataclass
class Roaming:
    """Connections of a node to a server inside, and where the node is to be with them."""

    dut: NatRouter
    server: InsideServer
    place: OutsideNode
    connections: list[Connection]
    moved: list[Moved]

    @classmethod
    def of(cls, dut: NatRouter, node: OutsideNode, server: InsideServer, number: int) -> Self:
        """So many connections."""
        connections = [_connection(dut, node, server) for _ in range(number)]
        place = OutsideNode.like(node)
        moved = [place.take(Moved(one.mapped, one.inner, one.outer)) for one in connections]
        return cls(dut, server, place, connections, moved)

    def ask(self, **fields: Any) -> Migration:
        """The Migrate comes to the server; preamble."""
        return self.dut.sends_on(self.place, self.server, *self.moved, **fields)

    def answer(self, migration: Migration, code: int, *listed: int) -> None:
        """The server's reply comes to the node; a failed one lists these entries. Preamble."""
        fields = {"entries": [migration.came.entries[one] for one in listed]} if listed else {}
        self.dut.restored(migration.reply(code, **fields), self.place)

    def stay(self, *numbers: int) -> None:
        """These connections carry data both ways where they were, the node's first: the server's opens any mapping."""
        for number in numbers or range(len(self.connections)):
            self.dut.carries(self.connections[number])

    def go_on(self, *numbers: int) -> None:
        """These connections carry data both ways at the new place, the node's first."""
        for number in numbers or range(len(self.connections)):
            was, there = self.connections[number], self.moved[number]
            inner, outer = was.inner.at(there.inner.station, there.inner.port), was.outer.at(there.outer.station)
            outer.remote, outer.remote_port = there.outer.remote, there.outer.remote_port
            self.dut.continues(Moved(there.previous, inner, outer))
            self.connections[number] = replace(was, inner=inner, outer=outer)


@NUMBERS
@valid
@requirement("MOPS-5-02", case=1)
def test_migrate_reaches_the_inside_server(
    node: OutsideNode, server: InsideServer, dut: NatRouter, number: int
) -> None:
    """The Migrate of 1 or 3 connections comes to their server, each time that it is sent, as the node has sent it."""
    roaming = Roaming.of(dut, node, server, number)
    for _ in range(2):
        migration = dut.passes_migrate(roaming.place, server, *roaming.moved)
        _is_as_sent(migration.request, migration.came)


def _is_as_sent(sent: SentMessage, came: ReceivedMigrate) -> None:
    wanted, seen = (octets[:2] + octets[4:] for octets in (sent.octets, came.octets))
    require(seen == wanted, "all but the checksum", wanted.hex(), seen.hex(), came.frame, sent.sent.frame)
    require(came.is_intact, "checksum", hex(came.right_checksum), hex(came.message.checksum), came.frame)


@valid
@requirement("MOPS-5-02", case=2)
def test_migrate_reaches_its_own_server(case: Case, node: OutsideNode, dut: NatRouter) -> None:
    """Of two servers each gets the Migrate of its own connection, though both are of one node and go to one address."""
    servers = InsideServer.several(case, 2)
    connections = [_connection(dut, node, server) for server in servers]
    place = OutsideNode.like(node)
    for server, one in zip(servers, connections, strict=True):
        migration = dut.passes_migrate(place, server, place.take(Moved(one.mapped, one.inner, one.outer)))
        _is_as_sent(migration.request, migration.came)


@pytest.mark.parametrize("code", [SUCCESS, FAILED], ids=["success", "failed"])
@NUMBERS
@valid
@requirement("MOPS-5-11", case=1)
def test_reply_comes_from_the_address_that_was_asked(
    node: OutsideNode, server: InsideServer, dut: NatRouter, number: int, code: int
) -> None:
    """The server's reply comes to the node from the router's outside address, with the fields that it was given."""
    roaming = Roaming.of(dut, node, server, number)
    reply = roaming.ask().reply(code)
    came = dut.restores(reply, roaming.place)
    require(came.packet.src == server.called, "source of the reply", server.called, came.packet.src, came.frame)
    _is_as_sent(reply, came)


@NUMBERS
@valid
@requirement("MOPS-5-12", case=1)
def test_connections_go_on_elsewhere_after_the_success(
    node: OutsideNode, server: InsideServer, dut: NatRouter, number: int
) -> None:
    """Until the success the connections carry data where they were, from then on where the node has gone."""
    roaming = Roaming.of(dut, node, server, number)
    migration = roaming.ask()
    roaming.stay()
    roaming.answer(migration, SUCCESS)
    roaming.go_on()


@valid
@requirement("MOPS-5-12", case=2)
def test_connection_goes_on_after_each_of_three_moves(node: OutsideNode, server: InsideServer, dut: NatRouter) -> None:
    """A connection is moved on twice, and then back to where it was, and carries data after each move."""
    roaming = Roaming.of(dut, node, server, 1)
    places = [(roaming.place, 0), (OutsideNode.like(node), 0), (node, roaming.connections[0].inner.port)]
    for place, port in places:
        one = roaming.connections[0]
        mapped = one.outer.remote, one.outer.remote_port
        roaming.place, roaming.moved = place, [place.take(Moved(mapped, one.inner, one.outer), port)]
        roaming.answer(roaming.ask(), SUCCESS)
        roaming.go_on()


@pytest.mark.parametrize("failed", [[0], [1], [0, 2]], ids=str)
@valid
@requirement("MOPS-5-13", case=1)
def test_what_did_not_fail_goes_on_elsewhere(
    node: OutsideNode, server: InsideServer, dut: NatRouter, failed: list[int]
) -> None:
    """Of three connections one or two have failed: the others carry data where the node has gone."""
    roaming = Roaming.of(dut, node, server, 3)
    roaming.answer(roaming.ask(), FAILED, *failed)
    roaming.go_on(*(number for number in range(3) if number not in failed))


@pytest.mark.parametrize(
    ("code", "failed"),
    [(MIGRATE, [0]), (MIGRATE, [1, 2]), (MIGRATE, [0, 1, 2]), (MIGRATE_ATOMIC, [1]), (MIGRATE_ATOMIC, [0, 1, 2])],
    ids=str,
)
@inopportune
@requirement("MOPS-5-14", case=1)
def test_what_has_failed_stays(
    node: OutsideNode, server: InsideServer, dut: NatRouter, code: int, failed: list[int]
) -> None:
    """Of three connections those that a failed reply lists carry data where they were."""
    roaming = Roaming.of(dut, node, server, 3)
    roaming.answer(roaming.ask(code=code), FAILED, *failed)
    roaming.stay(*failed)


@inopportune
@requirement("MOPS-5-14", case=2)
def test_what_has_failed_twice_stays(node: OutsideNode, server: InsideServer, dut: NatRouter) -> None:
    """A connection whose Migrates to two places have failed, one after the other, carries data where it was."""
    roaming = Roaming.of(dut, node, server, 1)
    one = roaming.connections[0]
    for _ in range(2):
        roaming.answer(roaming.ask(), FAILED)
        roaming.place = OutsideNode.like(node)
        roaming.moved = [roaming.place.take(Moved(one.mapped, one.inner, one.outer))]
    roaming.stay()
