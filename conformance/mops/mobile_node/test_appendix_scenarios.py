# SPDX-License-Identifier: GPL-2.0-or-later
"""Appendices A and B: the draft's scenarios with the draft's own addresses and ports, at a mobile node."""

from conformance.mops.claims import needs_addresses_of_the_draft
from conformance.mops.dut.mobile_node import Applications, MobileNode
from conformance.mops.tester.nat_router import NatRouter
from conformance.mops.tester.server import Connection, Correspondent
from testbed import exclusive, requirement, valid
from testbed.case.case import Case
from testbed.case.verdict import require


def connect_at(case: Case, dut: MobileNode, app: Applications, address: str) -> Connection:
    """A connection of the device at an address of the scenario; preamble."""
    case.setup.pools["ipff"].lease_this(address)
    dut.move(address)
    return app.connect(Correspondent(case))


@exclusive
@valid
@requirement("MOPS-A-02", case=1)
def test_simple_mobile_tcp_scenario(case: Case, dut: MobileNode, app: Applications) -> None:
    """The node moves from 525.8.78.3.9 to 775.2.23.6.6, and its connection continues."""
    needs_addresses_of_the_draft(case)
    connection = connect_at(case, dut, app, "525.8.78.3.9")
    request = dut.migrates(dut.move("775.2.23.6.6"), connection)
    seen = request.address("previous_source"), request.address("migrated_source")
    require(
        seen == ("525.8.78.3.9", "775.2.23.6.6"), "addresses", ("525.8.78.3.9", "775.2.23.6.6"), seen, request.frame
    )
    connection.server.reply_success(request, connection)
    dut.continues(connection, b"And hoopla ! Connection will continue !")


@exclusive
@valid
@requirement("MOPS-B-03", case=1)
def test_double_nat_scenario(case: Case, dut: MobileNode, app: Applications) -> None:
    """After acknowledgements of 10.0.0.0.1 port 5050 and 525.8.78.2.2 port 6050 the node's Migrate names the latter."""
    needs_addresses_of_the_draft(case)
    connection = connect_at(case, dut, app, "10.2.0.0.1")
    router = NatRouter.gateway(case)
    inside, level_1, level_2 = ("10.2.0.0.1", connection.previous_port), ("10.0.0.0.1", 5050), ("525.8.78.2.2", 6050)
    router.send(dut.address, router.acknowledgement(inside, level_1, 1))
    router.send(dut.address, router.acknowledgement(level_1, level_2, 2))
    dut.barrier()
    request = dut.migrates(dut.move("192.168.1.1.1"), connection)
    port = request.entry(connection)[0]
    seen = request.address("previous_source"), port, request.address("migrated_source")
    expected = "525.8.78.2.2", 6050, "192.168.1.1.1"
    require(seen == expected, "previous address, port and migrated address", expected, seen, request.frame)
