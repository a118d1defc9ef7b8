# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 6: what passes after a Migrate and its success."""

import pytest

from conformance.mops.dut.firewall import Firewall
from conformance.mops.tester.crossing import RoamingNode
from testbed import requirement, valid

POSITIONS = [
    pytest.param("inside", id="node inside", marks=requirement("MOPS-6-06")),
    pytest.param("outside", id="node outside", marks=requirement("MOPS-6-40")),
]


@pytest.mark.parametrize("first", ["server", "node"])
@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize("position", POSITIONS)
@valid
@requirement(case=1)
def test_session_passes_at_the_migrated_tuple(node: RoamingNode, dut: Firewall, transport: str, first: str) -> None:
    """After the success the session's packets pass at the migrated tuple both ways, whoever speaks first."""
    session = dut.connect(node, transport)
    dut.lets_migrate(node, node.move(session))
    dut.carries(session, first=first)
