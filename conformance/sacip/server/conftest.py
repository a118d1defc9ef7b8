# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures of these cases. They are called in the case's own thread (testbed.run.fixtures)."""

import pytest

from conformance.sacip.dut.server import Server
from testbed.case.case import Case
from testbed.device.application import Application


@pytest.fixture
def dut(case: Case) -> Server:
    """The device under test as a server: the remote side of a change."""
    return Server(case)


@pytest.fixture
def app(dut: Server) -> Application:
    """The applications of the device."""
    return dut.app
