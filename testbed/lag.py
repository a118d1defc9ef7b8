# SPDX-License-Identifier: GPL-2.0-or-later
"""How late the machine was: a probe process beside the DUT measures it, the tester asks before it blames the DUT."""

import json
import select
import socket
import threading
import time
from collections import deque

# A deadline that the DUT missed is held against it only if it had at least three quarters of the time.
TOLERATED_SHARE = 0.25

_INTERVAL_NS = 10_000_000
_WORTH_TELLING_NS = 5_000_000
_KEPT_EVENTS = 20_000
_PATIENCE_S = 10


class LagProbe:
    """Collects lags (end in wall-clock nanoseconds, length in nanoseconds), the last 20 000 of them.

    Without `listen` it knows of none: the DUT runs on another machine.
    """

    def __init__(self) -> None:
        self._events: deque[tuple[int, int]] = deque(maxlen=_KEPT_EVENTS)
        self._changed = threading.Condition()
        self._socket: socket.socket | None = None
        self._asked = 0
        self._answered = 0

    def listen(self, probe: socket.socket) -> None:
        """Take in what the process behind `probe` (see `measure`) tells, until it closes its end."""
        self._socket = probe
        threading.Thread(target=self._read, args=(probe,), name="lag probe", daemon=True).start()

    def add(self, ns: int, lag_ns: int) -> None:
        """The probe wanted to run at `ns` minus `lag_ns` and ran at `ns`."""
        with self._changed:
            self._events.append((ns, lag_ns))

    def lag_ns(self, start_ns: int, end_ns: int) -> int:
        """How much of the time between two stamps the machine withheld from the probe."""
        with self._changed:
            overlaps = (min(end, end_ns) - max(end - lag, start_ns) for end, lag in self._events)
            return sum(overlap for overlap in overlaps if overlap > 0)

    def starved(self, start_ns: int, budget_ns: int) -> bool:
        """Whether a deadline of `budget_ns` after `start_ns` says nothing, because too much of it was withheld.

        To be asked after the deadline: the probe is given the time to tell of a lag that has only just ended.
        """
        self.catch_up()
        return self.lag_ns(start_ns, start_ns + budget_ns) > TOLERATED_SHARE * budget_ns

    def catch_up(self) -> None:
        """Return when the probe has run and told of everything before now."""
        if self._socket is None:
            return
        with self._changed:
            self._asked += 1
            number = self._asked
            try:
                self._socket.send(str(number).encode())
            except OSError:
                return  # the holder is gone, which is told elsewhere
            self._changed.wait_for(lambda: self._answered >= number or self._socket is None, _PATIENCE_S)

    def _read(self, probe: socket.socket) -> None:
        while True:
            try:
                message = probe.recv(1 << 12)
            except OSError:
                message = b""
            with self._changed:
                if not message:
                    self._socket = None
                    self._changed.notify_all()
                    probe.close()
                    return
                kind, *values = json.loads(message)
                if kind == "lag":
                    self._events.append((values[0], values[1]))
                else:
                    self._answered = max(self._answered, values[0])
                    self._changed.notify_all()


def measure(tester: socket.socket) -> None:
    """Ask for the processor every 10 ms and tell `tester` when it came late, until the tester hangs up.

    Tells `["lag", wall clock ns, lag ns]`, and answers a number with `["here", number]`, after every lag before it.
    """
    poller = select.poll()
    poller.register(tester, select.POLLIN)
    while True:
        asked = time.monotonic_ns()
        ready = poller.poll(_INTERVAL_NS / 1e6)
        late = time.monotonic_ns() - asked - _INTERVAL_NS
        if late > _WORTH_TELLING_NS:
            tester.send(json.dumps(["lag", time.time_ns(), late]).encode())
        if ready:
            number = tester.recv(1 << 12)
            if not number:
                return
            tester.send(json.dumps(["here", int(number)]).encode())
