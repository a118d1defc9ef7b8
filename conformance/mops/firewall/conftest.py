# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures of the cases for firewalls. They are called in the case's own thread (testbed.run.fixtures)."""

import pytest

from conformance.mops.dut.firewall import INSIDE, OUTSIDE, Firewall
from conformance.mops.tester.crossing import RoamingNode
from testbed.case.case import Case


@pytest.fixture
def position() -> str:
    """The side that the mobile node is on, where a case is not about both."""
    return INSIDE


CROSSED = {"ipff": INSIDE, "ipv4": OUTSIDE}
"""Where it is in cases whose parameter says "crossed": each network has one of the sides."""


@pytest.fixture
def transport() -> str:
    """The transport protocol, where a case is not about both."""
    return "tcp"


@pytest.fixture
def node(case: Case, position: str) -> RoamingNode:
    """The tester as a mobile node on one side, and as its server on the other."""
    side = CROSSED[case.inside.network.name] if position == "crossed" else position
    case.values["mobile node"] = side
    return RoamingNode(case, side)


@pytest.fixture
def dut(case: Case) -> Firewall:
    """The device under test as a firewall."""
    return Firewall(case)
