# SPDX-License-Identifier: GPL-2.0-or-later
"""Many cases at once in one process: bodies start ahead in threads, pytest's items collect their outcomes in order.

`docs/overlap.md` has the measurements behind this choice.
"""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, wait
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass

from testbed.run.attempts import Outcome
from testbed.wire.clock import Clock, RunOver
from testbed.wire.pace import Pace

CROWD = 2
"""Cases that may compete for the processor before another one is started."""

MOST_AT_ONCE = 1000
"""Cases under way in one process: a thread and a few addresses each."""

_INTERRUPTIBLE_S = 0.5
_LEAVING_S = 3.0


@dataclass(frozen=True)
class Body:
    """What a case does; `paced` where stations of it appear that the kernel remembers."""

    identifier: str
    run: Callable[[], Outcome]
    paced: bool = False


class Overlap:
    """Starts cases whenever those already started are all waiting, and keeps the outcomes by case id."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._outcomes: dict[str, Future[Outcome]] = {}
        self.given_up = ""
        """Why nobody waits for the cases any more; set by a signal's handler, and so nothing but a text."""

    def start(self, bodies: Iterable[Body], at_once: int = MOST_AT_ONCE, pace: Pace | None = None) -> None:
        """Start the bodies, in this order, as soon as there is room for each; at most `at_once` are under way.

        While `pace` has no room those that are not paced go first.
        """
        new = [body for body in bodies if body.identifier not in self._outcomes]
        for body in new:
            self._outcomes[body.identifier] = Future()
        room = threading.BoundedSemaphore(max(1, min(at_once, MOST_AT_ONCE)))
        threading.Thread(target=self._launch, args=(new, room, pace), name="overlap", daemon=True).start()

    def knows(self, identifier: str) -> bool:
        """Whether the case has been handed to `start`."""
        return identifier in self._outcomes

    def outcome(self, identifier: str) -> Outcome:
        """The outcome of a case that was started; waits for it. RunOver where that is given up.

        A signal is noticed while waiting.
        """
        future = self._outcomes[identifier]
        while True:
            try:
                return future.result(timeout=_INTERRUPTIBLE_S)
            except FutureTimeout:
                if future.done():
                    raise
                if self.given_up:
                    raise RunOver(self.given_up) from None

    def stop(self) -> None:
        """Start nothing more and end all waiting for times."""
        self._clock.stop()

    def join(self) -> None:
        """Give the cases that are under way a moment to end."""
        wait(self._outcomes.values(), timeout=_LEAVING_S)

    def _launch(self, left: list[Body], room: threading.BoundedSemaphore, pace: Pace | None) -> None:
        while left:
            room.acquire()
            self._clock.token.wait_for_room(CROWD)
            body = left.pop(_next(left, pace))
            future = self._outcomes[body.identifier]
            try:
                if pace and body.paced:
                    pace.wait()
                self._clock.check_running()
                self._clock.token.expect()
                threading.Thread(
                    target=self._work, args=(future, body.run, room), name=body.identifier, daemon=True
                ).start()
            except (RunOver, RuntimeError) as error:
                room.release()
                future.set_exception(error)

    def _work(self, future: Future[Outcome], run: Callable[[], Outcome], room: threading.BoundedSemaphore) -> None:
        try:
            with self._clock.token.working():
                outcome = run()
            future.set_result(outcome)
        except BaseException as error:
            future.set_exception(error)
        finally:
            room.release()


def _next(left: list[Body], pace: Pace | None) -> int:
    """The place of the body to start now: the first, or the first that need not wait where that one would."""
    if not pace or not left[0].paced or pace.has_room():
        return 0
    return next((place for place, body in enumerate(left) if not body.paced), 0)
