# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures of these cases. They are called in the case's own thread (testbed.run.fixtures)."""

from collections.abc import Iterator

import pytest

from conformance.sacip.dut.server import Server
from testbed.case.case import Case
from testbed.device.application import Application


@pytest.fixture
def dut(case: Case) -> Iterator[Server]:
    """The device under test as a server: the remote side of a change; it has its first address again afterwards."""
    device = Server(case)
    yield device
    device.restore()


@pytest.fixture
def app(dut: Server) -> Application:
    """The applications of the device."""
    return dut.app
