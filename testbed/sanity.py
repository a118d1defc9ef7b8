# SPDX-License-Identifier: GPL-2.0-or-later
"""The baseline: the device answers ordinary TCP on every carriage, before the first case, after the last, and when a
case has not heard a single frame of it."""

import threading

from testbed.case import NANO, Bench, Case, CaseSpec
from testbed.conversation import connect, exchange
from testbed.verdict import Broken, DeviceLost, Inconclusive

_TRIES = 3
_MOST_TRIES = 12


def check_alive(bench: Bench) -> None:
    """Open a connection to the echo service on each carriage and exchange a line; DeviceLost if that does not work.

    Three tries count; those that the machine's load has spoilt do not.
    """
    for name in bench.carriages:
        counted = 0
        for attempt in range(1, _MOST_TRIES + 1):
            started_ns = bench.clock.now_ns()
            trouble = _try(bench, name)
            if not trouble:
                break
            starved = bench.lag.starved(started_ns, round(bench.profile.ixit.tcp_within_s * NANO))
            counted += not starved
            if counted == _TRIES or attempt == _MOST_TRIES:
                raise DeviceLost(f"no echo service at {bench.carriages[name].dut} over {name}: {trouble}")


def _try(bench: Bench, carriage: str) -> str:
    """What went wrong, or nothing."""
    with bench.clock.announced():
        return _say_hello(bench, carriage)


def _say_hello(bench: Bench, carriage: str) -> str:
    spec = CaseSpec("sanity", "", "The device serves ordinary TCP.", "valid", (), {"carriage": carriage}, "")
    case = Case(spec, bench, bench.carriages[carriage])
    try:
        peer = connect(case, case.station())
        exchange(case, peer, b"baseline")
        peer.resets()
    except (Inconclusive, Broken) as error:
        return str(error)
    finally:
        case.leave()
    return ""


class Doubt:
    """Tells a device that is lost from a case that was disturbed, once for all cases that ask at the same time."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._lock = threading.Lock()
        self._alive_ns = 0

    def settle(self) -> None:
        """Return if the device answers (or did since the question came up); DeviceLost, for every case, if not."""
        asked_ns = self._bench.clock.now_ns()
        with self._bench.clock.waiting():
            self._lock.acquire()
        try:
            if self._alive_ns < asked_ns:
                check_alive(self._bench)
                self._alive_ns = self._bench.clock.now_ns()
        except DeviceLost as error:
            self._bench.dut.lose(error)
            raise
        finally:
            self._lock.release()
