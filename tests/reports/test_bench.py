# SPDX-License-Identifier: GPL-2.0-or-later
"""The benchmark of the journal: a real run of made-up cases, and what it calls too dear."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bench import journal as bench

Price = Callable[[int], float]


def test_made_up_cases_are_kept_as_real_ones_are(tmp_path: Path) -> None:
    spent = bench.cost(tmp_path, 210, cases=True)
    results = json.loads((tmp_path / "report/results.json").read_text())
    assert len(results["cases"]) == 210
    assert (results["state"], results["verdict"]) == ("complete", "not conformant")
    assert {len(case["frames"]) for case in results["cases"]} == {20}
    assert spent.cpu_s > 0.1
    assert spent.memory_kb > 10_000


@pytest.mark.parametrize(
    ("cpu_ms", "memory_kb", "code"),
    [
        (lambda count: 1.9 * count, lambda count: 2.9 * count, 0),
        (lambda count: 2.1 * count, lambda count: count, 1),
        (lambda count: count, lambda count: 3.1 * count, 1),
        (lambda count: count**2 / 10_000, lambda count: count, 1),
    ],
    ids=["cheap", "dear", "large", "quadratic"],
)
def test_what_is_dear_or_grows_fails(
    cpu_ms: Price, memory_kb: Price, code: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def cost(folder: Path, count: int, *, cases: bool) -> bench.Cost:
        (folder / "report").mkdir(exist_ok=True)
        (folder / "report/results.json").touch()
        once = bench.Cost(0.5, 30_000)
        return bench.Cost(once.cpu_s + cpu_ms(count) / 1000, once.memory_kb + memory_kb(count)) if cases else once

    monkeypatch.setattr(bench, "cost", cost)
    assert bench.main([1000, 2000, 10_000]) == code
