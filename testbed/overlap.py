# SPDX-License-Identifier: GPL-2.0-or-later
"""Many cases at once in one process: bodies start ahead in threads, pytest's items collect their outcomes in order.

`docs/overlap.md` has the measurements behind this choice.
"""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future

from testbed.clock import Clock
from testbed.run import Outcome

CROWD = 2
"""Cases that may compete for the processor before another one is started."""


class Overlap:
    """Starts cases whenever those already started are all waiting, and keeps the outcomes by case id."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._outcomes: dict[str, Future[Outcome]] = {}
        self._stopped = threading.Event()

    def start(self, bodies: Iterable[tuple[str, Callable[[], Outcome]]]) -> None:
        """Start the bodies, in this order, as soon as there is room for each."""
        waiting = [(identifier, body) for identifier, body in bodies if identifier not in self._outcomes]
        for identifier, _ in waiting:
            self._outcomes[identifier] = Future()
        threading.Thread(target=self._launch, args=(waiting,), name="overlap", daemon=True).start()

    def knows(self, identifier: str) -> bool:
        """Whether the case has been handed to `start`."""
        return identifier in self._outcomes

    def outcome(self, identifier: str) -> Outcome:
        """The outcome of a case that was started; waits for it."""
        return self._outcomes[identifier].result()

    def stop(self) -> None:
        """Start nothing more and end all waiting."""
        self._stopped.set()
        self._clock.stop()

    def _launch(self, bodies: list[tuple[str, Callable[[], Outcome]]]) -> None:
        for identifier, body in bodies:
            self._clock.wait_for_room(CROWD)
            if self._stopped.is_set():
                return
            self._clock.expect()
            threading.Thread(target=self._work, args=(identifier, body), name=identifier, daemon=True).start()

    def _work(self, identifier: str, body: Callable[[], Outcome]) -> None:
        future = self._outcomes[identifier]
        with self._clock.working():
            try:
                future.set_result(body())
            except BaseException as error:
                future.set_exception(error)
