# SPDX-License-Identifier: GPL-2.0-or-later
"""The host that the tester plays: it greets."""

import secrets
from dataclasses import dataclass

from layers.example import HELLO, Greeting

from testbed.case.case import Case
from testbed.wire.capture import Mark, Sent


@dataclass(frozen=True)
class SentGreeting:
    """A greeting that was sent; its answers come since `mark`."""

    number: int
    sent: Sent
    mark: Mark


class Greeter:
    """The tester at an address of its own."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._protocol = case.setup.profile.ixit.example.protocol
        self.station = case.station()

    def greet(self, kind: int = HELLO) -> SentGreeting:
        """Send a greeting with a Number of its own."""
        number = secrets.randbits(16)
        sent = self.station.send(self._protocol, Greeting(kind=kind, number=number))
        return SentGreeting(number, sent, self._case.trace.mark_at(sent.frame))
