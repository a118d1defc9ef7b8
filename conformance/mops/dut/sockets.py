# SPDX-License-Identifier: GPL-2.0-or-later
"""Sockets as the application of the device asks for them (section 3)."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from testbed.case.case import Case
from testbed.case.verdict import Broken, Finding, Witness
from testbed.device.application import Application, Listener
from testbed.device.upper_tester import OperationFailed
from testbed.interruptions import NotApplicable

_LISTENER = "port of an echo service with MOBILE_ALLOWED"


def mobile_echo(case: Case) -> int:
    """The port of an echo service whose sockets are mobile, one for each device.

    Where applications can choose, this one has asked for MOBILE_ALLOWED: one requirement judges what holds by default.
    """
    profile, known = case.setup.profile, case.setup.known
    if not profile.ics.mops.mobile_allowed:
        return profile.ixit.services.echo
    if _LISTENER not in known:
        with suppress(NotApplicable):
            application = Application(case.setup.dut.upper_tester(), case.clock)
            port = application.listen(service="echo", mobile_allowed=True).port
            known.setdefault(_LISTENER, port)  # another case may have been faster
    return known.get(_LISTENER, profile.ixit.services.echo)


def listen_mobile(case: Case, app: Application, **choices: Any) -> Listener:
    """A listening socket with these choices that is mobile; MOBILE_ALLOWED is asked for where that can be chosen."""
    if case.setup.profile.ics.mops.mobile_allowed:
        choices["mobile_allowed"] = True
    return app.listen(**choices)


@contextmanager
def creates_socket() -> Iterator[None]:
    """The system creates the socket that the application asks for inside."""
    try:
        yield
    except OperationFailed as error:
        finding = Finding(f"socket with this choice: {error.reason}", "a socket", error.reason)
        raise Broken(finding, Witness.APPLICATION) from None
