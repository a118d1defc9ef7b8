# SPDX-License-Identifier: GPL-2.0-or-later
"""What ends a case before it has judged: disturbed, not applicable, or the device is gone."""


class Inconclusive(Exception):
    """Tester, path or preamble disturbed the case; `repeat` tells whether another try may do better."""

    def __init__(self, reason: str, *, repeat: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.repeat = repeat


class NotApplicable(Exception):
    """The device does not claim what the case is about; the reason names the line of the profile."""


class DeviceLost(Exception):
    """The DUT died or stopped answering; the run stops and names this as the cause."""
