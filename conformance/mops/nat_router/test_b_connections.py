# SPDX-License-Identifier: GPL-2.0-or-later
"""Appendix B and section 6: connections after a Migrate, and those that it does not name."""

import pytest

from conformance.mops.dut.nat_router import NatRouter
from conformance.mops.tester.sides import Moved, Node, Server
from layers.mops import FAILED, MIGRATE_ATOMIC, SUCCESS
from testbed import inopportune, requirement, valid
from testbed.case.case import Case
from testbed.case.verdict import require
from testbed.interruptions import NotApplicable
from testbed.peers.tcp import TcpPeer
from testbed.peers.through import Connection

CODES = pytest.mark.parametrize("code", [SUCCESS, FAILED], ids=["success", "failed"])
OUTCOMES = ("unanswered", "success", "failed")


@pytest.mark.parametrize("number", [1, 8])
@pytest.mark.parametrize("code", [0, MIGRATE_ATOMIC], ids=["best effort", "atomic"])
@valid
@requirement("MOPS-B-17", case=1)
def test_data_flows_after_the_success(node: Node, server: Server, dut: NatRouter, number: int, code: int) -> None:
    """After the success connections in mid-stream carry data both ways, byte for byte, the node's first."""
    moved = dut.brings(node, server, number)
    dut.migrates(node, server, *moved, code=code)
    dut.continues(*moved, data=bytes(range(256)) * 5)
    dut.continues(*moved)


@valid
@requirement("MOPS-B-17", case=2)
def test_data_flows_after_each_of_three_moves(node: Node, server: Server, dut: NatRouter) -> None:
    """A connection that comes from elsewhere is moved on twice inside, and carries data after each move."""
    (moved,) = dut.brings(node, server, 1)
    dut.migrates(node, server, moved)
    dut.continues(moved)
    for _ in range(2):
        place = Node.like(node)
        moved = place.take(moved)
        dut.migrates(place, server, moved)
        dut.continues(moved)


@valid
@requirement("MOPS-B-17", case=3)
def test_what_did_not_fail_flows_after_a_partial_failure(node: Node, server: Server, dut: NatRouter) -> None:
    """Of five entries the second and fourth have failed: the others carry data."""
    moved = dut.brings(node, server, 5)
    migration = dut.sends_on(node, server, *moved)
    entries = migration.came.entries
    dut.restored(migration.reply(FAILED, entries=[entries[1], entries[3]]), node)
    dut.continues(*moved[::2])


@pytest.mark.parametrize("number", [1, 3])
@valid
@requirement("MOPS-B-38", case=1)
def test_server_may_speak_first(node: Node, server: Server, dut: NatRouter, number: int) -> None:
    """The first segment after the success is the server's; it comes to the node, and its answer to the server."""
    moved = dut.brings(node, server, number)
    dut.migrates(node, server, *moved)
    for one in moved:
        dut.delivers(one.outer, one.inner, b"new data to this new subnet")
    for one in moved:
        dut.delivers(one.inner, one.outer, b"at last")


def _reaches(dut: NatRouter, end: TcpPeer, inner: TcpPeer, of: Server) -> bool:
    """Whether a segment of an end comes to a node's address from a server, after what proves that it was dealt with."""
    sent = end.transmit(end.segment("PA", b"is anybody there"))
    dut.settles()
    return dut.segment_from(of.address, inner, sent) is not None


@inopportune
@requirement("MOPS-B-40", case=1)
def test_another_address_does_not_pass(case: Case, node: Node, server: Server, dut: NatRouter) -> None:
    """After the success a segment that fits, but comes from another address, does not come to the node."""
    stranger = Server.like(server)
    ordinary = dut.converses(node.at(), server)
    outside = _stranger(stranger, ordinary.outer, server)
    if _reaches(dut, outside, ordinary.inner, stranger):
        raise NotApplicable("this NAT filters by no address: another one's segment passes to an ordinary mapping")
    (moved,) = dut.brings(node, server, 1)
    dut.migrates(node, server, moved)
    dut.continues(moved)
    end = _stranger(stranger, moved.outer, server)
    sent = end.transmit(end.segment("PA", b"is anybody there"))
    dut.settles()
    segment = dut.segment_from(stranger.address, moved.inner, sent)
    if segment:
        require(False, "segment of another address", "none", str(segment), segment.frame, sent.frame)
    dut.continues(moved)


def _stranger(at: Server, end: TcpPeer, of: Server, port: int = 0) -> TcpPeer:
    """An end with the numbers of a server's, at another host or port."""
    return end.at(at.station, port or of.listening.port)


