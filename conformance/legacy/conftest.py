# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures of the legacy cases. They are called in the case's own thread (testbed.run.fixtures)."""

import pytest

from conformance.legacy.dut.host import Host
from conformance.legacy.tester.lower_tester import LowerTester
from testbed.case.case import Case


@pytest.fixture
def tester(case: Case) -> LowerTester:
    """The tester as a host that speaks all of the protocols."""
    return LowerTester(case)


@pytest.fixture
def host(case: Case) -> Host:
    """The device under test, which speaks none of them. Cases of their own judge whether it sends messages."""
    case.solicited.clear()
    return Host(case)
