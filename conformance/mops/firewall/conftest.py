# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures of the cases for firewalls. They are called in the case's own thread (testbed.run.fixtures)."""

import pytest

from conformance.mops.dut.firewall import INSIDE, Firewall
from conformance.mops.tester.crossing import RoamingNode
from testbed.case.case import Case


@pytest.fixture
def position() -> str:
    """The side that the mobile node is on, where a case is not about both."""
    return INSIDE


@pytest.fixture
def transport() -> str:
    """The transport protocol, where a case is not about both."""
    return "tcp"


@pytest.fixture
def node(case: Case, position: str) -> RoamingNode:
    """The tester as a mobile node on one side, and as its server on the other."""
    return RoamingNode(case, position)


@pytest.fixture
def dut(case: Case) -> Firewall:
    """The device under test as a firewall."""
    return Firewall(case)
