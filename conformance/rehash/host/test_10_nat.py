# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 10, Firewall and Network Address Translation considerations."""

from conformance.rehash.dut.host import Host
from conformance.rehash.tester.host import Node
from testbed import invalid, requirement
from testbed.case.case import Case

INSIDE = "192.168.1.2"
INSIDE_LATER = "192.168.1.3"


@invalid
@requirement("REHASH-10-01", case=1)
def test_order_translated_by_a_nat(node: Node, host: Host, case: Case) -> None:
    """Reported: what a REHASH-ADDR does whose addresses are those of a network behind a NAT."""
    session = node.connects()
    node.moves()
    order = node.orders(session, old=INSIDE, new=INSIDE_LATER)
    case.values["answer at the NAT's new address"] = host.answers(order)
    case.values["connection still at the NAT's old address"] = str(host.is_served(session))


@invalid
@requirement("REHASH-10-01", case=2)
def test_new_address_translated_by_a_nat(node: Node, host: Host, case: Case) -> None:
    """Reported: what a REHASH-ADDR does of whose addresses only the New one is behind a NAT."""
    session = node.connects()
    node.moves()
    order = node.orders(session, new=INSIDE_LATER)
    case.values["answer at the NAT's new address"] = host.answers(order)
    case.values["connection still at the old address"] = str(host.is_served(session))
