# SPDX-License-Identifier: GPL-2.0-or-later
"""The model of results.json, version 1. docs/results.md says what every key means.

A run keeps its cases in a journal (`reports.journal`) and writes this file once, at its end; everything people read can
be made from either.
Verdicts and the policy that turns them into the answer of the run live in `reports.verdicts`; they can be imported
from here too, like the models of `reports.entries`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, Self

from pydantic import AwareDatetime, ConfigDict, Field, NonNegativeInt, ValidationError, model_validator

from reports.entries import (
    CaseResult,
    Difference,
    Dut,
    Figures,
    Frame,
    Model,
    RequirementResult,
    Specification,
    Suite,
    Tester,
)
from reports.expected import Expectation
from reports.files import ResultsError, as_json, expect_schema, one_line, read_object, replace_file
from reports.verdicts import ExitCode, Judged, Judgement, RunVerdict, Verdict, judge, worst

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
    "Specification",
    "Suite",
    "Tester",
    "Verdict",
    "aggregate",
    "judge",
    "worst",
]

SCHEMA = 1


class Results(Model):
    """results.json. The run changes its attributes while it goes on; its cases are in the journal, not in here."""

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
    seed: int | None = None
    selection: list[str] = Field(default_factory=list, description="options that narrowed the run")
    dut: Dut
    tester: Tester
    figures: Figures = Figures()
    expected: list[Expectation] = Field(default_factory=list)
    specifications: list[Specification] = Field(default_factory=list)
    requirements: list[RequirementResult] = Field(default_factory=list)
    cases: list[CaseResult] = Field(default_factory=list)

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

    def write(self, path: Path | str, lines: Iterable[bytes] | None = None) -> None:
        """Write results.json in one step: a reader finds either the old or the new file, never half.

        One case a line. `lines` are the cases as JSON where they are not in `cases`, as those of a journal.
        """
        if lines is None:
            lines = map(as_json, self.cases)
        replace_file(Path(path), self._parts(lines))

    def _parts(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        yield as_json(self, exclude={"requirements", "cases"}).removesuffix(b"}")
        yield from _listed(b"requirements", map(as_json, self.requirements))
        yield from _listed(b"cases", lines)
        yield b"}\n"


def json_schema() -> str:
    """results.json as a JSON Schema (draft 2020-12), for whoever reads it with other programs."""
    schema = Results.model_json_schema(by_alias=True)
    schema["properties"]["schema"].pop("default")
    schema["required"] = ["schema", *schema["required"], "requirements", "cases"]
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": f"results.json, version {SCHEMA}"}
    return json.dumps(head | {key: value for key, value in schema.items() if key not in head}, indent=1) + "\n"


def _listed(key: bytes, entries: Iterable[bytes]) -> Iterator[bytes]:
    yield b',\n"' + key + b'":['
    separator = b"\n"
    for entry in entries:
        yield separator + entry
        separator = b",\n"
    yield b"\n]"


def aggregate(requirements: list[RequirementResult], cases: Iterable[Judged]) -> list[RequirementResult]:
    """The requirements with `verdict` and `cases` filled in from the cases; the order of both lists is kept.

    A requirement without a case keeps its verdict, NOT RUN unless the claims rule it out, and its reason.
    """
    judged: dict[str, list[Judged]] = {}
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
