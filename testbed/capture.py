# SPDX-License-Identifier: GPL-2.0-or-later
"""What a port saw: frames with kernel stamps, kept for ever, read by position and never taken out."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from testbed.clock import Clock

if TYPE_CHECKING:
    from testbed.port import Sent

_SHORTEST_S = 0.002
_SLICE_S = 1.0


@dataclass(slots=True, eq=False)
class Frame:
    """One frame of a port's capture.

    `index` counts the port's frames in kernel order, `ns` is the kernel's stamp (wall clock, integer nanoseconds),
    `outgoing` is true for what the tester sent, `judgeable_checksum` is false where the sending kernel left checksums
    to hardware that a virtual link does not have.
    """

    index: int
    ns: int
    outgoing: bool
    data: bytes
    judgeable_checksum: bool = True
    note: str = ""
    accounted: bool = False
    deciding: bool = False

    def account(self, note: str = "") -> "Frame":
        """Mark the frame as explained; the first note stays."""
        self.accounted = True
        self.note = self.note or note
        return self


class Trace:
    """The frames of one case, in kernel order: what its stations sent and what was sent to them."""

    def __init__(self, clock: Clock) -> None:
        self.frames: list[Frame] = []
        self._clock = clock
        self._changed = threading.Condition()
        self._failure: BaseException | None = None

    def append(self, frame: Frame) -> None:
        """Add a frame and wake whoever waits for one (called by the port's reader)."""
        with self._changed:
            self.frames.append(frame)
            self._changed.notify_all()

    def fail(self, failure: BaseException) -> None:
        """Make every present and future wait raise `failure` (the first one): the DUT or the port is gone."""
        with self._changed:
            self._failure = self._failure or failure
            self._changed.notify_all()

    def position(self, sent: "Sent") -> int:
        """Where in this trace a frame that was sent stands."""
        return self.frames.index(sent.frame)

    def received(self, since: int = 0) -> Iterator[Frame]:
        """Frames from the DUT, from position `since` of this trace on."""
        return (frame for frame in self.frames[since:] if not frame.outgoing)

    def wait(
        self, find: Callable[[], Frame | None], deadline_ns: int, drained_until: Callable[[], int]
    ) -> Frame | None:
        """Call `find` whenever a frame has arrived, until it returns one or the port was read beyond `deadline_ns`.

        A tester that is late to read still finds a frame that was in time: the answer None means that the kernel had
        no such frame with a stamp up to the deadline. `find` is called with the baton held and the port's reader free.
        Raises ClockStepped if the wall clock is set meanwhile, and whatever `fail` was called with.
        """
        offset = self._clock.offset_ns()
        while True:
            # Both are read before looking: a frame that arrives in between is found by the next round.
            drained, known = drained_until(), len(self.frames)
            if self._failure:
                raise self._failure
            self._clock.check_running()
            if frame := find():
                return frame if frame.ns <= deadline_ns else None
            if drained > deadline_ns:
                return None
            self._clock.check_step(offset)
            with self._clock.waiting(), self._changed:
                while len(self.frames) == known and not self._failure:
                    left = (deadline_ns - self._clock.now_ns()) / 1e9
                    self._changed.wait(max(_SHORTEST_S, min(_SLICE_S, left)))
                    if drained_until() > deadline_ns or left > _SLICE_S:
                        break
