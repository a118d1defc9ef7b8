# SPDX-License-Identifier: GPL-2.0-or-later
"""The model of faults: for each requirement and each kind of fault, what would see it, or why nothing has to.

A cell is filled by the deviations of that kind that the requirement's own cases catch, or else by the first reason of
`faults.toml` that is about it.
"""

import itertools
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import filter, fnmatch
from functools import cached_property
from pathlib import Path
from typing import Any

from conformance.catalogue import load
from conformance.catalogue.cases import find_uses
from conformance.catalogue.model import FOLDER, Requirement
from tests.power.certified import KINDS, ROOT, entries

FILE = ROOT / "tests/power/faults.toml"

WHYS = ("elsewhere", "no", "open")
"""Why a cell has no deviation: other cases see such a fault; it cannot happen, or nobody can tell; nothing sees it."""

RISKS = ("high", "medium", "low")
"""How likely it is that a device is wrong in an open way, and how bad that would be."""


@dataclass(frozen=True)
class Group:
    """Requirements that are broken in the same ways."""

    name: str
    requirements: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Reason:
    """Why a kind of fault has no deviation here. `seen_by` are requirements whose cases see it, `risk` how bad it is
    that something is open.
    """

    why: str
    text: str
    kinds: tuple[str, ...]
    groups: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    seen_by: tuple[str, ...] = ()
    risk: str = ""

    def is_about(self, requirement: str, group: str, kind: str) -> bool:
        """Whether it fills this cell."""
        named = requirement in self.requirements or any(fnmatch(group, one) for one in self.groups)
        return kind in self.kinds and named


@dataclass(frozen=True)
class Cell:
    """A requirement and a kind: the deviations that its cases must catch, or the reason; neither where it is empty."""

    requirement: str
    kind: str
    deviations: tuple[str, ...] = ()
    reason: Reason | None = None

    @property
    def content(self) -> str:
        """What fills it: "deviation", a word of `WHYS`, or nothing."""
        if self.deviations:
            return "deviation"
        return self.reason.why if self.reason else ""


@dataclass
class Model:
    """All cells."""

    groups: list[Group]
    reasons: list[Reason]
    requirements: list[Requirement]
    deviations: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    """By requirement that must catch them and kind."""

    @classmethod
    def read(cls, file: Path = FILE) -> "Model":
        """The model of the tree."""
        table = tomllib.loads(file.read_text())
        groups = [Group(name, tuple(listed)) for name, listed in table["groups"].items()]
        model = cls(groups, [_reason(one) for one in table["reason"]], judged())
        for entry in entries("deviation"):
            for cell in itertools.product(entry.content["caught_by"], entry.kinds):
                model.deviations.setdefault(cell, []).append(entry.name)
        return model

    @cached_property
    def group_of(self) -> dict[str, str]:
        """The group of each requirement."""
        return {requirement: group.name for group in self.groups for requirement in group.requirements}

    @cached_property
    def cells(self) -> dict[tuple[str, str], Cell]:
        """Every cell by requirement and kind."""
        return {
            (requirement.id, kind): self._cell(requirement.id, kind)
            for requirement in self.requirements
            for kind in KINDS
        }

    def _cell(self, requirement: str, kind: str) -> Cell:
        deviations = tuple(self.deviations.get((requirement, kind), ()))
        group = self.group_of.get(requirement, "")
        reasons = (one for one in self.reasons if one.is_about(requirement, group, kind))
        return Cell(requirement, kind, deviations, None if deviations else next(reasons, None))

    def troubles(self) -> Iterator[str]:
        """What is wrong with the tables, a line each."""
        known = {requirement.id for requirement in self.requirements}
        listed = [requirement for group in self.groups for requirement in group.requirements]
        for requirement in sorted(known - set(listed)):
            yield f"{requirement}: in no group"
        for requirement in sorted({one for one in listed if one not in known or listed.count(one) > 1}):
            yield f"{requirement}: no case judges it, or it is in two groups"
        for cell in self.cells.values():
            if not cell.content and cell.requirement in self.group_of:
                yield f"{cell.requirement} ({self.group_of[cell.requirement]}), {cell.kind}: empty"
        used = {id(cell.reason) for cell in self.cells.values() if cell.reason}
        names = [group.name for group in self.groups]
        for reason in self.reasons:
            yield from self._troubles_of(reason, names, used)

    def _troubles_of(self, reason: Reason, names: list[str], used: set[int]) -> Iterator[str]:
        if id(reason) not in used:
            yield f"fills no cell: {reason.text}"
        if (
            reason.why not in WHYS
            or not {*reason.kinds} <= {*KINDS}
            or not all(filter(names, one) for one in reason.groups)
        ):
            yield f"unknown why, kind or group: {reason.text}"
        if (reason.why == "elsewhere") != bool(reason.seen_by):
            yield f"seen_by is for elsewhere, and elsewhere needs it: {reason.text}"
        if (reason.why == "open") != (reason.risk in RISKS):
            yield f"risk is for what is open, and that needs one of {', '.join(RISKS)}: {reason.text}"
        for kind in reason.kinds:
            if reason.seen_by and not any((one, kind) in self.deviations for one in reason.seen_by):
                yield f"no deviation of kind {kind} is caught by {', '.join(reason.seen_by)}: {reason.text}"


def _reason(table: dict[str, Any]) -> Reason:
    lists = {name: tuple(value) for name, value in table.items() if isinstance(value, list)}
    return Reason(**{**table, **lists, "text": " ".join(table["text"].split())})


def judged() -> list[Requirement]:
    """The musts and shoulds that a case judges, in the order of the catalogue."""
    judged_ids = {use.requirement for use in find_uses(FOLDER)}
    return [one for one in load() if one.id in judged_ids and one.strength in "MS"]
