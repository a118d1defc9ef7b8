# SPDX-License-Identifier: GPL-2.0-or-later
"""How slow a device answers: what silence has to outlast before it is believed."""

from collections.abc import Callable

SLOWER = 3
"""How many times the slowest answer of its kind silence has to last."""


class AnswerTimes:
    """The slowest answer of each kind that the devices of one process have given, in seconds."""

    def __init__(self) -> None:
        self._slowest: dict[str, float] = {}

    def note(self, kind: str, seconds: float, withheld_s: Callable[[], float]) -> None:
        """An answer of this kind took so long; what the machine withheld of it is asked where that matters."""
        slowest = self._slowest.get(kind, 0.0)
        if seconds > slowest:
            self._slowest[kind] = max(seconds - withheld_s(), slowest)

    def slowest_s(self, kind: str) -> float:
        """The slowest answer of this kind so far, in seconds."""
        return self._slowest.get(kind, 0.0)

    def window(self, kind: str, at_least: float, at_most: float) -> float:
        """How long an answer of this kind is waited for before there is none."""
        return min(max(at_least, SLOWER * self.slowest_s(kind)), at_most)
