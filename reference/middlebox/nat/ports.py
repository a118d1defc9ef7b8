# SPDX-License-Identifier: GPL-2.0-or-later
"""Which outside port an inside endpoint gets."""

import random
from collections.abc import Callable, Iterator

from reference.middlebox.nat.settings import NatSettings

_FIRST_UNRESERVED = 1024
_PARITY = 2
_PROBES, _STEPS = 64, 256


class Ports:
    """The inside endpoint's own port where it is free; otherwise one of its range and parity (RFC 4787, REQ-3, REQ-4).

    The ranges are 1 to 1023 and 1024 to 65535. Which one is left to chance; where chance finds none, some are tried in
    turn, then the other parity, and in the end every port of the range. No port has two inside endpoints (REQ-3).
    """

    role = "NAT"

    def __init__(self, settings: NatSettings) -> None:
        self._in_sequence = settings.assignment == "sequential"
        self._next = settings.first_port
        self._turns: dict[tuple[int, int], int] = {}

    def choose(self, port: int, highest: int, is_free: Callable[[int], bool]) -> int | None:
        """A free port of 0 to `highest` for an endpoint with this one; None where there is none."""
        candidates = self.sequence(highest) if self._in_sequence else self.candidates(port, highest)
        return next((one for one in candidates if is_free(one)), None)

    def candidates(self, port: int, highest: int) -> Iterator[int]:
        """Ports in the order in which they are tried."""
        yield port
        low, high = self.range_of(port, highest)
        for parity in (port, port + 1):
            first = low + (parity - low) % _PARITY
            count = (high - first) // _PARITY + 1
            for _ in range(_PROBES):
                yield first + random.randrange(count) * _PARITY
            for _ in range(_STEPS):
                turn = self._turns[first, high] = (self._turns.get((first, high), 0) + 1) % count
                yield first + turn * _PARITY
        yield from range(low, high + 1)

    def range_of(self, port: int, highest: int) -> tuple[int, int]:
        """The first and the last port of the range that a port is in."""
        return (1, _FIRST_UNRESERVED - 1) if port < _FIRST_UNRESERVED else (_FIRST_UNRESERVED, highest)

    def sequence(self, highest: int) -> Iterator[int]:
        """Ports one after the other, from where it was left."""
        for _ in range(highest):
            port, self._next = self._next, self._next + 1
            if self._next > highest:
                self._next = _FIRST_UNRESERVED
            yield port
