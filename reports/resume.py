# SPDX-License-Identifier: GPL-2.0-or-later
"""What a run that came to no end has decided, for one that goes on with it: the same device, claims and suite only."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reports.cases import Cases, Kept
from reports.entries import CaseResult
from reports.files import ResultsError
from reports.journal import JOURNAL, read_journal
from reports.model import Results
from reports.verdicts import Verdict

_STATIC = {"verdict", "cases", "reason"}


@dataclass(frozen=True)
class Earlier:
    """The run before: its head, and what it told of each case that has a verdict and whose capture is as written."""

    results: Results
    told: list[dict[str, Any]]

    @property
    def ids(self) -> list[str]:
        """The cases that are decided."""
        return [one["id"] for one in self.told]

    def check(self, head: Results, folder: Path) -> None:
        """ResultsError where the run that is to go on is of another device, profile, suite or catalogue."""
        before, now = self.results, head
        for what, one, other in (
            ("suite", before.suite, now.suite),
            ("profile", before.dut.model_copy(update={"version": now.dut.version}), now.dut),
            ("expected results", before.expected, now.expected),
            ("seed", before.seed, now.seed),
            ("catalogue", *([one.model_dump(exclude=_STATIC) for one in run.requirements] for run in (before, now))),
        ):
            if one != other:
                raise ResultsError(f"{folder}: the {what} is not that of the run; allowed is the same, or a new run")


def earlier(folder: Path) -> Earlier:
    """Read the journal in the folder of a run. ResultsError where there is none, or where the run came to its end."""
    results, cases = read_journal(folder / JOURNAL)
    if results.state == "complete" and results.finished is not None:
        raise ResultsError(f"{folder}: the run came to its end: there is nothing to go on with")
    told = [_told(cases, one, folder) for one in cases.index if one.verdict is not Verdict.NOT_RUN]
    return Earlier(results, [one for one in told if one])


def _told(cases: Cases, kept: Kept, folder: Path) -> dict[str, Any]:
    """What the case told; nothing where its capture is gone or another."""
    line = cases.line(kept)
    case = CaseResult.model_validate_json(line)
    if case.evidence:
        try:
            content = (folder / case.evidence).read_bytes()
        except OSError:
            return {}
        if hashlib.sha256(content).hexdigest() != case.evidence_sha256:
            return {}
    return {
        "line": line,
        "id": case.id,
        "verdict": case.verdict,
        "requirements": case.requirements,
        "evidence": case.evidence,
        "evidence_sha256": case.evidence_sha256,
    }
