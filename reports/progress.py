# SPDX-License-Identifier: GPL-2.0-or-later
"""How far a run is and how long it will take, on the console."""

import time

from rich.console import Console

_EVERY_S = 2.0
_WORTH_AN_ESTIMATE = 0.1


class Progress:
    """A line every two seconds: cases done of all, and about how long the rest will take.

    The estimate follows the rate at which cases came in; it is given once a tenth has come in, because cases wait side
    by side and the first ones arrive late.
    """

    def __init__(self) -> None:
        self.total = 0
        self._done = 0
        self._started = self._said = time.monotonic()
        self._console = Console(stderr=True)

    def advance(self) -> None:
        """One more case is done."""
        self._done += 1
        now = time.monotonic()
        if now - self._said < _EVERY_S or self._done >= self.total:
            return
        self._said = now
        left = ""
        if self._done >= _WORTH_AN_ESTIMATE * self.total:
            left = f", about {(now - self._started) * (self.total - self._done) / self._done:.0f} s left"
        self._console.print(f"\n{self._done} of {self.total} cases{left}", highlight=False)
