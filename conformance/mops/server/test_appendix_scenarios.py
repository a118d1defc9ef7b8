# SPDX-License-Identifier: GPL-2.0-or-later
"""Appendices A and B: the draft's scenarios with the draft's own addresses and ports, at a server."""

from conformance.mops.dut.server import Server
from conformance.mops.tester.mobile_node import MobileNode
from conformance.mops.tester.scenarios import own_numbers
from layers.mops import FAILED, SUCCESS
from testbed import requirement, valid
from testbed.case.case import Case


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
