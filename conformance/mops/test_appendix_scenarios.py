# SPDX-License-Identifier: GPL-2.0-or-later
"""Appendices A and B: the draft's scenarios with the draft's own addresses and ports."""

from conformance.mops.dut.mobile_node import Device
from conformance.mops.dut.server import Server
from conformance.mops.tester.mobile_node import MobileNode
from conformance.mops.tester.server import Correspondent, Router
from conformance.mops.tester.sessions import Session, listed
from layers.mops import FAILED, SUCCESS
from testbed import exclusive, requirement, valid
from testbed.case.case import Case
from testbed.case.verdict import require
from testbed.interruptions import NotApplicable


def own_numbers(case: Case) -> None:
    """The scenario's addresses exist only in IPFF, and only on wires that belong to the run alone."""
    if case.network.name != "ipff":
        raise NotApplicable("the addresses of the scenario are not IPv4 addresses")
    if case.setup.profile.link.kind != "namespace":
        raise NotApplicable(f"{case.setup.profile.path}: link.kind is not namespace: only its addresses are touched")


@valid
@requirement("MOPS-A-01", case=1)
def test_simple_mobile_tcp_scenario(case: Case, server: Server) -> None:
    """525.8.78.3.9 port 1027 goes to 775.2.23.6.6 port 2098, is told success, and the connection continues."""
    own_numbers(case)
    node = MobileNode(case, "525.8.78.3.9")
    session = node.connects(port=1027)
    node.moves("775.2.23.6.6")
    request = node.sends(node.migrate(session, entries=[node.entry(session, migrated_port=2098)]))
    server.answers(request, SUCCESS)
    node.follows(request, session)
    server.serves(session, b"And hoopla ! Connection will continue !")


@valid
@requirement("MOPS-B-20", case=1)
def test_double_nat_scenario_at_the_server(case: Case, server: Server) -> None:
    """525.8.78.2.2 port 6050 is rebound to 775.2.23.5.5 port 4128 if the number matches, and stays if not."""
    own_numbers(case)
    node = MobileNode(case, "525.8.78.2.2")
    session, other = node.connects(port=6050), node.connects(port=6051)
    node.moves("775.2.23.5.5")
    wrong = node.entry(other, migrated_port=4129, identifier=other.peer.snd_nxt + 2**31)
    server.answers(node.sends(node.migrate(other, entries=[wrong])), FAILED)
    server.serves(other)
    server.goes_along(node, node.migrate(session, entries=[node.entry(session, migrated_port=4128)]), session)


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
