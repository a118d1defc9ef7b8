# SPDX-License-Identifier: GPL-2.0-or-later
"""Ten moves of a pair of hosts that both can move."""

from collections.abc import Callable

from tests.lab import programs
from tests.lab.pair import Pair


def move(both: Pair) -> Callable[[int], None]:
    """Both ends by turns, each five times, the last time back to where it began."""

    def once(number: int) -> None:
        end = both.ends[number % 2]
        surroundings = end.address.rpartition(".")[0]
        end.move(f"{surroundings}.{1 if number >= programs.MOVES - 2 else 10 + number}")

    return once


def none_failed(both: Pair) -> None:
    """No connection was given up."""
    for end in both.ends:
        assert end.call("status")["failed"] == 0
