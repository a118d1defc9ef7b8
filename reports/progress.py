# SPDX-License-Identifier: GPL-2.0-or-later
"""How far a run is and how long it will take, on the console."""

import time

from rich.console import Console

_EVERY_S, _BRIEFLY_EVERY_S, _LIVE_EVERY_S = 2.0, 10.0, 0.2
_WORTH_AN_ESTIMATE = 0.1


class Progress:
    """A line every two seconds: cases done of all, and about how long the rest will take.

    `brief`: one line that changes on a terminal, a line every ten seconds elsewhere. The estimate follows the rate at
    which cases came in; it is given once a tenth has come in, because cases wait side by side and the first ones arrive
    late.
    """

    def __init__(self, *, brief: bool = False) -> None:
        self.total = 0
        self._brief = brief
        self._done = 0
        self._started = self._said = time.monotonic()
        self._console = Console(stderr=True)

    def advance(self) -> None:
        """One more case is done."""
        self._done += 1
        now = time.monotonic()
        live = self._brief and self._console.is_terminal
        every_s = _LIVE_EVERY_S if live else _BRIEFLY_EVERY_S if self._brief else _EVERY_S
        is_last = self._done >= self.total
        if (now - self._said < every_s and not (live and is_last)) or (is_last and not live):
            return
        self._said = now
        left = ""
        if self._done >= _WORTH_AN_ESTIMATE * self.total:
            left = f", about {(now - self._started) * (self.total - self._done) / self._done:.0f} s left"
        line = "" if is_last else f"{self._done} of {self.total} cases{left}"
        if live:
            self._console.file.write(f"\r\x1b[K{line}")
            self._console.file.flush()
        else:
            self._console.print(line if self._brief else f"\n{line}", highlight=False)
