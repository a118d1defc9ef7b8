# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures of the cases for servers. They are called in the case's own thread (testbed.run.fixtures)."""

import pytest

from conformance.mops.dut.server import Server
from conformance.mops.tester.mobile_node import MobileNode
from testbed.case.case import Case
from testbed.device.application import Application


@pytest.fixture
def node(case: Case) -> MobileNode:
    """The tester as a mobile node at an address of its own."""
    return MobileNode(case)


@pytest.fixture
def dut(case: Case) -> Server:
    """The device under test as a server."""
    return Server(case)


@pytest.fixture
def app(dut: Server) -> Application:
    """The applications of the device."""
    return dut.app
