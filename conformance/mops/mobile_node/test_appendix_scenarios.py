# SPDX-License-Identifier: GPL-2.0-or-later
"""Appendices A and B: the draft's scenarios with the draft's own addresses and ports, at a mobile node."""

from conformance.mops.dut.mobile_node import Device
from conformance.mops.tester.scenarios import own_numbers
from conformance.mops.tester.server import Correspondent, Router
from conformance.mops.tester.sessions import Session, listed
from testbed import exclusive, requirement, valid
from testbed.case.case import Case
from testbed.case.verdict import require


def begins(case: Case, device: Device, address: str) -> Session:
    """The device at an address of the scenario, connected to a server; preamble."""
    case.setup.pools["ipff"].lease_this(address)
    device.moves(address)
    return device.connects(Correspondent(case))


@exclusive
@valid
@requirement("MOPS-A-02", case=1)
def test_simple_mobile_tcp_scenario_at_the_node(case: Case, device: Device) -> None:
    """The node goes from 525.8.78.3.9 to 775.2.23.6.6, and its connection continues."""
    own_numbers(case)
    session = begins(case, device, "525.8.78.3.9")
    request = device.migrates(device.moves("775.2.23.6.6"), session)
    said = request.address("previous_source"), request.address("migrated_source")
    require(said == ("525.8.78.3.9", "775.2.23.6.6"), "addresses", ("525.8.78.3.9", "775.2.23.6.6"), said)
    device.is_told(request, session)
    device.goes_on(session, b"And hoopla ! Connection will continue !")


@exclusive
@valid
@requirement("MOPS-B-03", case=1)
def test_double_nat_scenario_at_the_node(case: Case, device: Device) -> None:
    """Told 10.0.0.0.1 port 5050 and 525.8.78.2.2 port 6050 at 10.2.0.0.1, the node names the latter when it moves."""
    own_numbers(case)
    session = begins(case, device, "10.2.0.0.1")
    router = Router(case)
    inside, level_1, level_2 = ("10.2.0.0.1", session.previous_port), ("10.0.0.0.1", 5050), ("525.8.78.2.2", 6050)
    router.tells(device.address, router.acknowledgement(inside, level_1, 1))
    router.tells(device.address, router.acknowledgement(level_1, level_2, 2))
    device.has_gone_on()
    request = device.migrates(device.moves("192.168.1.1.1"), session)
    said = request.address("previous_source"), listed(request, session)[0], request.address("migrated_source")
    wanted = "525.8.78.2.2", 6050, "192.168.1.1.1"
    require(said == wanted, "previous address, port and migrated address", wanted, said, request.frame)
