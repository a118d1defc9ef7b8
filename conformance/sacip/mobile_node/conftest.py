# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures of these cases. They are called in the case's own thread (testbed.run.fixtures)."""

import pytest

from conformance.sacip.dut.mobile_node import MobileNode
from testbed.case.case import Case
from testbed.device.application import Application


@pytest.fixture
def dut(case: Case) -> MobileNode:
    """The device under test as a mobile node: the local side of a change."""
    return MobileNode(case)


@pytest.fixture
def app(dut: MobileNode) -> Application:
    """The applications of the device."""
    return dut.app
