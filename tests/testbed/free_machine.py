# SPDX-License-Identifier: GPL-2.0-or-later
"""Time as it would have passed on a machine that has nothing else to do."""

import time

_SPENT_S = 0.3


def slowness() -> float:
    """How many times longer than its own processor time a busy process takes now, at least once."""
    began, spent = time.monotonic(), time.process_time()
    while time.process_time() - spent < _SPENT_S:
        pass
    return max(1.0, (time.monotonic() - began) / _SPENT_S)
