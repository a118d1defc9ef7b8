# SPDX-License-Identifier: GPL-2.0-or-later
"""The models of what results.json holds: suite, device, figures, frames, cases, requirements."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveInt,
)

from reports.verdicts import Verdict

Strength = Literal["M", "S", "I"]


class Model(BaseModel):
    """Nothing is converted, and a key that is not known is an error."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


class Frozen(Model):
    """The same, and never changed."""

    model_config = ConfigDict(frozen=True)


def _stays_in_the_folder(path: str) -> str:
    pure = PurePosixPath(path)
    if not path or pure.is_absolute() or ".." in pure.parts or "\\" in path:
        raise ValueError("must be a relative path that stays inside the report folder")
    return path


class Suite(Frozen):
    """The conformance suite that judged."""

    name: str
    version: str
    commit: str = Field(default="", description="of its repository, with + where files were changed; empty: not known")


class Specification(Frozen):
    """A document that requirements are quoted from."""

    protocol: str
    name: str = Field(description="file name without its ending, as requirements give it")
    title: str
    revision: str
    sha256: str = Field(description="digest of the text that the quotes were checked against")


class Dut(Frozen):
    """The device under test, what it claims (ICS) and the values it was probed with (IXIT)."""

    name: str
    vendor: str
    version: str
    profile: str = Field(description="path of the profile as it was given")
    profile_sha256: str = Field(default="", description="digest of the profile's bytes")
    arguments: list[str] = Field(default_factory=list, description="extra arguments of the DUT command")
    roles: list[str] = Field(description="claimed roles with their protocol in front: mops server")
    left_out: list[str] = Field(default_factory=list, description="roles that the profile claims besides: not probed")
    networks: list[str]
    ics: dict[str, JsonValue]
    ixit: dict[str, JsonValue]


class Tester(Frozen):
    """The machine that probed, and who did it."""

    name: str = Field(default="", description="who tested")
    system: str
    python: str
    scapy: str
    cpus: PositiveInt


class Figures(Frozen):
    """What the run cost. All in seconds, but `cases`."""

    wall_s: NonNegativeFloat = 0.0
    waits_sum_s: NonNegativeFloat = Field(default=0.0, description="sum of the waits that the specification mandates")
    longest_chain_s: NonNegativeFloat = Field(default=0.0, description="longest run of such waits that cannot overlap")
    cpu_s: NonNegativeFloat = 0.0
    cases: NonNegativeInt = 0


class Frame(Frozen):
    """One packet of a case, as the lower tester saw it on the wire."""

    index: NonNegativeInt = Field(description="number in the capture of the device's links, the one that reasons cite")
    interface: str = Field(default="", description="the link that it was seen on")
    time_s: float = Field(description="seconds since the first frame of the case, from kernel stamps")
    direction: Literal["to dut", "from dut"]
    source: str
    destination: str
    summary: str
    fields: list[tuple[str, str, str]] = Field(default_factory=list, description="(layer, field, value)")
    hex: str = Field(default="", pattern=r"^(?:[0-9a-fA-F]{2})*$")
    note: str = Field(default="", description="what the suite thought of it")
    deciding: bool = Field(default=False, description="this frame decided the verdict")


class Difference(Frozen):
    """One field in which the message that came differs from the one that had to come."""

    field: str
    expected: str
    seen: str


class CaseResult(Frozen):
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
    evidence_sha256: str = Field(default="", description="digest of that file, of its bytes as they were written")
    attempts: NonNegativeInt = 1
    duration_s: NonNegativeFloat = 0.0
    waits_s: NonNegativeFloat = Field(default=0.0, description="sum of the mandated waits of this case")
    rerun: str = ""
    log: str = Field(default="", description="the device's standard error during the case")


class RequirementResult(Frozen):
    """One normative statement of a specification and what its cases say of it."""

    id: str = Field(min_length=1)
    section: str
    roles: list[str]
    strength: Strength
    statement: str = Field(default="", description="what the device has to do, in one testable sentence")
    quote: str
    reading: str = ""
    justification: str = Field(default="", description="why a reading makes a must")
    ixit: list[str] = Field(default_factory=list)
    specification: str
    verdict: Verdict = Verdict.NOT_RUN
    cases: list[str] = Field(default_factory=list)
    reason: str = Field(default="", description="why the catalogue has no case for it")
