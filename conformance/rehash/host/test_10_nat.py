# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 10, Firewall and Network Address Translation considerations."""

from typing import Any

import pytest

from conformance.rehash.dut.host import DutHost
from conformance.rehash.tester.host import RehashHost
from testbed import invalid, requirement
from testbed.case.case import Case

INSIDE = "192.168.1.2"
INSIDE_AFTER_THE_MOVE = "192.168.1.3"


@pytest.mark.parametrize(
    "addresses",
    [
        pytest.param(
            {"old": INSIDE, "new": INSIDE_AFTER_THE_MOVE}, id="Old and New", marks=requirement("REHASH-10-01", case=1)
        ),
        pytest.param({"new": INSIDE_AFTER_THE_MOVE}, id="New", marks=requirement("REHASH-10-01", case=2)),
    ],
)
@invalid
def test_rehash_addr_translated_by_a_nat(node: RehashHost, dut: DutHost, case: Case, addresses: dict[str, Any]) -> None:
    """Reported: what a REHASH-ADDR does of whose addresses both, or the New one alone, are inside a NAT's network."""
    connection = node.connect()
    node.move()
    sent = node.send_rehash_addr(connection, **addresses)
    case.values["answer at the NAT's new address"] = dut.response_to(sent)
    case.values["connection still at the NAT's old address"] = str(dut.is_served(connection))
