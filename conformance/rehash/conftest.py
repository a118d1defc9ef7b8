# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures of the TCP Rehash cases. They are called in the case's own thread (testbed.run.fixtures)."""

import pytest

from conformance.rehash.dut.host import DutHost
from conformance.rehash.tester.host import RehashHost
from testbed.case.case import Case
from testbed.device.application import Application


@pytest.fixture
def node(case: Case) -> RehashHost:
    """The tester as a Rehash host at an address of its own."""
    return RehashHost(case)


@pytest.fixture
def dut(case: Case) -> DutHost:
    """The device under test as a Rehash host."""
    return DutHost(case)


@pytest.fixture
def app(dut: DutHost) -> Application:
    """The applications of the device."""
    return dut.app
