# SPDX-License-Identifier: GPL-2.0-or-later
"""What an interface saw: frames with kernel stamps, kept for ever, read from a mark on and never taken out."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from testbed.interruptions import Inconclusive
from testbed.wire.clock import Clock

_SHORTEST_S = 0.002
_SLICE_S = 1.0
_SEEN_WITHIN_S = 5


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


@dataclass(frozen=True)
class Mark:
    """A moment of a trace: frames that arrived from it on, and whose stamps are not older, are what came since."""

    arrivals: int = 0
    ns: int = 0


BEGINNING = Mark()


class Sent:
    """A frame that was handed to the kernel; `frame` is its entry in the capture, stamp included."""

    def __init__(self, data: bytes, trace: "Trace | None", clock: Clock) -> None:
        self.data = data
        self.trace = trace
        self._clock = clock
        self._seen = threading.Event()
        self._frame: Frame | None = None

    def seen(self, frame: Frame) -> None:
        """Called by the reader when the frame has passed in the capture."""
        self._frame = frame
        self._seen.set()

    @property
    def frame(self) -> Frame:
        """The capture's entry; Inconclusive if the kernel never showed the frame leaving."""
        if not self._seen.is_set():
            with self._clock.waiting():
                self._seen.wait(_SEEN_WITHIN_S)
        if self._frame is None:
            raise Inconclusive("a frame that the tester sent does not appear in its own capture")
        return self._frame

    @property
    def ns(self) -> int:
        """The kernel's stamp of the moment of sending."""
        return self.frame.ns


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

    def mark(self) -> Mark:
        """Now: what has been read so far stands before it."""
        return Mark(len(self.frames))

    def mark_at(self, frame: Frame) -> Mark:
        """The moment of a frame of this trace: what bears its stamp or a later one came since."""
        return Mark(next(place for place, one in enumerate(self.frames) if one.ns >= frame.ns), frame.ns)

    def mark_after(self, frame: Frame) -> Mark:
        """The moment just after a frame of this trace."""
        return Mark(self.frames.index(frame) + 1)

    def since(self, mark: Mark) -> tuple[list[Frame], Mark]:
        """All frames since a mark, and the mark after the last of them."""
        known = len(self.frames)
        return [frame for frame in self.frames[mark.arrivals : known] if frame.ns >= mark.ns], Mark(known)

    def received(self, since: Mark = BEGINNING) -> Iterator[Frame]:
        """Frames from the DUT since a mark."""
        return (frame for frame in self.since(since)[0] if not frame.outgoing)

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
