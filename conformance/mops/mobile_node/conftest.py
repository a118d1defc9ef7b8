# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures of the cases for mobile nodes. They are called in the case's own thread (testbed.run.fixtures)."""

import pytest

from conformance.mops.dut.mobile_node import Applications, MobileNode
from conformance.mops.tester.nat_router import NatRouter
from conformance.mops.tester.server import Correspondent
from testbed.case.case import Case


@pytest.fixture
def dut(case: Case) -> MobileNode:
    """The device under test as a mobile node, which sends messages by itself."""
    case.solicited.clear()
    return MobileNode(case)


@pytest.fixture
def app(case: Case, dut: MobileNode) -> Applications:
    """The applications of the device."""
    return Applications(case, dut)


@pytest.fixture
def correspondent(case: Case) -> Correspondent:
    """The tester as the server that the device is connected to."""
    return Correspondent(case)


@pytest.fixture
def router(case: Case) -> NatRouter:
    """The tester as a NAT router between the device and its server."""
    return NatRouter.gateway(case)
