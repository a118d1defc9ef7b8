# SPDX-License-Identifier: GPL-2.0-or-later
"""A datapath whose frames can be held, changed and dropped on their way: for alterations of what hosts do on a wire."""

import heapq
import itertools
from collections.abc import Callable

from reference.bump.datapath import Datapath
from reference.bump.ends import Ends, Frame
from reference.bump.network import ETHERNET
from reference.bump.segment import Segment, read


class Shaped(Datapath):
    """Stands before a role's datapath among the bases of an alteration. As it is it changes nothing."""

    def attach(self, ends: Ends) -> None:
        super().attach(ends)
        self._later: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._wire_end = self._to_wire
        self._to_wire = self.leaves

    def leaves(self, frame: Frame) -> None:
        """A frame for the wire."""
        self._wire_end(frame)

    def arrives(self, frame: bytes) -> None:
        """A frame from the wire."""
        self.wire_room[: len(frame)] = frame
        super().take_from_wire(len(frame))

    def departs(self, frame: bytes) -> None:
        """A frame of the kernel."""
        self.kernel_room[: len(frame)] = frame
        super().take_from_kernel(len(frame))

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        """Do something after so many seconds."""
        heapq.heappush(self._later, (self.now + seconds, next(self._order), action))

    def take_from_wire(self, length: int) -> None:
        self.arrives(bytes(self.wire_room[:length]))

    def take_from_kernel(self, length: int) -> None:
        self.departs(bytes(self.kernel_room[:length]))

    def deadline(self) -> float:
        return min(self._later[0][0], super().deadline()) if self._later else super().deadline()

    def tick(self, now: float) -> None:
        super().tick(now)
        while self._later and self._later[0][0] <= now:
            heapq.heappop(self._later)[2]()


def segment_in(frame: Frame) -> Segment | None:
    """The TCP segment in an Ethernet frame of IPv4; None if it is something else."""
    content = bytes(frame)
    return read(content[ETHERNET:]) if content[12:14] == b"\x08\x00" and len(content) >= ETHERNET + 20 else None


def with_segment(frame: Frame, segment: Segment) -> bytes:
    """The frame with another segment in it."""
    return bytes(frame[:ETHERNET]) + segment.packet()
