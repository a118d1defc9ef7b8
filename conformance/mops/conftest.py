# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures of the MOPS cases. They are called in the case's own thread (testbed.fixtures)."""

import pytest

from conformance.mops.application import Application
from conformance.mops.correspondent import Correspondent, Router
from conformance.mops.device import Device
from conformance.mops.node import MobileNode
from conformance.mops.server import Server
from testbed.case import Case


@pytest.fixture
def case(carriage: str) -> Case:
    """The running attempt; the testbed provides it."""
    raise NotImplementedError(f"cases over {carriage} are run by the testbed")


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


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every case runs over both carriages."""
    if "carriage" in metafunc.fixturenames:
        metafunc.parametrize("carriage", ["ipff", "ipv4"])
