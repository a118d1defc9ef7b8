# SPDX-License-Identifier: GPL-2.0-or-later
"""The models of results.json, version 1. docs/results.md says what every key means.

A run builds one `Results` step by step and writes it after every case; everything people read is made from that file.
Verdicts and the policy that turns them into the answer of the run live in `reports.verdicts`; they can be imported
from here too.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveInt,
    PrivateAttr,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticSerializationError

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
Strength = Literal["M", "S", "I"]


class ResultsError(ValueError):
    """A file that is not results.json version 1. The message is one line: file, key, what is allowed."""


def _without_surrogates(value: Any) -> Any:
    """The same data with half surrogates written as \\udcXX: a device's log may hold any byte, UTF-8 may not."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_without_surrogates(inner) for inner in value)
    return value


class _Model(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


class _Frozen(_Model):
    model_config = ConfigDict(frozen=True)


def _stays_in_the_folder(path: str) -> str:
    pure = PurePosixPath(path)
    if not path or pure.is_absolute() or ".." in pure.parts or "\\" in path:
        raise ValueError("must be a relative path that stays inside the report folder")
    return path


class Suite(_Frozen):
    """The conformance suite that judged."""

    name: str
    version: str


class Dut(_Frozen):
    """The device under test, what it claims (ICS) and the values it was probed with (IXIT)."""

    name: str
    vendor: str
    version: str
    profile: str = Field(description="path of the profile as it was given")
    arguments: list[str] = Field(default_factory=list, description="extra arguments of the DUT command")
    roles: list[str] = Field(description="claimed roles with their protocol in front: mops server")
    networks: list[str]
    ics: dict[str, JsonValue]
    ixit: dict[str, JsonValue]


class Tester(_Frozen):
    """The machine that probed."""

    system: str
    python: str
    scapy: str
    cpus: PositiveInt


class Figures(_Frozen):
    """What the run cost. All in seconds, but `cases`."""

    wall_s: NonNegativeFloat = 0.0
    waits_sum_s: NonNegativeFloat = Field(default=0.0, description="sum of the waits that the specification mandates")
    longest_chain_s: NonNegativeFloat = Field(default=0.0, description="longest run of such waits that cannot overlap")
    cpu_s: NonNegativeFloat = 0.0
    cases: NonNegativeInt = 0


class Frame(_Frozen):
    """One packet of a case, as the lower tester saw it on the wire."""

    index: NonNegativeInt = Field(description="number in the port's capture, the one that reasons cite")
    time_s: float = Field(description="seconds since the first frame of the case, from kernel stamps")
    direction: Literal["to dut", "from dut"]
    source: str
    destination: str
    summary: str
    fields: list[tuple[str, str, str]] = Field(default_factory=list, description="(layer, field, value)")
    hex: str = Field(default="", pattern=r"^(?:[0-9a-fA-F]{2})*$")
    note: str = Field(default="", description="what the suite thought of it")
    deciding: bool = Field(default=False, description="this frame decided the verdict")


class Difference(_Frozen):
    """One field in which the message that came differs from the one that had to come."""

    field: str
    expected: str
    seen: str


class CaseResult(_Frozen):
    """One executed (or deliberately not executed) case. Never changed after it was made."""

    id: str = Field(min_length=1, description="requirement, number and parameters: stays when the suite is moved about")
    node: str = Field(default="", description="pytest node id")
    purpose: str
    behaviour: Literal["valid", "invalid", "inopportune"]
    requirements: list[str]
    section: str
    parameters: dict[str, str] = Field(default_factory=dict)
    verdict: Verdict
    reason: str = ""
    expected: str = ""
    seen: str = ""
    differences: list[Difference] = Field(default_factory=list)
    values: dict[str, str] = Field(default_factory=dict)
    frames: list[Frame] = Field(default_factory=list)
    evidence: Annotated[str, AfterValidator(_stays_in_the_folder)] | None = None
    attempts: NonNegativeInt = 1
    duration_s: NonNegativeFloat = 0.0
    waits_s: NonNegativeFloat = Field(default=0.0, description="sum of the mandated waits of this case")
    rerun: str = ""
    log: str = Field(default="", description="the device's standard error during the case")


class RequirementResult(_Frozen):
    """One normative statement of a specification and what its cases say of it."""

    id: str = Field(min_length=1)
    section: str
    roles: list[str]
    strength: Strength
    statement: str = Field(default="", description="what the device has to do, in one testable sentence")
    quote: str
    reading: str = ""
    ixit: list[str] = Field(default_factory=list)
    specification: str
    verdict: Verdict = Verdict.NOT_RUN
    cases: list[str] = Field(default_factory=list)
    reason: str = Field(default="", description="why the catalogue has no case for it")


class Results(_Model):
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
        try:
            text = path.read_bytes()
            raw = json.loads(text)
        except OSError as error:
            raise ResultsError(f"{path}: cannot be read: {error.strerror or error}") from error
        except ValueError as error:
            raise ResultsError(f"{path}: is not JSON: {error}") from error
        except RecursionError as error:
            raise ResultsError(f"{path}: is not results.json: nested too deep") from error
        if not isinstance(raw, dict):
            raise ResultsError(f"{path}: must be a JSON object, not {type(raw).__name__}")
        if raw.get("schema") != SCHEMA or isinstance(raw.get("schema"), bool):
            found = f"not {raw['schema']!r:.60}" if "schema" in raw else "it is missing"
            raise ResultsError(f"{path}: schema: must be {SCHEMA}, {found}")
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise ResultsError(f"{path}: {_one_line(error)}") from error

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
        head = _json(self, exclude={"requirements", "cases"})
        requirements = [_json(requirement) for requirement in self.requirements]
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
            known = self._lines[case.id] = (case, _json(case))
        return known[1]


def _json(model: BaseModel, exclude: set[str] | None = None) -> bytes:
    try:
        return model.model_dump_json(by_alias=True, exclude=exclude).encode()
    except PydanticSerializationError:
        storable = _without_surrogates(model.model_dump(mode="python", by_alias=True, exclude=exclude))
        return json.dumps(storable, default=str, separators=(",", ":"), ensure_ascii=False).encode()


def replace_file(path: Path, content: bytes) -> None:
    """Put `content` at `path` in one step; makes the folder, leaves no temporary file behind."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        umask = os.umask(0o022)
        os.umask(umask)
        os.chmod(name, 0o666 & ~umask)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


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


def _one_line(error: ValidationError) -> str:
    first, *others = error.errors(include_url=False)
    key = ""
    for part in first["loc"]:
        key += f"[{part}]" if isinstance(part, int) else f".{part}" if key else str(part)
    message = first["msg"].removeprefix("Value error, ")
    message = message[:1].lower() + message[1:]
    if first["type"] == "missing":
        message = "is missing"
    elif first["type"] == "extra_forbidden":
        message = "is not a key of this schema"
    elif not isinstance(first["input"], dict | list | BaseModel):
        message += f", not {first['input']!r:.60}"
    more = f" (and {len(others)} more)" if others else ""
    return " ".join(f"{key}: {message}{more}".removeprefix(": ").split())
