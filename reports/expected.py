# SPDX-License-Identifier: GPL-2.0-or-later
"""What the profile expects to be broken, against what is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pydantic import Field

from reports.entries import Frozen, RequirementResult
from reports.verdicts import ExitCode, Judgement, RunVerdict, Verdict

_JUDGED = (Verdict.FAIL, Verdict.DEVIATION, Verdict.PASS)


class Expectation(Frozen):
    """One `[[expected]]` of the profile."""

    requirement: str
    verdict: Verdict
    reason: str = Field(description="why it is known")


def against(judgement: Judgement, expected: Sequence[Expectation], found: Iterable[RequirementResult]) -> Judgement:
    """The judgement with exit code and reason as the expectations have it; its verdict stays.

    "As expected" is said where each requirement that is broken was expected to be, in just this way, and each one that
    was expected to be broken and was judged is. A broken should needs no expectation: the device is conformant with it.
    A run that did not come to a verdict on the device keeps its code.
    """
    if not expected or judgement.verdict not in (RunVerdict.CONFORMANT, RunVerdict.NOT_CONFORMANT):
        return judgement
    verdicts = {one.id: one.verdict for one in found}
    wanted = {one.requirement: one.verdict for one in expected if verdicts.get(one.requirement) in _JUDGED}
    surprises = [one for one, verdict in verdicts.items() if verdict is Verdict.FAIL and one not in wanted]
    surprises += [one for one, verdict in wanted.items() if verdicts[one] is not verdict]
    if surprises:
        named = ", ".join(f"{one} is {verdicts[one]}" for one in surprises)
        reason = f"{judgement.reason} Not as expected: {named}."
        return Judgement(judgement.verdict, reason, ExitCode.NOT_CONFORMANT)
    if judgement.verdict is RunVerdict.CONFORMANT or set(verdicts.values()) & {Verdict.ERROR, Verdict.INCONCLUSIVE}:
        return judgement
    return Judgement(judgement.verdict, f"{judgement.reason} All of it is expected.", ExitCode.AS_EXPECTED)
