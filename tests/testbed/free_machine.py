# SPDX-License-Identifier: GPL-2.0-or-later
"""Time as it would have passed on a machine that has nothing else to do."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_SPENT_S, _PAUSE_S = 0.01, 0.05


class Slowness:
    """How many times longer than its own processor time a process takes that is busy now and then, at least once."""

    def __init__(self) -> None:
        self._took, self._spent = 0.0, 0.0

    @property
    def factor(self) -> float:
        """So far."""
        return max(1.0, self._took / self._spent) if self._spent else 1.0

    def spend(self) -> None:
        """Be busy for a hundredth of a second of this thread's processor time."""
        began, before = time.monotonic(), time.thread_time()
        while time.thread_time() - before < _SPENT_S:
            pass
        self._took += time.monotonic() - began
        self._spent += time.thread_time() - before


@contextmanager
def measured() -> Iterator[Slowness]:
    """The slowness of the machine while the body runs."""
    slowness, over = Slowness(), threading.Event()

    def sample() -> None:
        while not over.wait(_PAUSE_S):
            slowness.spend()

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield slowness
    finally:
        over.set()
        thread.join()
