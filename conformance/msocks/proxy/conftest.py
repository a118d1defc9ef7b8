# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures of the cases for the proxy. They are called in the case's own thread (testbed.run.fixtures)."""

import pytest

from conformance.msocks.dut.proxy import Proxy
from conformance.msocks.tester.client import Client
from conformance.msocks.tester.correspondent import Correspondent
from testbed.case.case import Case


@pytest.fixture
def client(case: Case) -> Client:
    """The tester as client of the proxy, on the inside."""
    return Client(case)


@pytest.fixture
def far(case: Case) -> Correspondent:
    """The tester as correspondent host, on the outside."""
    return Correspondent(case)


@pytest.fixture
def dut(case: Case) -> Proxy:
    """The device under test."""
    case.solicited.clear()
    return Proxy(case)
