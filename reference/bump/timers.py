# SPDX-License-Identifier: GPL-2.0-or-later
"""What is to be done later."""

import heapq
import itertools
import math
from collections.abc import Callable


class Timers:
    """Actions with the moment that they are due, in seconds; what was set first goes first."""

    def __init__(self) -> None:
        self._numbers = itertools.count()
        self._pending: list[tuple[float, int, Callable[[], None]]] = []

    def set(self, due: float, action: Callable[[], None]) -> None:
        """Do something at a moment."""
        heapq.heappush(self._pending, (due, next(self._numbers), action))

    @property
    def due(self) -> float:
        """The next moment, infinite where there is none."""
        return self._pending[0][0] if self._pending else math.inf

    def run(self, now: float) -> None:
        """Do what is due."""
        while self.due <= now:
            heapq.heappop(self._pending)[2]()
