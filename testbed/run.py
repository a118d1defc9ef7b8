# SPDX-License-Identifier: GPL-2.0-or-later
"""Running a case to its verdict: attempts, and what each outcome of the body means."""

import time
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from testbed.case import NANO, Bench, Case, CaseSpec
from testbed.verdict import Broken, DeviceLost, Finding, Inconclusive, NotApplicable, Verdict

ATTEMPTS = 3

Lender = Callable[[CaseSpec], AbstractContextManager[Bench]]
"""Lends a case the device it needs, for one attempt."""


@dataclass
class Outcome:
    """A verdict with its evidence. `case` is the last attempt, None if no attempt was made."""

    spec: CaseSpec
    verdict: Verdict
    finding: Finding = field(default_factory=lambda: Finding(""))
    case: Case | None = None
    attempts: int = 0
    duration_s: float = 0.0
    error: BaseException | None = None


def run_case(spec: CaseSpec, lend: Lender, body: Callable[[Case], None]) -> Outcome:
    """Run `body` until it comes to a verdict; what tester or path disturbed is repeated with fresh addresses."""
    if spec.not_applicable:
        return Outcome(spec, Verdict.NOT_APPLICABLE, Finding(spec.not_applicable))
    started = time.monotonic()
    outcome = Outcome(spec, Verdict.NOT_RUN)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            outcome, repeat = _at_device(spec, lend, body)
        except DeviceLost as lost:
            outcome, repeat = Outcome(spec, Verdict.NOT_RUN, Finding(str(lost)), error=lost), False
        outcome.attempts = attempt
        if not repeat:
            break
    outcome.duration_s = time.monotonic() - started
    return outcome


def _at_device(spec: CaseSpec, lend: Lender, body: Callable[[Case], None]) -> tuple[Outcome, bool]:
    with lend(spec) as bench:
        case = Case(spec, bench, bench.carriages[spec.parameters["carriage"]])
        try:
            outcome, repeat = _attempt(spec, case, body)
        finally:
            case.leave()
        outcome.case = case
        return outcome, repeat


def _attempt(spec: CaseSpec, case: Case, body: Callable[[Case], None]) -> tuple[Outcome, bool]:
    try:
        body(case)
        case.settle()
    except Broken as broken:
        return _judge_broken(spec, case, broken)
    except Inconclusive as disturbed:
        return Outcome(spec, Verdict.INCONCLUSIVE, Finding(disturbed.reason)), disturbed.repeat
    except NotApplicable as reason:
        return Outcome(spec, Verdict.NOT_APPLICABLE, Finding(str(reason))), False
    except DeviceLost as lost:
        return Outcome(spec, Verdict.NOT_RUN, Finding(str(lost)), error=lost), False
    except Exception as error:
        return Outcome(spec, Verdict.ERROR, Finding(traceback.format_exc()), error=error), False
    information = bool(case.values) and spec.verdict_when_broken() is Verdict.INFO
    return Outcome(spec, Verdict.INFO if information else Verdict.PASS), False


def _judge_broken(spec: CaseSpec, case: Case, broken: Broken) -> tuple[Outcome, bool]:
    """Hold a finding against the DUT only if tester and machine did their part."""
    try:
        case.check_tester()
    except Inconclusive as disturbed:
        return Outcome(spec, Verdict.INCONCLUSIVE, Finding(disturbed.reason)), True
    if broken.budget_ns and case.bench.lag.starved(broken.start_ns, broken.budget_ns):
        lag = case.bench.lag.lag_ns(broken.start_ns, broken.start_ns + broken.budget_ns) / NANO
        reason = f"{broken.finding.reason}; but the machine withheld {lag:.3f} s of the time allowed"
        return Outcome(spec, Verdict.INCONCLUSIVE, Finding(reason)), True
    for frame in broken.finding.frames:
        frame.deciding = True
    return Outcome(spec, spec.verdict_when_broken(), broken.finding), False
