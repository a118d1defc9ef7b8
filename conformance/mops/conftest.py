# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures of the MOPS cases. They are called in the case's own thread (testbed.fixtures)."""

import pytest

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


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every case runs over both carriages."""
    if "carriage" in metafunc.fixturenames:
        metafunc.parametrize("carriage", ["ipff", "ipv4"])
