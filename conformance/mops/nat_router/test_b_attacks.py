# SPDX-License-Identifier: GPL-2.0-or-later
"""Attacks from the inside: Migrates for somebody else, and many of them."""

import pytest

from conformance.mops.dut.nat_router import NatRouter
from conformance.mops.tester.sides import Moved, Node, Server
from layers.mops import SUCCESS
from testbed import exclusive, inopportune, invalid, requirement
from testbed.case.case import Case
from testbed.case.verdict import require_none
from testbed.peers.tcp import TcpPeer
from testbed.wire import chance

MIGRATES = 300
ENTRIES = 4


@pytest.mark.parametrize("victim_has", ["no mapping", "a mapping"])
@invalid
@requirement("MOPS-B-44", case=1)
def test_migrate_for_a_third_host_opens_nothing(
    case: Case, node: Node, server: Server, dut: NatRouter, victim_has: str
) -> None:
    """A Migrate that names another node's address as migrated: nothing of the server comes to that node."""
    victim, previous = Node.like(node), dut.elsewhere()
    port = victim.at().port
    if victim_has == "a mapping":
        dut.is_acknowledged(dut.maps(victim.at(port), Server.like(server)))
    moved = victim.bring(server, previous, port)
    since = case.mark()
    message = victim.request(previous[0], [moved.entry])
    request = node.send(message, server)
    dut.request_barrier()
    tuples = {(dut.outside.dut_address, port)}
    for came in dut.requests_at(server.station, request.since):
        came.frame.account("whatever the router makes of it")
        server.reply(came.message, came.packet.src, SUCCESS)
        tuples.add((came.packet.src, came.entries[0][1]))
    for address, to in tuples:
        end = _at(moved.outer, address, to)
        end.transmit(end.segment("PA", b"to the victim"))
    dut.settles()
    came_in = [one.frame for one in dut.segments_to(moved.inner, request.sent) if one.source == server.address]
    require_none("segments of the server to a node that has asked for nothing", came_in)
    named = [one.frame for one in dut.acknowledgements(victim.station, since)]
    require_none("acknowledgements to that node", named)
    for one in (*dut.replies_at(node.station, since), *dut.replies_at(victim.station, since)):
        one.frame.account("whatever the router makes of it")
    for came_back in dut.acknowledgements(node.station, since):
        came_back.frame.account("whatever the router makes of it")


def _at(end: TcpPeer, address: str, port: int) -> TcpPeer:
    """The end with another remote tuple."""
    other = end.at(end.station)
    other.remote, other.remote_port = address, port
    return other


@exclusive("it floods the device")
@inopportune
@requirement("MOPS-B-45", case=1)
def test_flood_of_migrates_ends_nothing(case: Case, node: Node, server: Server, dut: NatRouter) -> None:
    """Hundreds of Migrates of two other nodes, of new ports each: connections go on, and new ones open."""
    ordinary = dut.converses(node.at(), server)
    moved = node.bring(server, dut.elsewhere())
    dut.migrates(node, server, moved)
    dut.continues(moved)
    flooders, target = [Node.like(node), Node.like(node)], Server.like(server)
    previous = dut.elsewhere()[0]
    rate = case.setup.profile.ixit.mops.guess_rate_per_s
    for number in range(MIGRATES):
        flooder = flooders[number % 2]
        entries = [(1 + one, flooder.at().port, chance.randbits(32)) for one in range(ENTRIES)]
        message = flooder.request(previous, entries)
        case.send_paced(rate, lambda: flooder.send(message, target).sent)  # noqa: B023
    dut.request_barrier()
    for came in dut.requests_at(target.station, case.trace.mark_at(case.trace.frames[0])):
        came.frame.account("flood")
    dut.carries(ordinary)
    dut.continues(moved)
    dut.carries(dut.opens(node.at(), server.listening, *dut.syn_options))


@inopportune
@requirement("MOPS-B-67", case=1)
def test_hairpinned_migrate_is_told(case: Case, node: Node, server: Server, dut: NatRouter) -> None:
    """Reported: what comes to a node whose outside address another node sends a Migrate to."""
    inside = Node.like(node)
    mapping = dut.maps(inside.at(), server)
    dut.is_acknowledged(mapping)
    request = node.tell(node.request(dut.elsewhere()[0], [(1027, node.at().port, 1)]), mapping.outside[0])
    dut.request_barrier()
    dut.quiets()
    came = dut.requests_at(inside.station, request.since)
    case.values["Migrate to the outside address from the inside"] = "comes back in" if came else "dropped"
    for one in came:
        one.frame.account("reported")
    for told in dut.acknowledgements(node.station, request.since):
        told.frame.account("reported")


@inopportune
@requirement("MOPS-B-41", case=2)
def test_two_nodes_claim_one_connection(node: Node, server: Server, dut: NatRouter) -> None:
    """A second node migrates the connection that a first one has: the server refuses it, and the first one goes on."""
    moved = node.bring(server, dut.elsewhere())
    dut.migrates(node, server, moved)
    dut.continues(moved)
    thief = Node.like(node)
    stolen = Moved(moved.previous, moved.inner.at(thief.station, moved.inner.port), moved.outer.at(moved.outer.station))
    dut.refuses(thief, server, stolen)
    since = moved.inner.acknowledge()
    dut.continues(moved)
    require_none("segments at the second node", [one.frame for one in dut.segments_to(stolen.inner, since)])
