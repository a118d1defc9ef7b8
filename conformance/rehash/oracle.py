# SPDX-License-Identifier: GPL-2.0-or-later
"""How a case judges: both sides in one notation, and what has to work before it can."""

import contextlib
from collections.abc import Iterator

from testbed.case import verdict
from testbed.case.verdict import Broken
from testbed.interruptions import Inconclusive
from testbed.peers.segment import Segment


@contextlib.contextmanager
def preamble(trouble: str = "") -> Iterator[None]:
    """What is broken inside has to work before a case can judge, and is judged by another."""
    try:
        yield
    except Broken as broken:
        raise Inconclusive(f"preamble: {trouble or broken.finding.reason}", repeat=False) from None


def require(holds: object, what: str, expected: object, seen: object, *segments: Segment) -> None:
    """Broken, with both sides in one notation and the deciding segments, unless the condition holds."""
    verdict.require(holds, what, expected, seen, *(segment.frame for segment in segments))
