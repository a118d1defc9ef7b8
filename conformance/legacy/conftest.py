# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures of the legacy cases. They are called in the case's own thread (testbed.run.fixtures)."""

import pytest

from conformance.legacy.dut.host import LegacyHost
from conformance.legacy.tester.node import Node
from testbed.case.case import Case
from testbed.device.application import Application


@pytest.fixture
def node(case: Case) -> Node:
    """The tester as a host that speaks all of the protocols."""
    return Node(case)


@pytest.fixture
def dut(case: Case) -> LegacyHost:
    """The device under test, which speaks none of them. Cases of their own judge whether it sends messages."""
    case.solicited.clear()
    return LegacyHost(case)


@pytest.fixture
def app(dut: LegacyHost) -> Application:
    """The device's applications."""
    return dut.app
