# SPDX-License-Identifier: GPL-2.0-or-later
"""Whose turn it is at a device that all cases share."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from testbed.wire.clock import Clock

_LOOK_AGAIN_S = 0.5


class Turns:
    """Cases are at the device side by side, or one of them alone; RunOver where the run is stopped meanwhile."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._beside = 0
        self._alone = False
        self._queue: list[threading.Thread] = []

    @contextmanager
    def side_by_side(self) -> Iterator[None]:
        """With others that do the same."""
        with self._when(lambda: not self._alone):
            self._beside += 1
        try:
            yield
        finally:
            with self._told():
                self._beside -= 1

    @contextmanager
    def alone(self) -> Iterator[None]:
        """With nobody else, in the order in which they ask; who is there goes first."""
        me = threading.current_thread()
        self._queue.append(me)
        try:
            with self._when(lambda: not self._alone and not self._beside and self._queue[0] is me):
                self._alone = True
        finally:
            self._queue.remove(me)
        try:
            yield
        finally:
            with self._told():
                self._alone = False

    @contextmanager
    def _when(self, free: Callable[[], bool]) -> Iterator[None]:
        with self._clock.waiting(), self._changed:
            while not self._changed.wait_for(free, _LOOK_AGAIN_S):
                self._clock.check_running()
            yield

    @contextmanager
    def _told(self) -> Iterator[None]:
        with self._changed:
            yield
            self._changed.notify_all()
