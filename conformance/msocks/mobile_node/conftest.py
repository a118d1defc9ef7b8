# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures of the cases for the mobile node. They are called in the case's own thread (testbed.run.fixtures)."""

import pytest

from conformance.msocks.dut.mobile_node import MobileNode
from conformance.msocks.tester.mobility_proxy import MobilityProxy
from testbed.case.case import Case


@pytest.fixture
def proxy(case: Case) -> MobilityProxy:
    """The tester as the proxy."""
    return MobilityProxy(case)


@pytest.fixture
def dut(case: Case) -> MobileNode:
    """The device under test."""
    case.solicited.clear()
    return MobileNode(case)
