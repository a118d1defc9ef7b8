# SPDX-License-Identifier: GPL-2.0-or-later
"""Appendices A and B: the draft's scenarios with the draft's own addresses and ports, at a server."""

from conformance.mops.claims import needs_addresses_of_the_draft
from conformance.mops.dut.server import Server
from conformance.mops.tester.mobile_node import MobileNode
from conformance.mops.tester.numbers import wrong_number
from layers.mops import SUCCESS
from testbed import requirement, valid
from testbed.case.case import Case


@valid
@requirement("MOPS-A-01", case=1)
def test_simple_mobile_tcp_scenario(case: Case, dut: Server) -> None:
    """525.8.78.3.9 port 1027 moves to 775.2.23.6.6 port 2098, success is replied, and the connection continues."""
    needs_addresses_of_the_draft(case)
    node = MobileNode(case, "525.8.78.3.9")
    connection = node.connect(port=1027)
    node.move("775.2.23.6.6")
    request = node.send_migrate(connection, entries=[node.entry(connection, migrated_port=2098)])
    dut.answers(request, SUCCESS)
    node.rebind(request, connection)
    dut.serves(connection, data=b"And hoopla ! Connection will continue !")


@valid
@requirement("MOPS-B-20", case=2)
def test_double_nat_scenario(case: Case, dut: Server) -> None:
    """525.8.78.2.2 port 6050 is rebound to 775.2.23.5.5 port 4128 if the number matches, and stays if not."""
    needs_addresses_of_the_draft(case)
    node = MobileNode(case, "525.8.78.2.2")
    connection, other = node.connect(port=6050), node.connect(port=6051)
    node.move("775.2.23.5.5")
    wrong = node.entry(other, migrated_port=4129, identifier=wrong_number(case, other))
    dut.refuses(node.send_migrate(other, entries=[wrong]), other)
    message = node.request(connection, entries=[node.entry(connection, migrated_port=4128)])
    dut.accepts_migrate(node, message, connection)
