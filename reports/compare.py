# SPDX-License-Identifier: GPL-2.0-or-later
"""`python -m reports compare OLD NEW`: what two runs judged differently, requirement by requirement and case by case.

OLD and NEW are each a results.json or a folder with one. Requirements and cases are matched by their ids. Results that
an older suite has written may lack what is of no importance here; where their cases have no id but pytest's node id,
they are matched by the node id of the new cases, or by what --ids says. Exit code 0: nothing changed; 1: something did;
2: the input is wrong.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, Field, ValidationError
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from reports.files import ResultsError, expect_schema, one_line, read_object
from reports.model import SCHEMA
from reports.text import visible
from reports.verdicts import RunVerdict, Verdict

RESULTS = "results.json"


class _Judged(BaseModel):
    id: str = Field(min_length=1)
    node: str = ""
    verdict: Verdict


class _Device(BaseModel):
    profile: str = ""
    arguments: list[str] = []


class Run(BaseModel):
    """As much of results.json as is compared; other keys may be there or not."""

    verdict: RunVerdict
    dut: _Device = _Device()
    requirements: list[_Judged]
    cases: list[_Judged]

    @classmethod
    def load(cls, path: Path) -> Run:
        """Read a results.json, or that of a folder. Raises ResultsError with one line if it is not one."""
        path = path / RESULTS if path.is_dir() else path
        _, raw = read_object(path)
        expect_schema(path, raw, SCHEMA)
        try:
            return cls.model_validate(raw)
        except ValidationError as error:
            raise ResultsError(f"{path}: {one_line(error)}") from error

    @property
    def device(self) -> str:
        """Name of the profile and arguments of the device, which two runs of the same deviation share."""
        return " ".join([Path(self.dut.profile).name, *self.dut.arguments])


class Change(NamedTuple):
    """An id that has another verdict than before, or that only one of the two runs has."""

    id: str
    old: Verdict | None
    new: Verdict | None

    def __str__(self) -> str:
        if self.old is None:
            return f"{self.id}  {self.new}, only in new"
        if self.new is None:
            return f"{self.id}  {self.old}, only in old"
        return f"{self.id}  {self.old} -> {self.new}"


@dataclass(frozen=True)
class Comparison:
    """What changed from one run to the other, and how many ids both have."""

    verdicts: tuple[RunVerdict, RunVerdict]
    requirements: list[Change]
    cases: list[Change]
    shared_requirements: int
    shared_cases: int

    @property
    def same(self) -> bool:
        return self.verdicts[0] == self.verdicts[1] and not self.requirements and not self.cases

    @property
    def summary(self) -> str:
        """Everything in one line."""
        return (
            f"{self.shared_requirements} requirements and {self.shared_cases} cases in both: "
            f"{_counted(self.requirements, 'requirement')}; {_counted(self.cases, 'case')}"
        )


def compare(old: Run, new: Run, ids: Mapping[str, str] | None = None) -> Comparison:
    """Match the runs by id; `ids` gives the new id of an old case. ResultsError where two old cases become one."""
    nodes = {case.node: case.id for case in new.cases if case.node}
    known = ids or {}
    before: dict[str, Verdict] = {}
    for case in old.cases:
        name = known.get(case.id) or known.get(case.node) or case.id
        name = nodes.get(name, name)
        if name in before:
            raise ResultsError(f"{case.id}: becomes {name}, as another old case does; allowed is a new id each")
        before[name] = case.verdict
    cases, shared_cases = _changes(before, {case.id: case.verdict for case in new.cases})
    requirements, shared = _changes(*({one.id: one.verdict for one in run.requirements} for run in (old, new)))
    return Comparison((old.verdict, new.verdict), requirements, cases, shared, shared_cases)


def _changes(old: Mapping[str, Verdict], new: Mapping[str, Verdict]) -> tuple[list[Change], int]:
    shared = [name for name in old if name in new]
    changed = [Change(name, old[name], new[name]) for name in shared if old[name] != new[name]]
    changed += [Change(name, verdict, None) for name, verdict in old.items() if name not in new]
    changed += [Change(name, None, verdict) for name, verdict in new.items() if name not in old]
    return changed, len(shared)


def _counted(changes: Iterable[Change], noun: str) -> str:
    numbers = _numbers(changes)
    if not any(numbers):
        return f"no {noun} changed"
    words = ("changed", "only in old", "only in new")
    first, *rest = (f"{number} {word}" for number, word in zip(numbers, words, strict=True) if number)
    number, _, word = first.partition(" ")
    return ", ".join([f"{number} {noun}{'s' if number != '1' else ''} {word}", *rest])


def _numbers(changes: Iterable[Change]) -> tuple[int, int, int]:
    """Changed, only in old, only in new."""
    kinds = [(change.old is None, change.new is None) for change in changes]
    return kinds.count((False, False)), kinds.count((False, True)), kinds.count((True, False))


# -- many pairs ---------------------------------------------------------------------------------------------------


def runs_below(folder: Path, by: str) -> dict[str, Run]:
    """Every run below a folder, by sub-folder or by profile and arguments of its device.

    Raises ResultsError where there is none, and where two runs have the same name.
    """
    found: dict[str, Run] = {}
    for path in sorted(folder.rglob(RESULTS)):
        run = Run.load(path)
        name = run.device if by == "device" else str(path.parent.relative_to(folder))
        if name in found:
            raise ResultsError(f"{path}: {name}: a second run of this name; allowed is one each")
        found[name] = run
    if not found:
        raise ResultsError(f"{folder}: no {RESULTS} in a sub-folder")
    return found


def compare_each(
    old: Mapping[str, Run], new: Mapping[str, Run], ids: Mapping[str, str]
) -> tuple[dict[str, Comparison], list[str]]:
    """The comparisons of the runs that both have, by name, and a line for each run that only one has."""
    pairs = {name: compare(run, new[name], ids) for name, run in old.items() if name in new}
    alone = [f"{name}  only in old" for name in old if name not in new]
    return pairs, alone + [f"{name}  only in new" for name in new if name not in old]


# -- the command --------------------------------------------------------------------------------------------------


def main(arguments: Sequence[str], console: Console | None = None) -> int:
    """Print what changed; the exit code says whether anything did. ResultsError or OSError for wrong input."""
    options = _parser().parse_args(arguments)
    console = console or Console(soft_wrap=True)
    ids = _ids(options.ids) if options.ids else {}
    if not options.each:
        comparison = compare(Run.load(options.old), Run.load(options.new), ids)
        _print(comparison, console)
        _line(console, comparison.summary)
        return 0 if comparison.same else 1
    pairs, alone = compare_each(runs_below(options.old, options.by), runs_below(options.new, options.by), ids)
    changed = {name: comparison for name, comparison in pairs.items() if not comparison.same}
    for name, comparison in changed.items():
        _line(console, f"{name}:")
        _print(comparison, console, "  ")
    if changed:
        console.print(_table(changed))
    for line in alone:
        _line(console, line)
    kinds: list[tuple[Callable[[Comparison], list[Change]], str]] = [
        (lambda one: one.requirements, "requirement"),
        (lambda one: one.cases, "case"),
    ]
    details = [_counted([c for one in pairs.values() for c in take(one)], noun) for take, noun in kinds]
    _line(
        console,
        f"{len(pairs)} runs in both: {len(changed)} changed ({'; '.join(details)}); {len(alone)} only in old or new",
    )
    return 1 if changed or alone else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m reports compare",
        description=__doc__.partition(": ")[2],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("old", type=Path, metavar="OLD", help="results.json, or a folder with one")
    parser.add_argument("new", type=Path, metavar="NEW", help="the same of the run to compare with it")
    parser.add_argument("--ids", type=Path, metavar="FILE.json", help="an object: old case id or node id to new id")
    parser.add_argument("--each", action="store_true", help="compare every run below OLD with its like below NEW")
    parser.add_argument(
        "--by",
        choices=("folder", "device"),
        default="folder",
        help="with --each: runs are alike that lie in sub-folders of the same name, or that have the same name of "
        "profile and arguments of the device (default: folder)",
    )
    return parser


def _ids(path: Path) -> dict[str, str]:
    _, raw = read_object(path)
    if wrong := next((key for key, value in raw.items() if not isinstance(value, str) or not value), None):
        raise ResultsError(f"{path}: {wrong}: must be the new id, a text")
    return raw


def _print(comparison: Comparison, console: Console, indent: str = "") -> None:
    old, new = comparison.verdicts
    if old != new:
        _line(console, f"{indent}Verdict of the run: {old} -> {new}")
    for title, changes in (("Requirements", comparison.requirements), ("Cases", comparison.cases)):
        if changes:
            _line(console, f"{indent}{title}:")
        for change in changes:
            _line(console, f"{indent}  {change}")


def _table(changed: Mapping[str, Comparison]) -> Table:
    table = Table(box=box.ASCII)
    table.add_column("run", overflow="fold")
    for heading in ("requirements\nchanged", "cases\nchanged", "only\nin old", "only\nin new"):
        table.add_column(heading, justify="right")
    for name, comparison in changed.items():
        requirements, cases = _numbers(comparison.requirements), _numbers(comparison.cases)
        table.add_row(
            visible(name),
            str(requirements[0]),
            str(cases[0]),
            *(str(requirements[side] + cases[side]) for side in (1, 2)),
        )
    return table


def _line(console: Console, text: str) -> None:
    console.print(Text(visible(text)), soft_wrap=True)
