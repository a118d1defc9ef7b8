# SPDX-License-Identifier: GPL-2.0-or-later
"""The baseline: the device answers ordinary TCP on every network, before the first case, after the last, and when a
case has not heard a single frame of it."""

import threading

from profiles import Role
from testbed.case.case import Case, CaseSpec, Setup
from testbed.case.verdict import Broken
from testbed.interruptions import DeviceLost, Inconclusive
from testbed.peers.connection import connect, new_peer
from testbed.peers.stream import exchange
from testbed.wire.clock import NANO

_ANY = Role("", "ordinary host")
"""What every device is, whatever its roles."""

_TRIES = 3
_MOST_TRIES = 12


def check_alive(setup: Setup) -> None:
    """Open a connection to the echo service on each network and exchange a line; DeviceLost if that does not work.

    Three tries count; those that the machine's load has spoilt do not.
    """
    for name in setup.networks:
        counted = 0
        for attempt in range(1, _MOST_TRIES + 1):
            started_ns = setup.clock.now_ns()
            trouble = _try(setup, name)
            if not trouble:
                break
            starved = setup.lag.starved(started_ns, round(setup.profile.ixit.tcp_within_s * NANO))
            counted += not starved
            if counted == _TRIES or attempt == _MOST_TRIES:
                raise DeviceLost(f"no echo service at {setup.networks[name].dut} over {name}: {trouble}")


def _try(setup: Setup, network: str) -> str:
    """What went wrong, or nothing."""
    with setup.clock.announced():
        return _say_hello(setup, network)


def _say_hello(setup: Setup, network: str) -> str:
    spec = CaseSpec("sanity", "", "The device serves ordinary TCP.", "valid", (), {"network": network}, "", _ANY)
    case = Case(spec, setup, setup.networks[network])
    try:
        peer = connect(case, new_peer(case, case.station()))
        exchange(case, peer, b"baseline")
        peer.reset()
    except (Inconclusive, Broken) as error:
        return str(error)
    finally:
        case.leave()
    return ""


class Doubt:
    """Tells a device that is lost from a case that was disturbed, once for all cases that ask at the same time."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._lock = threading.Lock()
        self._alive_ns = 0

    def settle(self) -> None:
        """Return if the device answers (or did since the question came up); DeviceLost, for every case, if not."""
        asked_ns = self._setup.clock.now_ns()
        with self._setup.clock.waiting():
            self._lock.acquire()
        try:
            if self._alive_ns < asked_ns:
                check_alive(self._setup)
                self._alive_ns = self._setup.clock.now_ns()
        except DeviceLost as error:
            self._setup.dut.lose(error)
            raise
        finally:
            self._lock.release()
