# SPDX-License-Identifier: GPL-2.0-or-later
"""How late the machine was: probe processes beside the DUT measure it, the tester asks before it blames the DUT.

One probe a processor, because a processor that stands still (a busy queue, a hypervisor that has other plans) holds up
the DUT that waits there, while a probe that may go elsewhere notices nothing.
"""

import json
import os
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Iterable
from itertools import takewhile

from testbed.device.run_queue import RunQueue

# A deadline that the DUT missed is held against it only if it had at least three quarters of the time. Lags shorter
# than a fiftieth of the time allowed do not count: a DUT waits for the processor a few times, not all the time.
TOLERATED_SHARE = 0.25
WORTH_COUNTING_SHARE = 0.02

# A processor that was late is looked at more often for a while; one that was not, seldom enough to cost it little.
_INTERVAL_NS = 10_000_000
_CALM_INTERVAL_NS = 20_000_000
_TESTER_INTERVAL_NS = 50_000_000
_WARY_NS = 1_000_000_000
_WORTH_TELLING_NS = 5_000_000
_KEPT_EVENTS = 50_000
_OUT_OF_ORDER_NS = 10_000_000_000  # how much later a lag may be told than a younger one of another processor
_TIMEOUT_S = 5
_MESSAGE = 1 << 12


class LagProbe:
    """Collects lags (end in wall-clock nanoseconds, length in nanoseconds), the last 50 000 of them.

    Without `listen` it knows of none: the DUT runs on another machine.
    """

    def __init__(self) -> None:
        self._events: deque[tuple[int, int]] = deque(maxlen=_KEPT_EVENTS)
        self._changed = threading.Condition()
        self._answered: dict[socket.socket, int] = {}
        self._asked = 0

    def listen(self, probes: Iterable[socket.socket]) -> None:
        """Take in what the processes behind `probes` (see `measure`) tell, until they close their ends."""
        for probe in probes:
            self._answered[probe] = 0
            threading.Thread(target=self._read, args=(probe,), name="lag probe", daemon=True).start()
        threading.Thread(target=self._measure_tester, name="lag of the tester", daemon=True).start()

    def add(self, ns: int, lag_ns: int) -> None:
        """The probe wanted to run at `ns` minus `lag_ns` and ran at `ns`."""
        with self._changed:
            self._events.append((ns, lag_ns))

    def lag_ns(self, start_ns: int, end_ns: int, shortest_ns: int = 0) -> int:
        """How much of the time between two stamps some processor was withheld, in lags of `shortest_ns` or more."""
        with self._changed:
            late = takewhile(lambda event: event[0] > start_ns - _OUT_OF_ORDER_NS, reversed(self._events))
            lags = sorted((end - lag, end) for end, lag in late if lag >= shortest_ns and end > start_ns)
        total, reached = 0, start_ns
        for begin, end in lags:
            begin, end = max(begin, reached), min(end, end_ns)
            if end > begin:
                total += end - begin
                reached = end
        return total

    def starved(self, start_ns: int, budget_ns: int, device: RunQueue | None = None) -> bool:
        """Whether a deadline of `budget_ns` after `start_ns` says nothing, because too much of it was withheld.

        To be asked after the deadline: the probes are given the time to tell of a lag that has only just ended.
        `device` is what is known of the device's own processes.
        """
        if not self.catch_up():
            return True
        end_ns = start_ns + budget_ns
        lag = self.lag_ns(start_ns, end_ns, round(budget_ns * WORTH_COUNTING_SHARE))
        waited = device.withheld_ns(start_ns, end_ns) if device else 0
        return max(lag, waited) > TOLERATED_SHARE * budget_ns

    def catch_up(self) -> bool:
        """Whether every probe has run by now and told of everything before; waits for them, but not for ever."""
        with self._changed:
            self._asked += 1
            number = self._asked
            for probe in list(self._answered):
                try:
                    probe.send(str(number).encode())
                except OSError:
                    self._answered.pop(probe, None)  # the supervisor is gone, which is told elsewhere
            return self._changed.wait_for(
                lambda: all(answered >= number for answered in self._answered.values()), _TIMEOUT_S
            )

    def _measure_tester(self) -> None:
        """Note how late this process is: a device waits in vain for answers of a tester that stands still."""
        never = threading.Event()
        while True:
            began = time.monotonic_ns()
            never.wait(_TESTER_INTERVAL_NS / 1e9)
            late = time.monotonic_ns() - began - _TESTER_INTERVAL_NS
            if late > _WORTH_TELLING_NS:
                self.add(time.time_ns(), late)

    def _read(self, probe: socket.socket) -> None:
        while True:
            try:
                message = probe.recv(_MESSAGE)
            except OSError:
                message = b""
            with self._changed:
                if not message:
                    self._answered.pop(probe, None)
                    self._changed.notify_all()
                    probe.close()
                    return
                kind, *values = json.loads(message)
                if kind == "lag":
                    self._events.append((values[0], values[1]))
                elif probe in self._answered:
                    self._answered[probe] = max(self._answered[probe], values[0])
                    self._changed.notify_all()


def measure(tester: socket.socket, processor: int) -> None:
    """Ask for this processor every 20 ms, for a second after it came late every 10 ms, until `tester` hangs up.

    Tells `["lag", wall clock ns, lag ns]`, and answers a number with `["here", number]`, after every lag before it. A
    processor that stands still for a time t is late by at least t minus 10 ms, for what the longer interval may have
    hidden is added.
    """
    os.sched_setaffinity(0, {processor})
    poller = select.poll()
    poller.register(tester, select.POLLIN)
    ran = time.monotonic_ns()
    wary_until = ran + _WARY_NS
    while True:
        # From one time of running to the next: no lag falls between two measurements.
        interval = _INTERVAL_NS if ran < wary_until else _CALM_INTERVAL_NS
        ready = poller.poll(interval / 1e6)
        before, ran = ran, time.monotonic_ns()
        if ran - before - interval > _WORTH_TELLING_NS:
            tester.send(json.dumps(["lag", time.time_ns(), ran - before - _INTERVAL_NS]).encode())
            wary_until = ran + _WARY_NS
        if ready:
            number = tester.recv(_MESSAGE)
            if not number:
                return
            tester.send(json.dumps(["here", int(number)]).encode())
