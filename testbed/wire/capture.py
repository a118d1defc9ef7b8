# SPDX-License-Identifier: GPL-2.0-or-later
"""What the interfaces saw: frames with kernel stamps, kept for ever, read from a mark on and never taken out."""

import heapq
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from testbed.interruptions import Inconclusive
from testbed.wire.clock import Clock

MOST_FRAMES = 20_000
"""Frames of the device in one case: more than any case has use for, and no more than the tester has room for."""

MOST_BYTES = 8 << 20
"""Bytes of them."""

_SHORTEST_S = 0.004
_SLICE_S = 1.0
_SEEN_WITHIN_S = 5


@dataclass(slots=True, eq=False)
class Frame:
    """One frame of an interface's capture.

    `index` counts the frames of all interfaces of a device, those of one interface in kernel order. `ns` is the
    kernel's stamp (wall clock, integer nanoseconds), `outgoing` is true for what the tester sent, `judgeable_checksum`
    is false where the sending kernel left checksums to hardware that a virtual link does not have. `interface` is the
    name of the link that it was seen on. What is `dropped` is evidence alone: no receiver would have taken it.
    `reading` is what whoever looked last has read in it, for whoever looks next.
    """

    index: int
    ns: int
    outgoing: bool
    data: bytes
    judgeable_checksum: bool = True
    interface: str = "link"
    dropped: bool = False
    note: str = ""
    accounted: bool = False
    deciding: bool = False
    reading: Any = None

    def account(self, note: str = "") -> "Frame":
        """Mark the frame as explained; the first note stays."""
        self.accounted = True
        self.note = self.note or note
        return self


@dataclass(frozen=True)
class Mark:
    """A moment of a trace.

    What came since are, of every interface's capture, the frames from a place on whose stamps are not older than `ns`.
    Where the moment is that of a frame, the capture that it is in (`exact`) is in order, whatever the stamps say.
    """

    places: Mapping[str, int] = field(default_factory=dict)
    ns: int = 0
    exact: str = ""


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
    """The frames of one case, in kernel order: what its stations sent and what was sent to them.

    Several interfaces write to it. Each keeps the order of its capture, their captures are merged by stamp.
    """

    def __init__(self, clock: Clock) -> None:
        self._captures: dict[str, list[Frame]] = {}
        self._arrivals, self._size = 0, 0
        self._clock = clock
        self._changed = threading.Condition()
        self._failure: BaseException | None = None

    @property
    def frames(self) -> list[Frame]:
        """All frames so far, those that were dropped among them."""
        with self._changed:
            return _in_kernel_order([list(capture) for capture in self._captures.values()])

    def append(self, frame: Frame) -> None:
        """Add a frame and wake whoever waits for one of the device (called by the interface's reader)."""
        with self._changed:
            if self._arrivals >= MOST_FRAMES or self._size >= MOST_BYTES:
                most = f"{MOST_FRAMES} frames" if self._arrivals >= MOST_FRAMES else f"{MOST_BYTES} bytes"
                what = f"the device has sent more than {most} in this case, what followed is not kept"
                self._failure = self._failure or Inconclusive(what, repeat=False)
                self._changed.notify_all()
                return
            self._captures.setdefault(frame.interface, []).append(frame)
            if not frame.outgoing:
                self._arrivals += 1
                self._size += len(frame.data)
                self._changed.notify_all()

    def fail(self, failure: BaseException) -> None:
        """Make every present and future wait raise `failure` (the first one): the DUT or the interface is gone."""
        with self._changed:
            self._failure = self._failure or failure
            self._changed.notify_all()

    def mark(self) -> Mark:
        """Now: what has been read so far stands before it."""
        with self._changed:
            return Mark({name: len(capture) for name, capture in self._captures.items()})

    def mark_at(self, frame: Frame) -> Mark:
        """The moment of a frame of this trace: what bears its stamp or a later one came since."""
        return Mark(self._places_at(frame.ns), frame.ns)

    def mark_after(self, frame: Frame) -> Mark:
        """The moment just after a frame of this trace."""
        places = self._places_at(frame.ns)
        with self._changed:
            places[frame.interface] = self._captures[frame.interface].index(frame) + 1
        return Mark(places, frame.ns, frame.interface)

    def since(self, mark: Mark) -> tuple[list[Frame], Mark]:
        """All frames since a mark that were not dropped, and the mark after the last of them."""
        with self._changed:
            captures = {
                name: [frame for frame in capture[mark.places.get(name, 0) :] if not frame.dropped]
                for name, capture in self._captures.items()
            }
            now = self.mark()
        if mark.ns:
            for name in captures.keys() - {mark.exact}:
                captures[name] = [frame for frame in captures[name] if frame.ns >= mark.ns]
        return _in_kernel_order(list(captures.values())), now

    def received(self, since: Mark = BEGINNING) -> Iterator[Frame]:
        """Frames from the DUT since a mark."""
        return (frame for frame in self.since(since)[0] if not frame.outgoing)

    def wait(
        self, find: Callable[[], Frame | None], deadline_ns: int, drained_until: Callable[[], int]
    ) -> Frame | None:
        """Call `find` whenever the device has sent a frame, until it returns one or all was read beyond `deadline_ns`.

        A tester that is late to read still finds a frame that was in time: the answer None means that the kernel had
        no such frame with a stamp up to the deadline. `drained_until` tells the stamp up to which every interface has
        been read. `find` is called with the execution token held and the readers free. Raises ClockStepped if the wall
        clock is set meanwhile, and whatever `fail` was called with.
        """
        offset = self._clock.offset_ns()
        while True:
            # Both are read before looking: a frame that arrives in between is found by the next round.
            drained, known = drained_until(), self._arrivals
            if self._failure:
                raise self._failure
            self._clock.check_running()
            if frame := find():
                return frame if frame.ns <= deadline_ns else None
            if drained > deadline_ns:
                return None
            self._clock.check_step(offset)
            with self._clock.waiting(), self._changed:
                while self._arrivals == known and not self._failure:
                    left = (deadline_ns - self._clock.now_ns()) / 1e9
                    self._changed.wait(max(_SHORTEST_S, min(_SLICE_S, left)))
                    if drained_until() > deadline_ns or left > _SLICE_S:
                        break

    def _places_at(self, ns: int) -> dict[str, int]:
        """Of each capture the place of the first frame whose stamp is not older than `ns`."""
        with self._changed:
            return {
                name: next((place for place, one in enumerate(capture) if one.ns >= ns), len(capture))
                for name, capture in self._captures.items()
            }


def _in_kernel_order(captures: list[list[Frame]]) -> list[Frame]:
    if len(captures) == 1:
        return captures[0]
    return list(heapq.merge(*captures, key=lambda frame: frame.ns))