@inopportune
@requirement("MOPS-B-39", case=1)
def test_other_ports_of_the_server_do_not_pass(case: Case, node: Node, server: Server, dut: NatRouter) -> None:
    """The router has seen the connection: after its move another port of the server does not come to the node."""
    connection = dut.converses(node.at(), server)
    other = _stranger(server, connection.outer, server, server.at().port)
    if _reaches(dut, other, connection.inner, server):
        raise NotApplicable("this NAT filters by no port: another one's segment passes to an ordinary mapping")
    place = Node.like(node)
    moved = place.take(Moved(connection.mapped, connection.inner, connection.outer))
    dut.migrates(place, server, moved)
    dut.continues(moved)
    end = _stranger(server, moved.outer, server, other.port)
    sent = end.transmit(end.segment("PA", b"is anybody there"))
    dut.settles()
    segment = dut.segment_from(server.address, moved.inner, sent)
    if segment:
        require(False, "segment of another port", "none", str(segment), segment.frame, sent.frame)


@valid
@requirement("MOPS-B-43", case=1)
def test_node_moves_inside(node: Node, server: Server, dut: NatRouter) -> None:
    """A connection opened through this router goes on from another inside address, by its outside tuple as previous."""
    connection = dut.converses(node.at(), server)
    place = Node.like(node)
    moved = place.take(Moved(connection.mapped, connection.inner, connection.outer))
    dut.takes_along(place, server, moved)
    dut.continues(moved)


@valid
@requirement("MOPS-B-43", case=2)
def test_two_connections_move_inside_with_their_ports(node: Node, server: Server, dut: NatRouter) -> None:
    """Two connections move together and keep their ports, a third stays, and all of them carry data."""
    connections = [dut.converses(node.at(), server) for _ in range(3)]
    place = Node.like(node)
    moved = [place.take(Moved(one.mapped, one.inner, one.outer), one.inner.port) for one in connections[:2]]
    dut.takes_along(place, server, *moved)
    dut.continues(*moved)
    dut.carries(connections[2])


@pytest.mark.parametrize("outcome", OUTCOMES)
@valid
@requirement("MOPS-B-42", case=1)
def test_connections_that_are_not_named_go_on(node: Node, server: Server, dut: NatRouter, outcome: str) -> None:
    """Of the node two connections to that server and another one, and one of another node go on undisturbed."""
    other, second = Server.like(server), Node.like(node)
    port = node.at().port
    known = [
        dut.converses(node.at(port), server),
        dut.converses(node.at(), other),
        dut.converses(second.at(port), server),
    ]
    moved = dut.brings(node, server, 2)
    migration = dut.sends_on(node, server, *moved)
    if outcome != "unanswered":
        dut.restored(migration.reply(SUCCESS if outcome == "success" else FAILED), node)
    for one in known:
        dut.carries(one)


@valid
@requirement("MOPS-B-41", case=1)
def test_failed_leaves_a_connection_of_the_mapping(node: Node, server: Server, dut: NatRouter) -> None:
    """A connection to another server from the migrated port goes on, and back to it the mapping is the same."""
    end, other = node.at(), Server.like(server)
    connection = dut.converses(end, other)
    moved = node.bring(server, dut.elsewhere(), end.port)
    dut.refuses(node, server, moved)
    dut.carries(connection)
    _same_mapping(dut, connection, end.port, node, Server.like(server))


def _same_mapping(dut: NatRouter, connection: Connection, port: int, node: Node, server: Server) -> None:
    mapping = dut.maps(node.at(port), server)
    require(
        mapping.outside == connection.mapped, "outside tuple", connection.mapped, mapping.outside, mapping.made.frame
    )


@valid
@requirement("MOPS-B-49", case=1)
def test_mapping_serves_another_server(node: Node, server: Server, dut: NatRouter) -> None:
    """From a migrated tuple a connection to another server opens, by the same mapping; both carry data."""
    (moved,) = dut.brings(node, server, 1)
    migration = dut.migrates(node, server, moved)
    second = dut.opens(node.at(moved.inner.port), Server.like(server).listening, *dut.syn_options)
    mapped = migration.mapped[0]
    require(second.mapped == mapped, "source of the SYN", mapped, second.mapped, second.syn.frame)
    dut.carries(second)
    dut.continues(moved)


@CODES
@valid
@requirement("MOPS-B-42", case=2)
def test_connection_goes_on_at_its_old_tuple_meanwhile(node: Node, server: Server, dut: NatRouter, code: int) -> None:
    """A connection through this router carries data at its old tuple while the Migrate is unanswered, and failed."""
    connection = dut.converses(node.at(), server)
    old = Moved(connection.mapped, connection.inner, connection.outer)
    place = Node.like(node)
    new = place.take(old)
    request = place.migrate(server, new)
    came = dut.forwarded(request, server)
    dut.carries(connection)
    if code == FAILED:
        dut.restored(server.reply(came.message, came.packet.src, FAILED), place)
        dut.carries(connection)
