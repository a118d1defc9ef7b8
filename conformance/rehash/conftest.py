# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures of the TCP Rehash cases. They are called in the case's own thread (testbed.run.fixtures)."""

import pytest

from conformance.rehash.dut.host import Host
from conformance.rehash.tester.host import Node
from testbed.case.case import Case


@pytest.fixture
def node(case: Case) -> Node:
    """The tester as a Rehash host at an address of its own."""
    return Node(case)


@pytest.fixture
def host(case: Case) -> Host:
    """The device under test as a Rehash host."""
    return Host(case)
