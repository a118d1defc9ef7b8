# SPDX-License-Identifier: GPL-2.0-or-later
"""The model of results.json, version 1. docs/results.md says what every key means.

A run builds one `Results` step by step and writes it after every case; everything people read is made from that file.
Verdicts and the policy that turns them into the answer of the run live in `reports.verdicts`; they can be imported
from here too, like the models of `reports.entries`.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Literal, Self

from pydantic import AwareDatetime, ConfigDict, Field, NonNegativeInt, PrivateAttr, ValidationError, model_validator

from reports.entries import (
    CaseResult,
    Difference,
    Dut,
    Figures,
    Frame,
    Model,
    RequirementResult,
    Suite,
    Tester,
)
from reports.files import ResultsError, as_json, expect_schema, one_line, read_object, replace_file
from reports.verdicts import ExitCode, Judgement, RunVerdict, Verdict, judge, worst

__all__ = [
    "CaseResult",
    "Difference",
    "Dut",
    "ExitCode",
    "Figures",
    "Frame",
    "Judgement",
    "RequirementResult",
    "Results",
    "ResultsError",
    "RunVerdict",
    "Suite",
    "Tester",
    "Verdict",
    "aggregate",
    "judge",
    "worst",
]

SCHEMA = 1


class Results(Model):
    """results.json. The run changes its attributes and appends to `cases` while it goes on."""

    model_config = ConfigDict(validate_assignment=True)

    schema_version: Literal[1] = Field(default=1, alias="schema")
    suite: Suite
    state: Literal["complete", "incomplete"] = "incomplete"
    verdict: RunVerdict = RunVerdict.INCOMPLETE
    reason: str = ""
    exit_code: NonNegativeInt | None = None
    started: AwareDatetime
    finished: AwareDatetime | None = None
    command: str
    dut: Dut
    tester: Tester
    figures: Figures = Figures()
    requirements: list[RequirementResult] = Field(default_factory=list)
    cases: list[CaseResult] = Field(default_factory=list)

    # The JSON of cases already written, by id: a case is frozen, so that a rewrite costs only the newest one.
    _lines: dict[str, tuple[CaseResult, bytes]] = PrivateAttr(default_factory=dict)

    _next_s: float = PrivateAttr(default=0.0)

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        for key, ids in (("cases", [c.id for c in self.cases]), ("requirements", [r.id for r in self.requirements])):
            if len(set(ids)) != len(ids):
                twice = next(entry for entry in ids if ids.count(entry) > 1)
                raise ValueError(f"{key}: every id may occur once, {twice!r} occurs {ids.count(twice)} times")
        return self

    @classmethod
    def load(cls, path: Path | str) -> Results:
        """Read a results.json. Raises ResultsError with one line (file, key, what is allowed) if it is not one."""
        path = Path(path)
        text, raw = read_object(path)
        expect_schema(path, raw, SCHEMA)
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise ResultsError(f"{path}: {one_line(error)}") from error

    def write(self, path: Path | str, *, sparing: bool = False) -> bool:
        """Write results.json so that a reader, or a run killed now, finds either the old or the new file, never half.

        One case a line. Every case is serialised once, but a file of megabytes takes some milliseconds to replace:
        `sparing` leaves out a write that would make writing take more than a twentieth of the time of the run.
        Returns whether it wrote.
        """
        path = Path(path)
        started = time.monotonic()
        if sparing and started < self._next_s:
            return False
        head = as_json(self, exclude={"requirements", "cases"})
        requirements = [as_json(requirement) for requirement in self.requirements]
        cases = [self._line(case) for case in self.cases]
        document = b"".join(
            (
                head.removesuffix(b"}"),
                b',\n"requirements":[\n',
                b",\n".join(requirements),
                b'\n],\n"cases":[\n',
                b",\n".join(cases),
                b"\n]}\n",
            )
        )
        replace_file(path, document)
        ended = time.monotonic()
        self._next_s = ended + 19 * (ended - started)
        return True

    def _line(self, case: CaseResult) -> bytes:
        known = self._lines.get(case.id)
        if known is None or known[0] is not case:
            known = self._lines[case.id] = (case, as_json(case))
        return known[1]


def aggregate(requirements: list[RequirementResult], cases: list[CaseResult]) -> list[RequirementResult]:
    """The requirements with `verdict` and `cases` filled in from the cases; the order of both lists is kept.

    A requirement without a case keeps its verdict, NOT RUN unless the claims rule it out, and its reason.
    """
    judged: dict[str, list[CaseResult]] = {}
    for case in cases:
        for identifier in dict.fromkeys(case.requirements):
            judged.setdefault(identifier, []).append(case)
    return [
        requirement.model_copy(
            update={
                "verdict": worst(case.verdict for case in judged[requirement.id]),
                "cases": [case.id for case in judged[requirement.id]],
            }
        )
        if requirement.id in judged
        else requirement
        for requirement in requirements
    ]
