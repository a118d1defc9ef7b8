# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.3 and appendix B: many levels, several sockets, changed mappings, and NAT at the place moved to."""

import pytest

from conformance.mops.dut.mobile_node import Applications, MobileNode
from conformance.mops.dut.natted import INNER, OUTER, TAUGHT, NattedConnection, tuple_in_mops
from conformance.mops.tester.nat_router import NatRouter
from conformance.mops.tester.server import Correspondent
from testbed import exclusive, requirement, valid
from testbed.case.case import Case
from testbed.case.verdict import require

HIGHEST = 255
FIRST_PORT = 10_000


@pytest.fixture
def natted(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent, router: NatRouter
) -> NattedConnection:
    """A connection, and as many levels of NAT as there can be, at two addresses by turns."""
    connection = app.connect(correspondent)
    addresses = [case.station().address for _ in range(2)]
    chain = [(addresses[level % 2], FIRST_PORT + level) for level in range(HIGHEST)]
    return NattedConnection(dut, app, router, connection, (dut.address, connection.previous_port), chain)


@pytest.mark.parametrize("levels", [16, 254, 255])
@exclusive
@valid
@requirement("MOPS-4.3-53", case=1)
def test_many_levels_are_followed(natted: NattedConnection, levels: int) -> None:
    """After 16, 254 or 255 levels in order the Migrate names the translated tuple of the last."""
    natted.acknowledge(*(natted.acknowledgement(level) for level in range(1, levels + 1)))
    natted.names(natted.chain[levels - 1])


@pytest.mark.parametrize("missing", [2, 3])
@exclusive
@valid
@requirement("MOPS-4.3-31", case=2)
def test_levels_above_a_gap_are_ignored(natted: NattedConnection, missing: int) -> None:
    """Of levels 1 to 4 one is missing: the Migrate names the translated tuple of the level below it."""
    natted.acknowledge(*(natted.acknowledgement(level) for level in range(1, 5) if level != missing))
    natted.names(natted.chain[missing - 2])


@exclusive
@valid
@requirement("MOPS-4.3-54", case=1)
def test_later_mapping_of_a_level_replaces_the_earlier(natted: NattedConnection) -> None:
    """A second acknowledgement of level 1 names another translated port, which the Migrate names."""
    again = natted.router.acknowledgement(natted.inside, (natted.chain[0][0], TAUGHT))
    natted.acknowledge(natted.acknowledgement(1), again)
    natted.names((natted.chain[0][0], TAUGHT))


@exclusive
@valid
@requirement("MOPS-4.3-55", case=1)
def test_known_port_among_unknown_ones_is_learnt(natted: NattedConnection) -> None:
    """An acknowledgement lists ports of no socket before and after the connection's own."""
    port = natted.inside[1]
    entries = [(port ^ 0x8000, TAUGHT), (port, INNER), (port ^ 0x4000, TAUGHT + 1)]
    natted.acknowledge(natted.acknowledgement(1, entries=entries))
    natted.names((natted.chain[0][0], INNER))


@exclusive
@valid
@requirement("MOPS-B-22", case=1)
def test_translations_of_all_sockets_are_remembered(
    dut: MobileNode, app: Applications, correspondent: Correspondent, natted: NattedConnection
) -> None:
    """Eight connections, each acknowledged by itself, are each named with their own translated port."""
    connections = [natted.connection, *(app.connect(correspondent) for _ in range(7))]
    ports = {connection.previous_port: INNER + number for number, connection in enumerate(connections)}
    for own, translated in ports.items():
        outside = (natted.chain[0][0], translated)
        natted.acknowledge(natted.router.acknowledgement((dut.address, own), outside))
    for connection, (request, (_, seen)) in zip(connections, natted.requests(*connections), strict=True):
        natted.require("previous port", ports[connection.previous_port], seen, request)


@pytest.mark.parametrize("moment", ["before the reply", "after the reply"])
@exclusive
@valid
@requirement("MOPS-4.3-56", case=1)
def test_mapping_of_the_migrate_is_named_at_the_next_move(
    case: Case, dut: MobileNode, natted: NattedConnection, moment: str
) -> None:
    """The routers of the new place acknowledge the Migrate: the next one names what they have translated it to."""
    connection, outside = natted.connection, (natted.chain[0][0], OUTER)
    request = dut.request(dut.move(), connection)
    inside = (dut.address, request.entry(connection)[1])
    if moment == "before the reply":
        natted.acknowledge(natted.router.acknowledgement(inside, outside))
    connection.server.reply_success(request, connection)
    dut.continues(connection)
    if moment == "after the reply":
        natted.acknowledge(natted.router.acknowledgement(inside, outside))
    second = dut.request(dut.move(), connection)
    named = second.address("previous_source"), second.entry(connection)[0]
    require(named == tuple_in_mops(outside), "previous tuple", tuple_in_mops(outside), named, second.frame)
