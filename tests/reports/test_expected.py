# SPDX-License-Identifier: GPL-2.0-or-later
"""What a profile expects to be broken: the exit code that it comes to, and that the certificate says why."""

from pathlib import Path

import pytest

from reports.certificate import render
from reports.expected import Expectation, against
from reports.model import ExitCode, Results, RunVerdict, Verdict, aggregate, judge
from tests.reports.samples import case, requirement, results

P, F, D, I = Verdict.PASS, Verdict.FAIL, Verdict.DEVIATION, Verdict.INCONCLUSIVE  # noqa: E741


def run(found: dict[int, Verdict]) -> Results:
    """A run in which these requirements came to these verdicts; 9 has no case."""
    cases = [case(f"n{number}", verdict, [f"MOPS-4.1-{number:02}"]) for number, verdict in found.items()]
    made = results(cases, [requirement(number) for number in (*found, 9)])
    return made.model_copy(update={"requirements": aggregate(made.requirements, cases)})


def expectations(wanted: dict[int, Verdict]) -> list[Expectation]:
    return [
        Expectation(requirement=f"MOPS-4.1-{number:02}", verdict=verdict, reason="mended in 2.2")
        for number, verdict in wanted.items()
    ]


@pytest.mark.parametrize(
    ("found", "wanted", "code", "words"),
    [
        ({1: F, 2: P}, {1: F}, ExitCode.AS_EXPECTED, "All of it is expected."),
        ({1: F, 2: P}, {}, ExitCode.NOT_CONFORMANT, "Broken: MOPS-4.1-01"),
        ({1: F, 2: F}, {1: F}, ExitCode.NOT_CONFORMANT, "Not as expected: MOPS-4.1-02 is FAIL."),
        ({1: F, 2: P}, {1: F, 2: F}, ExitCode.NOT_CONFORMANT, "Not as expected: MOPS-4.1-02 is PASS."),
        ({1: P, 2: P}, {1: F}, ExitCode.NOT_CONFORMANT, "Not as expected: MOPS-4.1-01 is PASS."),
        ({1: D, 2: P}, {1: F}, ExitCode.NOT_CONFORMANT, "Not as expected: MOPS-4.1-01 is DEVIATION."),
        ({1: F, 2: D}, {1: F}, ExitCode.AS_EXPECTED, "All of it is expected."),
        ({1: D, 2: P}, {1: D}, ExitCode.CONFORMANT, "No must is broken"),
        ({1: F, 2: P}, {1: F, 9: F}, ExitCode.AS_EXPECTED, "All of it is expected."),
        ({1: F, 2: I}, {1: F}, ExitCode.NOT_CONFORMANT, "Broken: MOPS-4.1-01"),
        ({1: I, 2: P}, {1: F}, ExitCode.INCONCLUSIVE, "came to no verdict"),
    ],
)
def test_exit_code(found: dict[int, Verdict], wanted: dict[int, Verdict], code: ExitCode, words: str) -> None:
    made = run(found)
    judgement = against(judge(made.cases), expectations(wanted), made.requirements)
    assert judgement.exit_code is code
    assert words in judgement.reason
    assert judgement.verdict is judge(made.cases).verdict


def test_a_device_that_is_broken_as_expected_is_not_conformant(tmp_path: Path) -> None:
    made = run({1: F, 2: P}).model_copy(update={"expected": expectations({1: F})})
    assert made.verdict is RunVerdict.NOT_CONFORMANT
    page = render(made, tmp_path)
    assert "<b>Expected FAIL:</b> mended in 2.2" in page
