# SPDX-License-Identifier: GPL-2.0-or-later
"""The baseline before the first case and after the last: the device answers ordinary TCP on every carriage."""

from testbed.case import Bench, Case, CaseSpec
from testbed.conversation import connect, exchange
from testbed.verdict import Broken, DeviceLost, Inconclusive

_TRIES = 3


def check_alive(bench: Bench) -> None:
    """Open a connection to the echo service on each carriage and exchange a line; DeviceLost if that does not work."""
    for name, carriage in bench.carriages.items():
        spec = CaseSpec("sanity", "The device serves ordinary TCP.", "valid", (), {"carriage": name}, "")
        for last in (False,) * (_TRIES - 1) + (True,):
            case = Case(spec, bench, carriage)
            try:
                with case.clock.announced():
                    peer = connect(case, case.station())
                    exchange(case, peer, b"baseline")
                    peer.resets()
                break
            except (Inconclusive, Broken) as error:
                if last:
                    raise DeviceLost(f"no echo service at {carriage.dut} over {name}: {error}") from None
            finally:
                case.leave()
