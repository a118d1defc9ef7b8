# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 8: whether initial sequence numbers of a mobile node can be predicted."""

import itertools

from conformance.mops.dut.mobile_node import Applications
from conformance.mops.tester.server import Correspondent
from testbed import requirement, valid
from testbed.case.case import Case
from testbed.case.verdict import require
from testbed.peers.sequence import SEQUENCE_SPACE

CONNECTIONS = 100
FEWEST_LEADING_BYTES = 60
"""Of 100 random bytes 83 are different on average; fewer than 60 come in one of 10^9 runs at most."""


@valid
@requirement("MOPS-8-01", case=1)
def test_initial_sequence_numbers_are_spread(case: Case, app: Applications, correspondent: Correspondent) -> None:
    """Neither the numbers of 100 connections nor the steps from each to the next are alike in their first byte."""
    numbers, frames = [], []
    for _ in range(CONNECTIONS):
        attempt = app.begin_connect(correspondent)
        numbers.append(int(attempt.syn.seq))
        frames.append(attempt.syn.frame)
        correspondent.refuse(attempt)
    steps = [(after - before) % SEQUENCE_SPACE for before, after in itertools.pairwise(numbers)]
    for what, values in (("numbers", numbers), ("steps", steps)):
        different = len({value >> 24 for value in values})
        case.values[f"different first bytes of the {what}"] = f"{different} of {len(values)}"
        require(different >= FEWEST_LEADING_BYTES, what, f"{FEWEST_LEADING_BYTES} first bytes", different, *frames)
