# SPDX-License-Identifier: GPL-2.0-or-later
"""An end for every attempt at a case: one that computes or goes on without end is ended."""

import ctypes
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

PROCESSOR_S = 60.0
"""Seconds of the processor for one attempt; an ordinary one takes a few hundredths."""

WALL_S = 500_000.0
"""Seconds from beginning to end of one attempt: more than the longest timers of a profile take together."""

_LOOK_AGAIN_S = 0.5


class OverBudget(Exception):
    """An attempt has had more time than any case needs: a fault of the suite, whose waits for a device all end."""

    def __str__(self) -> str:
        return f"the case took more than {PROCESSOR_S:g} s of the processor, or {WALL_S:g} s in all, and was ended"


@dataclass(frozen=True)
class _Attempt:
    began_s: float
    processor: int
    processor_s: float

    def is_over(self) -> bool:
        used_s = time.clock_gettime(self.processor) - self.processor_s
        return used_s > PROCESSOR_S or time.monotonic() - self.began_s > WALL_S


class Budget:
    """Watches the attempts of a process, from a thread of its own."""

    def __init__(self) -> None:
        self._attempts: dict[int, _Attempt] = {}
        self._lock = threading.Lock()
        self._watching = False

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Raise OverBudget in this thread when what it does here has had its time."""
        thread = threading.get_ident()
        processor = time.pthread_getcpuclockid(thread)
        with self._lock:
            self._attempts[thread] = _Attempt(time.monotonic(), processor, time.clock_gettime(processor))
            if not self._watching:
                threading.Thread(target=self._watch, name="budget", daemon=True).start()
                self._watching = True
        try:
            yield
        finally:
            with self._lock:
                self._attempts.pop(thread, None)

    def _watch(self) -> None:
        never = threading.Event()
        while not never.wait(_LOOK_AGAIN_S):
            with self._lock:
                for thread in [thread for thread, attempt in self._attempts.items() if attempt.is_over()]:
                    del self._attempts[thread]
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(OverBudget))
