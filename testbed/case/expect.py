# SPDX-License-Identifier: GPL-2.0-or-later
"""What has to work before a case can judge."""

from collections.abc import Iterator
from contextlib import contextmanager

from testbed.case.verdict import Broken
from testbed.interruptions import Inconclusive


@contextmanager
def preamble(trouble: str = "") -> Iterator[None]:
    """What is broken inside has to work before a case can judge, and is judged by another case: Inconclusive.

    Another attempt is made only where a deadline has passed: what a device has done wrong it does again.
    """
    try:
        yield
    except Broken as broken:
        reason = f"preamble: {trouble or broken.finding.reason}"
        raise Inconclusive(reason, repeat=broken.deadline is not None) from None
