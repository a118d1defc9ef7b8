# SPDX-License-Identifier: GPL-2.0-or-later
"""Running a case to its verdict: attempts, and what each outcome of the body means."""

import time
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace

from testbed.case.case import Case, CaseSpec
from testbed.case.setup import Setup
from testbed.case.verdict import Broken, Finding, Verdict
from testbed.interruptions import DeviceLost, Inconclusive, NotApplicable, machine_error
from testbed.run.budget import Budget
from testbed.wire.chance import drawn_from
from testbed.wire.clock import NANO, Clock, ClockStepped, Deadline, RunOver

ATTEMPTS = 3
"""Attempts at a case that is disturbed again and again."""

ATTEMPTS_ON_A_BUSY_MACHINE = 8
"""Attempts where the lag probe says that the machine was late in every one of them."""

_BUDGET = Budget()
_BUSY_NS = 50_000_000
_LONG_LAG_NS = 10_000_000
_FIRST_PAUSE_NS = NANO // 4
_END_TOLD_WITHIN_S = 0.1


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


Lend = Callable[[CaseSpec], AbstractContextManager[Setup]]
"""Gives the device for one attempt, DeviceLost where there is none."""


def run_case(spec: CaseSpec, lend: Lend, body: Callable[[Case], None], seed: str = "") -> Outcome:
    """Run `body` until it comes to a verdict; what tester or path disturbed is repeated with fresh addresses.

    `seed` and the case's id decide what it draws. Whatever goes wrong is an outcome: this function does not raise.
    """
    with drawn_from(f"{seed} {spec.id}"):
        return _run_case(spec, lend, body)


def _run_case(spec: CaseSpec, lend: Lend, body: Callable[[Case], None]) -> Outcome:
    if spec.not_applicable:
        return Outcome(spec, Verdict.NOT_APPLICABLE, Finding(spec.not_applicable))
    started = time.monotonic()
    outcome = Outcome(spec, Verdict.NOT_RUN)
    for attempt in range(1, ATTEMPTS_ON_A_BUSY_MACHINE + 1):
        judged = False
        try:
            with lend(spec) as setup:
                case = Case(spec, setup, spec.parameters["network"])
                try:
                    outcome, repeat = _attempt(spec, case, body)
                    judged = True
                    busy = outcome.verdict is Verdict.INCONCLUSIVE and _machine_was_busy(case)
                finally:
                    _leave(case)
        except Exception as error:
            if not judged or not isinstance(error, DeviceLost | RunOver):
                outcome = without_verdict(spec, error)
                break
            outcome.error = outcome.error or error  # what comes after the case does not take its verdict away
            repeat = busy = False
        outcome.case, outcome.attempts = case, attempt
        if not busy and (not repeat or attempt >= ATTEMPTS):
            break
        if busy and not _pause(case.clock, _FIRST_PAUSE_NS * attempt):
            break
    outcome.duration_s = time.monotonic() - started
    return outcome


def _leave(case: Case) -> None:
    for side in case.sides.values():
        if leftovers := side.interface.leftovers:
            leftovers.leave(case.trace, side.stations)
    case.leave()


def without_verdict(spec: CaseSpec, error: BaseException) -> Outcome:
    """NOT RUN where the device or the machine gave out, or the run was stopped; else ERROR, with the traceback."""
    if isinstance(error, DeviceLost | RunOver):
        return Outcome(spec, Verdict.NOT_RUN, Finding(str(error)), error=error)
    if limit := machine_error(spec.id, error):
        return Outcome(spec, Verdict.NOT_RUN, Finding(str(limit)), error=limit)
    return Outcome(spec, Verdict.ERROR, Finding("".join(traceback.format_exception(error))), error=error)


def _attempt(spec: CaseSpec, case: Case, body: Callable[[Case], None]) -> tuple[Outcome, bool]:
    """One attempt's outcome, and whether another one may do better."""
    try:
        try:
            with _BUDGET.kept():
                body(case)
                case.settle()
        except Broken as broken:
            return _judge_broken(spec, case, broken)
        except Inconclusive as disturbed:
            _look_for_life(case)
            return Outcome(spec, Verdict.INCONCLUSIVE, Finding(disturbed.reason)), disturbed.repeat
    except (Inconclusive, ClockStepped) as disturbed:
        return Outcome(spec, Verdict.INCONCLUSIVE, Finding(str(disturbed))), True
    except NotApplicable as reason:
        return Outcome(spec, Verdict.NOT_APPLICABLE, Finding(str(reason))), False
    except BaseException as error:  # pytest.skip and pytest.fail are no Exception: a case has no use for them
        return without_verdict(spec, error), False
    information = bool(case.values) and spec.verdict_when_broken() is Verdict.INFO
    return Outcome(spec, Verdict.INFO if information else Verdict.PASS), False


def _judge_broken(spec: CaseSpec, case: Case, broken: Broken) -> tuple[Outcome, bool]:
    """Hold a finding against the DUT only if tester and machine did their part, and it has not ended altogether."""
    case.check_tester()
    # A device that dies resets its connections first, and its end is told a moment later: DeviceLost then.
    case.look(lambda: None, Deadline(case.clock.now_ns(), _END_TOLD_WITHIN_S))
    if deadline := broken.deadline:
        _look_for_life(case)
        with case.clock.waiting():
            starved = case.setup.starved(deadline)
        if starved:
            lag = case.setup.withheld_ns(deadline.start_ns, deadline.end_ns) / NANO
            raise Inconclusive(f"{broken.finding.reason}; but the machine withheld {lag:.3f} s of the time allowed")
    for frame in broken.finding.frames:
        frame.deciding = True
    judged = replace(spec, requirements=(broken.breaks,)) if broken.breaks else spec
    return Outcome(judged, judged.verdict_when_broken(), broken.finding), False


def _pause(clock: Clock, ns: int) -> bool:
    """Let a busy machine get on with its work; False if the run was stopped meanwhile."""
    try:
        clock.wait_until(clock.now_ns() + ns)
    except ClockStepped:
        return True
    except RunOver:
        return False
    return True


def _machine_was_busy(case: Case) -> bool:
    """Whether the machine withheld so much of the attempt that even what looks like the DUT's doing may be its own."""
    with case.clock.waiting():
        told = case.setup.lag.catch_up()
        return not told or case.setup.withheld_ns(case.started_ns, case.clock.now_ns(), _LONG_LAG_NS) > _BUSY_NS


def _look_for_life(case: Case) -> None:
    """Raise DeviceLost if the case received nothing from the device because nobody does any more."""
    if not any(case.trace.received()):
        case.setup.confirm_alive()
