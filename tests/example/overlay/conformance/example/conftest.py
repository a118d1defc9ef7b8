# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures of the Example cases. They are called in the case's own thread (testbed.run.fixtures)."""

import pytest
from conformance.example.dut.host import ExampleHost
from conformance.example.tester.greeter import Greeter

from testbed.case.case import Case


@pytest.fixture
def greeter(case: Case) -> Greeter:
    """The tester as a host that greets."""
    return Greeter(case)


@pytest.fixture
def dut(case: Case) -> ExampleHost:
    """The device under test."""
    return ExampleHost(case)
