# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures of the TCP Migrate cases. They are called in the case's own thread (testbed.run.fixtures)."""

import pytest

from conformance.migrate.dut.mobile_node import DutNode
from conformance.migrate.tester.host import MigrateHost
from testbed.case.case import Case
from testbed.device.application import Application


@pytest.fixture
def node(case: Case) -> MigrateHost:
    """The tester as a host of TCP Migrate at an address of its own."""
    return MigrateHost(case)


@pytest.fixture
def dut(case: Case) -> DutNode:
    """The device under test."""
    return DutNode(case)


@pytest.fixture
def app(dut: DutNode) -> Application:
    """The applications of the device."""
    return dut.app
