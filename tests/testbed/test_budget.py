# SPDX-License-Identifier: GPL-2.0-or-later
"""A case that would never end is ended, and named; the others go on."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from testbed.case.case import Case
from testbed.case.verdict import Verdict
from tests.testbed.lab import Lab, lab_in


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    monkeypatch.setattr("testbed.run.budget.PROCESSOR_S", 1.0)
    monkeypatch.setattr("testbed.run.budget.WALL_S", 3.0)
    found = lab_in(tmp_path)
    yield found
    found.close()


def compute(_: Case) -> None:
    while True:
        pass


def wait_again_and_again(case: Case) -> None:
    while True:
        case.watch(0.01)


@pytest.mark.parametrize("body", [compute, wait_again_and_again])
def test_a_case_without_end_is_ended(lab: Lab, body: Callable[[Case], None]) -> None:
    began = time.monotonic()
    outcome = lab.runs(body)
    assert outcome.verdict is Verdict.ERROR
    assert "the case took more than 1 s of the processor, or 3 s in all, and was ended" in outcome.finding.reason
    assert time.monotonic() - began < 60
    assert lab.runs(lambda case: case.watch(0.1)).verdict is Verdict.PASS
