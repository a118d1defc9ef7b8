# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures of the router's cases. They are called in the case's own thread (testbed.run.fixtures)."""

import pytest
from conformance.router.dut.router import Router
from conformance.router.tester.path import Path

from testbed.case.case import Case


@pytest.fixture
def path(case: Case, towards: str) -> Path:
    """The way of the packets: from a host on one side to a host on the other."""
    return Path(case, towards)


@pytest.fixture
def dut(case: Case) -> Router:
    """The device under test."""
    return Router(case)
