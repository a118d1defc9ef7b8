# SPDX-License-Identifier: GPL-2.0-or-later
"""Appendix B: the device and a second router in a row, at either place; every message between them is judged too."""

import pytest

from conformance.mops.dut.nat_router import NatRouter
from conformance.mops.migrate import in_mops
from conformance.mops.tester.neighbours import BETWEEN, router_after, router_before
from conformance.mops.tester.sides import Node, Server
from layers.mops import MOPSMigrate
from testbed import chain, over, requirement, valid
from testbed.case.case import Case
from testbed.case.verdict import require
from testbed.wire.capture import Frame

PLACES = pytest.mark.parametrize(
    "place",
    [pytest.param("inner", marks=chain(router_after)), pytest.param("outer", marks=chain(router_before))],
)


@pytest.fixture
def dut(case: Case) -> NatRouter:
    """The device under test; what both routers acknowledge is judged by a case of its own."""
    made = NatRouter(case)
    case.solicited.clear()
    return made


@PLACES
@valid
@requirement("MOPS-B-19", case=1)
def test_migrate_through_two_routers(case: Case, node: Node, server: Server, dut: NatRouter, place: str) -> None:
    """The server sees the outermost tuple, the node its own request answered, and data flows both ways."""
    address = server.address
    case.between(BETWEEN).observe(address)
    moved = node.bring(server, (server.like(server).address, 6050))
    migration = dut.passes_migrate(node, server, moved)
    came = migration.came
    seen = came.address("migrated_source"), in_mops(came.packet.src)
    outermost = in_mops(case.outside.dut_address)  # of the outer router, whichever that is
    require(seen == (outermost, outermost), "migrated address and source", outermost, seen, came.frame)
    for frame, message in _between(case, address):
        inner = in_mops(message.migrated_source)
        hidden = inner not in (in_mops(node.address), outermost)
        require(hidden, "migrated address between the routers", "the inner router's", inner, frame, came.frame)
    reply = dut.restores(migration.reply(), node)
    wanted = [moved.entry], in_mops(node.address)
    got = reply.entries, reply.address("migrated_source")
    require(got == wanted, "entries and migrated address of the reply", wanted, got, reply.frame)
    dut.continues(moved)
    dut.delivers(moved.outer, moved.inner, b"and once more")


def _between(case: Case, destination: str) -> list[tuple[Frame, MOPSMigrate]]:
    """The Migrates to an address on the wire between both routers."""
    side = case.between(BETWEEN)
    packets = [(frame, side.network.dissect(frame.data)) for frame in side.received()]
    return [
        (frame, packet.payload)
        for frame, packet in packets
        if getattr(packet, "dst", "") == destination and isinstance(packet.payload, MOPSMigrate)
    ]


@PLACES
@over("ipff")
@valid
@requirement("MOPS-B-19", case=2)
def test_levels_of_two_routers(case: Case, node: Node, server: Server, dut: NatRouter, place: str) -> None:
    """A SYN through both elicits level 1 and level 2, which join the node's tuple to what the server sees."""
    mapping = dut.maps(node.at(), server)
    first = dut.acknowledges(node.station, mapping.made)
    second = dut.acknowledges(node.station, mapping.made, number=2)
    levels = first.message.nat_level, second.message.nat_level
    require(levels == (1, 2), "levels", (1, 2), levels, first.frame, second.frame)
    ends = [(in_mops(one[0]), one[1]) for one in (mapping.inside, mapping.outside)]
    joined = [first.pairs[0][0], second.pairs[0][1]]
    require(joined == ends, "the node's tuple, and what the server sees", ends, joined, first.frame, second.frame)
    require(
        first.pairs[0][1] == second.pairs[0][0], "what joins both", first.pairs[0][1], second.pairs[0][0], second.frame
    )
