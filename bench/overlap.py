# SPDX-License-Identifier: GPL-2.0-or-later
"""Waits side by side against the same waits one after another."""

import time

from rich.console import Console
from rich.table import Table

from profiles import Role
from testbed.case.case import CaseSpec
from testbed.case.verdict import Verdict
from testbed.run.attempts import Outcome
from testbed.run.overlap import Body, Overlap
from testbed.wire.clock import Clock

CASES = 200
WAIT_NS = 20_000_000
SPEC = CaseSpec("bench", "", "Wait.", "valid", (), {}, "", Role("", "bench"))


def main() -> int:
    """Print both walls and their ratio."""
    clock = Clock()

    def body() -> Outcome:
        clock.wait_until(clock.now_ns() + WAIT_NS)
        return Outcome(SPEC, Verdict.PASS)

    started = time.perf_counter()
    for _ in range(CASES):
        time.sleep(WAIT_NS / 1e9)
    serial = time.perf_counter() - started

    overlap = Overlap(clock)
    started, spent = time.perf_counter(), time.process_time()
    overlap.start(Body(str(number), body) for number in range(CASES))
    for number in range(CASES):
        overlap.outcome(str(number))
    side_by_side, processor = time.perf_counter() - started, time.process_time() - spent

    table = Table(title=f"{CASES} cases that wait {WAIT_NS // 1_000_000} ms each")
    for column in ("way", "wall s", "processor s", "ratio"):
        table.add_column(column, justify="left" if column == "way" else "right")
    table.add_row("one after another", f"{serial:.2f}", "", "1")
    table.add_row(
        "side by side", f"{side_by_side:.2f}", f"{processor:.2f}", f"{serial / side_by_side:.1f} times faster"
    )
    Console().print(table)
    return 0
