# SPDX-License-Identifier: GPL-2.0-or-later
"""Sequence numbers, and segments that came before their turn (RFC 9293, 3.4 and 3.10.7.4)."""

from collections.abc import Callable, Iterator

from testbed.peers.segment import Segment

SEQUENCE_SPACE = 1 << 32


def after(left: int, right: int) -> int:
    """How far sequence number `left` lies after `right`, negative where it lies before (modulo 2^32)."""
    return (left - right + (SEQUENCE_SPACE >> 1)) % SEQUENCE_SPACE - (SEQUENCE_SPACE >> 1)


class EarlySegments:
    """The segments of one connection that wait until what is missing in front of them has come."""

    def __init__(self) -> None:
        self._waiting: list[Segment] = []

    def copy(self) -> "EarlySegments":
        """The same segments, for another end."""
        other = EarlySegments()
        other._waiting = list(self._waiting)
        return other

    def in_turn(self, segment: Segment, is_due: Callable[[Segment], bool]) -> Iterator[Segment]:
        """The new segment if it is due, and those that become due by what is taken meanwhile; the others wait."""
        self._waiting.append(segment)
        while due := next((one for one in self._waiting if is_due(one)), None):
            self._waiting = [one for one in self._waiting if one is not due]
            yield due
