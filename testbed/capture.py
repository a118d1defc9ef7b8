# SPDX-License-Identifier: GPL-2.0-or-later
"""What a port saw: frames with kernel stamps, kept for ever, read by position and never taken out."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from testbed.clock import Clock

if TYPE_CHECKING:
    from testbed.port import Sent


@dataclass(slots=True)
class Frame:
    """One frame of a port's capture.

    `index` counts the port's frames in kernel order, `ns` is the kernel's stamp (wall clock, integer nanoseconds),
    `outgoing` is true for what the tester sent, `judgeable_checksum` is false where the sending kernel left checksums to
    hardware that a virtual link does not have.
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
        """Make every present and future wait raise `failure`: the DUT or the port is gone."""
        with self._changed:
            self._failure = failure
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
        """Call `find` whenever a frame arrives, until it returns one or the port has been read beyond `deadline_ns`.

        A tester that is late to read still finds a frame that was in time: the answer None means that the kernel had
        no such frame with a stamp up to the deadline.
        """
        with self._clock.waiting(), self._changed:
            while True:
                # Read before looking: a frame that arrives in between is found by the next round.
                drained = drained_until()
                if self._failure:
                    self._raise_failure()
                if frame := find():
                    return frame if frame.ns <= deadline_ns else None
                if drained > deadline_ns:
                    return None
                self._changed.wait(max(0.002, min(1.0, (deadline_ns - self._clock.now_ns()) / 1e9)))

    def _raise_failure(self) -> NoReturn:
        assert self._failure is not None
        raise self._failure
