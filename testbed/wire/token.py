# SPDX-License-Identifier: GPL-2.0-or-later
"""The execution token: cases run in threads of one process, and one at a time works while the others wait.

It stands on the lowest floor, beside the clock, because everything that waits releases it, from a frame that was sent
to a verb of the upper tester; who starts threads, and how many at once, is decided in `testbed.run.overlap`.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class ExecutionToken:
    """Given to one thread after another in the order of asking, so that nobody starves.

    A thread holds it while it works and releases it while it waits: the interfaces' readers never compete with a crowd
    for the interpreter. `working`, `announced` and `waiting` leave it in order whatever exception passes through them.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._room = threading.Condition(self._lock)
        self._owner: int | None = None
        self._queue: deque[tuple[int, threading.Lock]] = deque()
        self._ready = 0
        self._wanted = 0
        self._stopped = False

    @contextmanager
    def working(self) -> Iterator[None]:
        """Hold the token: around the body of a thread that was announced by `expect`."""
        self._acquire()
        try:
            yield
        finally:
            self._release()

    @contextmanager
    def announced(self) -> Iterator[None]:
        """Announce this thread and hold the token: for work outside a case. Without effect inside one."""
        if self._owner == threading.get_ident():
            yield
            return
        self.expect()
        with self.working():
            yield

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Release the token: around everything that blocks. Without effect in a thread that does not hold it."""
        if self._owner != threading.get_ident():
            yield
            return
        self._release()
        try:
            yield
        finally:
            self._acquire(ready=1)

    def expect(self) -> None:
        """Count a thread that is about to start as ready, so that room is judged before it has run at all."""
        with self._lock:
            self._ready += 1

    def wait_for_room(self, crowd: int) -> None:
        """Block (without the token) until fewer than `crowd` threads work or want to, or the run is stopped."""
        with self._room:
            self._wanted = max(self._wanted, crowd)
            self._room.wait_for(lambda: self._ready < crowd or self._stopped)

    def stop(self) -> None:
        """End all waiting for room: the run is over."""
        with self._room:
            self._stopped = True
            self._room.notify_all()

    def _acquire(self, ready: int = 0) -> None:
        """Get the token; on an exception (a signal in the main thread) the place in the queue is given up.

        `ready` is 1 for a thread that is not counted as ready yet.
        """
        me = threading.get_ident()
        with self._lock:
            self._ready += ready
            if self._owner is None:
                self._owner = me
                return
            turn = threading.Lock()
            turn.acquire()
            self._queue.append((me, turn))
        try:
            turn.acquire()
        except BaseException:
            with self._lock:
                waits = (me, turn) in self._queue
                if waits:
                    self._queue.remove((me, turn))
                    self._leave()
            if not waits:
                self._release()
            raise

    def _release(self) -> None:
        with self._lock:
            self._owner = None
            if self._queue:
                self._owner, turn = self._queue.popleft()
                turn.release()
            self._leave()

    def _leave(self) -> None:
        self._ready -= 1
        if self._ready < self._wanted:
            self._room.notify_all()
