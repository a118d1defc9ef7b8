# SPDX-License-Identifier: GPL-2.0-or-later
"""How far a run is and how long it will take, on the console."""

import time

from rich.console import Console

_EVERY_S = 2.0


class Progress:
    """A line every two seconds: cases done, verdict-free, and the time that is left.

    Cases wait side by side, so what is left is not proportional to what was done: the estimate is the longer of the
    rate so far and the longest case seen.
    """

    def __init__(self) -> None:
        self.total = 0
        self._done = 0
        self._started = time.monotonic()
        self._said = self._started
        self._longest = 0.0
        self._console = Console(stderr=True)

    def advance(self, duration_s: float) -> None:
        """One more case is done; it took `duration_s` seconds."""
        self._done += 1
        self._longest = max(self._longest, duration_s)
        now = time.monotonic()
        if now - self._said >= _EVERY_S and self._done < self.total:
            self._said = now
            elapsed = now - self._started
            left = max(elapsed * (self.total - self._done) / self._done, 0)
            self._console.print(f" [{self._done}/{self.total} cases, about {left:.0f} s left]", highlight=False)
