# SPDX-License-Identifier: GPL-2.0-or-later
"""Devices beside each other: a column each, a row a requirement, grouped by section; one page that fetches nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from reports import pages
from reports.cases import Cases, InMemory
from reports.entries import RequirementResult
from reports.files import ResultsError, replace_file
from reports.folder import CERTIFICATE, RESULTS
from reports.journal import JOURNAL, read_journal
from reports.model import Results
from reports.verdicts import LOUDEST_FIRST, STRENGTHS, Verdict

NOT_CLAIMED = "not claimed"
_LONGEST_REASON = 300


@dataclass(frozen=True)
class Column:
    """A device: what it is called here, its results, where its certificate lies as seen from the page, its reasons."""

    name: str
    results: Results
    certificate: str
    reasons: dict[str, str]

    @cached_property
    def requirements(self) -> dict[str, RequirementResult]:
        """Its requirements by their ids."""
        return {one.id: one for one in self.results.requirements}


@dataclass(frozen=True)
class Cell:
    """What one device's cases say of one requirement."""

    verdict: str
    reason: str


@dataclass(frozen=True)
class Row:
    """A requirement, and a cell a device."""

    requirement: RequirementResult
    cells: list[Cell]

    @property
    def differs(self) -> bool:
        """Whether two devices that were judged by it came to different verdicts."""
        return len({cell.verdict for cell in self.cells} - {NOT_CLAIMED, Verdict.NOT_APPLICABLE}) > 1


@dataclass(frozen=True)
class Section:
    """The rows of one section of one specification."""

    title: str
    protocol: str
    specification: str
    rows: list[Row]

    def counts(self, place: int) -> Counter[str]:
        """How many requirements of the section came to which verdict, for one device."""
        return Counter(row.cells[place].verdict for row in self.rows)

    def verdict(self, place: int) -> str:
        """The loudest verdict of the section for one device."""
        counts = self.counts(place)
        order = sorted(LOUDEST_FIRST, key=lambda verdict: verdict is Verdict.INFO)  # a section that passes has passed
        return next((verdict for verdict in order if counts[verdict]), NOT_CLAIMED)


def read_columns(paths: Sequence[Path], page: Path) -> list[Column]:
    """The devices of these runs, each a results.json or the folder of a run; the first column is the first path's.

    Devices of the same name are told apart by the arguments of their command, or by their folders. Raises ResultsError
    with one line where a path is neither.
    """
    found = [(path if path.is_dir() else path.parent, *_read(path)) for path in paths]
    names = [results.dut.name for _, results, _ in found]
    columns: list[Column] = []
    for (folder, results, cases), name in zip(found, names, strict=True):
        if names.count(name) > 1:
            name = f"{name} {' '.join(results.dut.arguments).replace('--', '')}".strip()
        if name in {one.name for one in columns}:
            name = f"{name} ({folder.name})"
        columns.append(Column(name, results, _link(folder / CERTIFICATE, page), _reasons(results, cases)))
    return columns


def _read(path: Path) -> tuple[Results, Cases]:
    results = path / RESULTS if path.is_dir() else path
    if path.is_dir() and not results.exists() and (path / JOURNAL).exists():
        return read_journal(path / JOURNAL)
    loaded = Results.load(results)
    return loaded, InMemory(loaded.cases)


def _link(certificate: Path, page: Path) -> str:
    """The certificate as seen from the folder of the page; nothing where it is not there or not below it."""
    if certificate.exists() and certificate.resolve().is_relative_to(page.resolve().parent):
        return certificate.resolve().relative_to(page.resolve().parent).as_posix()
    return ""


def _reasons(results: Results, cases: Cases) -> dict[str, str]:
    """Why a requirement that is not passed is not: the reason of the first case that decided it."""
    index = {case.id: case for case in cases.index}
    found = {}
    for one in results.requirements:
        reason = one.reason
        if one.verdict not in (Verdict.PASS, Verdict.NOT_APPLICABLE):
            decided = next((name for name in one.cases if name in index and index[name].verdict is one.verdict), None)
            reason = cases.whole(index[decided]).reason if decided else reason
        found[one.id] = " ".join(reason.split())[:_LONGEST_REASON]
    return found


def sections(columns: Sequence[Column]) -> list[Section]:
    """Every section that any device was judged by, in the order of the catalogue."""
    requirements: dict[str, RequirementResult] = {}
    for column in columns:
        requirements |= {name: one for name, one in column.requirements.items() if name not in requirements}
    found: dict[str, Section] = {}
    for one in sorted(requirements.values(), key=lambda one: one.specification):
        section = found.setdefault(
            f"{one.specification} {one.section}", Section(one.section, one.section.split()[0], one.specification, [])
        )
        section.rows.append(Row(one, [_cell(column, one.id) for column in columns]))
    return list(found.values())


def _cell(column: Column, requirement: str) -> Cell:
    known = column.requirements.get(requirement)
    return Cell(str(known.verdict) if known else NOT_CLAIMED, column.reasons.get(requirement, ""))


def write_matrix(columns: Sequence[Column], path: Path) -> Path:
    """Write the page. ResultsError where there is nothing to show."""
    found = sections(columns)
    if not found:
        raise ResultsError(f"{path}: no requirement in any of the results: there is nothing to show")
    counts = [Counter(row.cells[place].verdict for one in found for row in one.rows) for place in range(len(columns))]
    verdicts = [*LOUDEST_FIRST, NOT_CLAIMED]
    page = pages.render_parts(
        "matrix.html",
        style="matrix.css",
        scripts=("matrix.js",),
        columns=columns,
        sections=found,
        counts=counts,
        verdicts=[one for one in verdicts if any(count[one] for count in counts)],
        protocols=list(dict.fromkeys(section.protocol for section in found)),
        strengths=STRENGTHS,
        rows=sum(len(section.rows) for section in found),
    )
    replace_file(path, (part.encode("utf-8") for part in page))
    return path
