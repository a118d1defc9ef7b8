# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures of the MOPS cases. They are called in the case's own thread (testbed.run.fixtures)."""

import pytest

from conformance.mops.dut.application import Application
from conformance.mops.dut.mobile_node import Device
from conformance.mops.dut.server import Server
from conformance.mops.tester.mobile_node import MobileNode
from conformance.mops.tester.server import Correspondent, Router
from testbed.case.case import Case


@pytest.fixture
def node(case: Case) -> MobileNode:
    """The tester as a mobile node at an address of its own."""
    return MobileNode(case)


@pytest.fixture
def server(case: Case) -> Server:
    """The device under test as a server."""
    return Server(case)


@pytest.fixture
def application(case: Case) -> Application:
    """An application of the device under test that chooses how its sockets are."""
    return Application(case)


@pytest.fixture
def device(case: Case) -> Device:
    """The device under test as a mobile node."""
    case.explains_messages = False
    return Device(case)


@pytest.fixture
def correspondent(case: Case) -> Correspondent:
    """The tester as the server that a mobile node is connected to."""
    return Correspondent(case)


@pytest.fixture
def router(case: Case) -> Router:
    """The tester as a NAT router between the device and its server."""
    return Router(case)
