# SPDX-License-Identifier: GPL-2.0-or-later
"""Verdicts, how they worsen, and how the verdicts of all cases become the answer of the run and its exit code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import IntEnum, StrEnum
from typing import NamedTuple, Protocol


class Verdict(StrEnum):
    """What one case, or one requirement, came to. Listed from the quietest to the loudest: see `worst`."""

    NOT_APPLICABLE = "NOT APPLICABLE"
    INFO = "INFO"
    PASS = "PASS"
    DEVIATION = "DEVIATION"
    NOT_RUN = "NOT RUN"
    INCONCLUSIVE = "INCONCLUSIVE"
    ERROR = "ERROR"
    FAIL = "FAIL"

    @property
    def rank(self) -> int:
        """Position in the order of worsening; a higher rank hides a lower one."""
        return _RANK[self]


# The order in which people meet verdicts: what needs them first comes first.
LOUDEST_FIRST = (
    Verdict.FAIL,
    Verdict.ERROR,
    Verdict.INCONCLUSIVE,
    Verdict.NOT_RUN,
    Verdict.DEVIATION,
    Verdict.INFO,
    Verdict.PASS,
    Verdict.NOT_APPLICABLE,
)
STRENGTHS = {"M": "must", "S": "should", "I": "information"}
_RANK = {verdict: rank for rank, verdict in enumerate(Verdict)}


class RunVerdict(StrEnum):
    """The answer of the whole run."""

    CONFORMANT = "conformant"
    PARTIAL = "partial"
    NOT_CONFORMANT = "not conformant"
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"
    NOTHING_SELECTED = "nothing selected"
    INCOMPLETE = "incomplete"


class ExitCode(IntEnum):
    """Exit codes of a run. 2, 3 and 4 are pytest's own: interrupted, internal error, wrong usage."""

    CONFORMANT = 0
    NOT_CONFORMANT = 1
    NOTHING_SELECTED = 5
    INCONCLUSIVE = 6
    ERROR = 7
    DUT_UNREACHABLE = 8
    AS_EXPECTED = 9
    MACHINE = 10
    PARTIAL = 11


class Judgement(NamedTuple):
    """The answer of a run: goes into `Results.verdict`, `.reason` and `.exit_code`."""

    verdict: RunVerdict
    reason: str
    exit_code: ExitCode


class Judged(Protocol):
    """What a verdict on the run, or on a requirement, is made from."""

    @property
    def id(self) -> str: ...
    @property
    def verdict(self) -> Verdict: ...
    @property
    def requirements(self) -> Sequence[str]: ...


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict that many verdicts come to; NOT RUN if there is none.

    FAIL hides everything, because a must that was proved broken stays broken whatever else went wrong. Then come the
    three that leave the question open (ERROR, INCONCLUSIVE, NOT RUN): a part that is known must not hide one
    that is not. Then DEVIATION, PASS, INFO; NOT APPLICABLE counts only where nothing else was said.
    """
    return max(verdicts, key=_RANK.__getitem__, default=Verdict.NOT_RUN)


def judge(cases: Sequence[Judged], *, strict: bool = False, unreachable: str = "", limit: str = "") -> Judgement:
    """The answer of a run that came to its end.

    `strict` lets a broken should count like a broken must. `unreachable` is the sentence that says how the device
    was lost: it ends the run as an error of its own, unless a must had been proved broken before.
    `limit` is the line that says what the tester's machine did not give: no word on the device.
    Without a single PASS, DEVIATION or FAIL nothing was judged, and nothing is certified.
    """
    found: dict[Verdict, list[Judged]] = {}
    for case in cases:
        found.setdefault(case.verdict, []).append(case)
    broken = found.get(Verdict.FAIL, []) + (found.get(Verdict.DEVIATION, []) if strict else [])
    lost, limited = (" ".join(why.split()).rstrip(".") for why in (unreachable, limit))
    if broken:
        word = "Broken, with shoulds counted as musts" if strict and Verdict.DEVIATION in found else "Broken"
        reason = f"{word}: {_names(broken)}"
        for what, why in {"the device was lost": lost, "the run had to end": limited}.items():
            reason += f"; then {what}: {why}" if why else ""
        reason += "."
        return Judgement(RunVerdict.NOT_CONFORMANT, reason, ExitCode.NOT_CONFORMANT)
    if limited:
        return Judgement(RunVerdict.ERROR, f"The tester's machine ended the run: {limited}.", ExitCode.MACHINE)
    if lost:
        return Judgement(RunVerdict.ERROR, f"The device is unreachable: {lost}.", ExitCode.DUT_UNREACHABLE)
    if errors := found.get(Verdict.ERROR):
        reason = f"The suite itself failed in {_count(errors)}: {_names(errors)}."
        return Judgement(RunVerdict.ERROR, reason, ExitCode.ERROR)
    if disturbed := found.get(Verdict.INCONCLUSIVE, []) + found.get(Verdict.NOT_RUN, []):
        reason = f"{_count(disturbed)} came to no verdict on the device: {_names(disturbed)}."
        return Judgement(RunVerdict.INCONCLUSIVE, reason, ExitCode.INCONCLUSIVE)
    if not found.keys() & {Verdict.PASS, Verdict.DEVIATION}:
        reason = "No case was selected."
        if cases:
            tally = ", ".join(f"{len(entries)} {verdict}" for verdict, entries in found.items())
            reason = f"Nothing was judged in {_count(cases)}: {tally}."
        return Judgement(RunVerdict.NOTHING_SELECTED, reason, ExitCode.NOTHING_SELECTED)
    reason = f"No must is broken in {_count(cases)}."
    if deviations := found.get(Verdict.DEVIATION):
        reason += f" Broken shoulds: {_names(deviations)}."
    return Judgement(RunVerdict.CONFORMANT, reason, ExitCode.CONFORMANT)


def _count(cases: Sequence[Judged]) -> str:
    return "1 case" if len(cases) == 1 else f"{len(cases)} cases"


def _names(cases: Sequence[Judged], limit: int = 8) -> str:
    """The requirements of these cases, or the ids of cases that name none."""
    names = sorted({name for case in cases for name in (case.requirements or [case.id])})
    rest = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + rest
