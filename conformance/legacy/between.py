# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures of the cases for boxes between two links, called in the case's own thread (testbed.run.fixtures)."""

import pytest

from conformance.legacy.dut.nat_tcp import TcpNat
from conformance.legacy.tester.hosts import Hosts
from testbed.case.case import Case


@pytest.fixture
def hosts(case: Case) -> Hosts:
    """Hosts on both sides."""
    return Hosts(case)


@pytest.fixture
def dut(case: Case) -> TcpNat:
    """The device under test; its messages are judged by cases of their own."""
    case.solicited.clear()
    return TcpNat(case)
