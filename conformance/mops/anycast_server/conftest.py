# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures of the cases for anycast servers. They are called in the case's own thread (testbed.run.fixtures)."""

import pytest

from conformance.mops.dut.anycast_server import AnycastServer
from conformance.mops.tester.anycast_node import AnycastNode
from testbed.case.case import Case
from testbed.device.application import Application


@pytest.fixture
def node(case: Case) -> AnycastNode:
    """The tester as a mobile node that knows the device by its anycast address."""
    return AnycastNode(case)


@pytest.fixture
def dut(case: Case) -> AnycastServer:
    """The device under test as an anycast server."""
    return AnycastServer(case)


@pytest.fixture
def app(dut: AnycastServer) -> Application:
    """The applications of the device."""
    return dut.app
