# SPDX-License-Identifier: GPL-2.0-or-later
"""Sockets as the application of the device asks for them (section 3)."""

from collections.abc import Iterator
from contextlib import contextmanager

from testbed.case.verdict import Broken, Finding
from testbed.device.upper_tester import OperationFailed


@contextmanager
def creates_socket() -> Iterator[None]:
    """The system creates the socket that the application asks for inside."""
    try:
        yield
    except OperationFailed as error:
        raise Broken(Finding(f"socket with this choice: {error.reason}", "a socket", error.reason)) from None
