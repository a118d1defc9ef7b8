# SPDX-License-Identifier: GPL-2.0-or-later
"""How much of what applies to the device a run has judged: without all of it there is no word on the whole device."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from reports.entries import Dut, RequirementResult
from reports.verdicts import ExitCode, Judgement, RunVerdict, Verdict

if TYPE_CHECKING:
    from reports.model import Results

OPEN = (Verdict.ERROR, Verdict.INCONCLUSIVE, Verdict.NOT_RUN)
"""Verdicts that leave the question open."""

_MOST_NAMED = 5


def narrowed(results: Results) -> str:
    """How the run was narrowed, by options or to some of the roles that the profile claims; empty if it was not."""
    parts = []
    if results.selection:
        parts.append(f"the run was narrowed by {', '.join(results.selection)}")
    if results.dut.left_out:
        parts.append(f"not probed in the claimed role{_s(results.dut.left_out)} {', '.join(results.dut.left_out)}")
    return "; ".join(parts)


def unjudged_musts(requirements: Iterable[RequirementResult]) -> list[RequirementResult]:
    """Musts that apply and came to no verdict, those left out for which the catalogue says why they have no case."""
    return [
        one for one in requirements if one.strength == "M" and one.verdict in OPEN and (one.cases or not one.reason)
    ]


def unjudged_roles(dut: Dut, requirements: Sequence[RequirementResult]) -> list[str]:
    """Claimed roles that have musts which apply, and of which none was judged, whatever the reasons are."""
    found = []
    for role in dut.roles:
        protocol, _, name = role.partition(" ")
        verdicts = {
            one.verdict
            for one in requirements
            if one.strength == "M" and name in one.roles and one.id.lower().startswith(f"{protocol}-")
        }
        if verdicts - {Verdict.NOT_APPLICABLE} == {Verdict.NOT_RUN}:
            found.append(role)
    return found


def scoped(judgement: Judgement, results: Results, requirements: Sequence[RequirementResult]) -> Judgement:
    """The judgement with what it does not cover: what would be conformant is partial unless all was judged.

    A broken must stays broken, and a run without a verdict has none; their reason says if the run was narrowed.
    """
    why = [one for one in (narrowed(results),) if one]
    if judgement.verdict is RunVerdict.CONFORMANT:
        if roles := unjudged_roles(results.dut, requirements):
            why.append(f"no must was judged of the claimed role{_s(roles)} {', '.join(roles)}")
        if missing := unjudged_musts(requirements):
            names = ", ".join(one.id for one in missing[:_MOST_NAMED])
            rest = f" and {len(missing) - _MOST_NAMED} more" if len(missing) > _MOST_NAMED else ""
            count = f"{len(missing)} musts that apply have" if len(missing) > 1 else "a must that applies has"
            why.append(f"{count} no verdict, for no written reason: {names}{rest}")
    if not why:
        return judgement
    reason = f"{judgement.reason} Partial: {'; '.join(why)}."
    if judgement.verdict is not RunVerdict.CONFORMANT:
        return judgement._replace(reason=reason)
    code = ExitCode.PARTIAL if judgement.exit_code is ExitCode.CONFORMANT else judgement.exit_code
    return Judgement(RunVerdict.PARTIAL, reason, code)


def _s(entries: Sequence[object]) -> str:
    return "s" if len(entries) > 1 else ""
