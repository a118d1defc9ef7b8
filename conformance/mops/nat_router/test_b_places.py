# SPDX-License-Identifier: GPL-2.0-or-later
"""Appendix B, the device in the place of each of its four routers: node, server and the three others are the tester."""

import pytest

from conformance.mops.claims import needs_addresses_of_the_draft
from conformance.mops.dut.acknowledging import Acknowledgement
from conformance.mops.dut.nat_router import Migration, NatRouter
from conformance.mops.migrate import in_mops
from conformance.mops.tester.sides import Node, SentMessage, Server, Upstream
from testbed import over, requirement, valid
from testbed.case.case import Case
from testbed.case.verdict import require
from testbed.peers.through import Tuple

SERVER, PORT = "8.8.8.8.8", 80
NODE, MOVED = ("10.2.0.0.1", 1027), ("192.168.1.1.1", 1027)
ROUTER_A, ROUTER_B = ("10.0.0.0.1", 5050), ("525.8.78.2.2", 6050)
ROUTER_C, ROUTER_D = ("172.16.0.0.1", 2038), ("775.2.23.5.5", 4128)
"""What each router translates to. The device has an address of its own, and its port is its own choice."""

STREAM = bytes(range(256)) * 5


@pytest.mark.parametrize(("source", "further"), [(NODE, ROUTER_B), (ROUTER_A, None)], ids=["A", "B"])
@over("ipff")
@valid
@requirement("MOPS-B-69", case=1)
def test_before_the_move(case: Case, dut: NatRouter, source: Tuple, further: Tuple | None) -> None:
    """In the place of router A or B: the node's connection opens, every level comes, and its stream is byte-exact."""
    needs_addresses_of_the_draft(case)
    node, server = Node(case, source[0]), Server(case, SERVER, PORT)
    connection = dut.opens(node.at(source[1]), server.listening, *dut.syn_options)
    first = dut.acknowledges(node.station, connection.made)
    _joins(first, 1, source, connection.mapped)
    if further:
        _learns(case, dut, node, connection.mapped, further)
    dut.carries(connection, STREAM)


@pytest.mark.parametrize(("source", "further"), [(MOVED, ROUTER_D), (ROUTER_C, None)], ids=["C", "D"])
@over("ipff")
@valid
@requirement("MOPS-B-69", case=2)
def test_after_the_move(case: Case, dut: NatRouter, source: Tuple, further: Tuple | None) -> None:
    """In the place of router C or D: the Migrate passes, every level and the success come, and the stream goes on."""
    needs_addresses_of_the_draft(case)
    node, server = Node(case, source[0]), Server(case, SERVER, PORT)
    moved = node.bring(server, ROUTER_B, source[1])
    migration = dut.passes_migrate(node, server, moved)
    came, mapped = migration.came, migration.mapped[0]
    wanted = in_mops(ROUTER_B[0]), [(ROUTER_B[1], mapped[1], moved.inner.snd_nxt)]
    seen = came.address("previous_source"), came.entries
    require(seen == wanted, "previous address and entries", wanted, seen, came.frame)
    on_migrate = case.setup.profile.ixit.mops.nat_ack_on == "migrate"
    if on_migrate:
        _levels(case, dut, migration, migration.request, further)
    reply = migration.reply()
    restored = dut.restores(reply, node)
    entries = [(ROUTER_B[1], source[1], moved.inner.snd_nxt)]
    require(restored.entries == entries, "entries of the reply", entries, restored.entries, restored.frame)
    if not on_migrate:
        _levels(case, dut, migration, reply, further)
    dut.continues(moved, data=STREAM)


def _levels(case: Case, dut: NatRouter, migration: Migration, moment: SentMessage, further: Tuple | None) -> None:
    """Each level of the mapping of a Migrate comes to the node."""
    node, (mapped,) = migration.node, migration.mapped
    (first,) = dut.acknowledges_all(migration, moment=moment)
    _joins(first, 1, (node.address, migration.request.message.entries[0][1]), mapped)
    if further:
        _learns(case, dut, node, mapped, further)


def _learns(case: Case, dut: NatRouter, node: Node, original: Tuple, translated: Tuple) -> None:
    """The next router has acknowledged what it makes of the device's tuple: it comes to the node as level 2."""
    upstream = Upstream(case)
    _joins(dut.forwards_level(node.station, upstream.acknowledge(original, translated)), 2, original, translated)


def _joins(came: Acknowledgement, level: int, original: Tuple, translated: Tuple) -> None:
    require(came.message.nat_level == level, "level", level, came.message.nat_level, came.frame)
    pair = tuple((in_mops(address), port) for address, port in (original, translated))
    require(came.pairs == [pair], "original and translated", pair, came.pairs, came.frame)
