# SPDX-License-Identifier: GPL-2.0-or-later
"""How much of each specification the cases judge: a table for the terminal, and the text itself as data for a page."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from conformance.catalogue.cases import by_requirement, find_uses
from conformance.catalogue.model import Catalogue, CatalogueError, Protocol, Requirement
from conformance.catalogue.text import Span

SCHEMA = 1
"""The version of the JSON that `write_json` leaves."""


class State(Enum):
    """What became of a requirement, or of a sentence of the specification."""

    CASE = "with case"
    REASON = "with reason"
    OPEN = "open"
    NONE = "not normative"


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    protocol: str
    role: str
    requirements: int
    states: Mapping[State, int]
    open_musts: int


@dataclass(frozen=True)
class Judged:
    """A requirement with its state and its cases."""

    requirement: Requirement
    state: State
    cases: tuple[str, ...]


@dataclass(frozen=True)
class Piece:
    """A stretch of the specification's text: a sentence with its state, or what stands between two."""

    text: str
    state: State | None = None
    judged: tuple[Judged, ...] = ()
    reason: str = ""
    figure: bool = False


@dataclass(frozen=True)
class Part:
    """A section of the specification, ready to be shown."""

    id: str
    title: str
    reason: str
    pieces: tuple[Piece, ...]
    judged: tuple[Judged, ...]
    states: Mapping[State, int]


class Coverage:
    """The catalogue beside the cases."""

    def __init__(self, catalogue: Catalogue, cases: Mapping[str, list[str]]) -> None:
        self.catalogue = catalogue
        self._cases = cases

    @classmethod
    def of(cls, catalogue: Catalogue, folder: Path) -> "Coverage":
        """The coverage by the cases in `folder`. CatalogueError for a case that names an unknown requirement."""
        uses = find_uses(folder)
        for use in uses:
            if use.requirement not in catalogue:
                raise CatalogueError(
                    f"{use.path}:{use.line}: {use.requirement}: no such requirement; allowed are the catalogue's ids"
                )
        return cls(catalogue, by_requirement(uses))

    def judge(self, requirement: Requirement) -> Judged:
        """The requirement's state: a case counts more than a reason."""
        cases = tuple(self._cases.get(requirement.id, ()))
        state = State.CASE if cases else State.REASON if requirement.no_case else State.OPEN
        return Judged(requirement, state, cases)

    @cached_property
    def judged(self) -> dict[str, Judged]:
        """Every requirement with its state, by id."""
        return {requirement.id: self.judge(requirement) for requirement in self.catalogue}

    def contradictions(self) -> list[str]:
        """What self-tests refuse, a line each: a reason beside a case, and gaps where completeness is declared."""
        found = []
        for one in self.judged.values():
            requirement = one.requirement
            if one.cases and requirement.no_case:
                found.append(
                    f"{requirement.id}: no_case: set, but {one.cases[0]} is its case; allowed is one of the two"
                )
            if one.state is State.OPEN and requirement.strength != "I":
                complete = self.catalogue.protocol(requirement.protocol).section(requirement.section).complete
                found += [
                    f"{requirement.id}: no case and no reason, but {requirement.protocol} {requirement.section}, "
                    f"{role}, is declared complete"
                    for role in requirement.roles
                    if role in complete
                ]
        return found

    def rows(self) -> list[Row]:
        """For each protocol every role that has requirements, then all of them, each requirement counted once."""
        rows = []
        for protocol in self.catalogue.protocols:
            roles = [role for role in protocol.roles if any(role in one.roles for one in protocol.requirements)]
            rows += [self._row(protocol, role, [r for r in protocol.requirements if role in r.roles]) for role in roles]
            if len(roles) > 1:
                rows.append(self._row(protocol, "all roles", protocol.requirements))
        return rows

    def _row(self, protocol: Protocol, role: str, requirements: Iterable[Requirement]) -> Row:
        judged = [self.judged[requirement.id] for requirement in requirements]
        musts = [one for one in judged if one.state is State.OPEN and one.requirement.strength == "M"]
        return Row(protocol.name, role, len(judged), Counter(one.state for one in judged), len(musts))

    def parts(self, protocol: Protocol) -> list[Part]:
        """The specification's text, section by section."""
        return [self._part(protocol, section.id, section.title) for section in protocol.sections]

    def _part(self, protocol: Protocol, section: str, title: str) -> Part:
        judged = tuple(self.judged[one.id] for one in protocol.requirements if one.section == section)
        return Part(
            id=section,
            title=title,
            reason=protocol.reason(section),
            pieces=tuple(self._pieces(protocol, section)),
            judged=judged,
            states=Counter(one.state for one in judged),
        )

    def _pieces(self, protocol: Protocol, section: str) -> Iterator[Piece]:
        text = protocol.text
        whole = text.sections.get(section)
        if whole is None:
            return
        places = self._places(protocol)
        asides = [(span, entry.reason) for entry in protocol.unnormative for span in text.find(entry.quote, section)]
        position = whole.start
        for sentence in text.sentences(section):
            if position < sentence.start:
                yield Piece(text.text[position : sentence.start])
            position = sentence.end
            judged = {one.requirement.id: one for span, one in places if span.overlaps(sentence)}
            body = text.text[sentence.start : sentence.end]
            yield Piece(
                text=body,
                state=_together(one.state for one in judged.values()),
                judged=tuple(judged.values()),
                reason=next((reason for span, reason in asides if span.overlaps(sentence)), ""),
                figure=_is_figure(body),
            )
        yield Piece(text.text[position : whole.end])

    def _places(self, protocol: Protocol) -> list[tuple[Span, Judged]]:
        """Where the specification says what the requirements quote; a further quote may stand in another section."""
        text = protocol.text
        return [
            (span, self.judged[requirement.id])
            for requirement in protocol.requirements
            for quote in requirement.quotes
            for span in text.find(quote, requirement.section) or text.find(quote)
        ]


def _together(states: Iterable[State]) -> State:
    """The state of a sentence that several requirements quote: open as long as one of them is."""
    seen = set(states)
    return next((state for state in (State.OPEN, State.CASE, State.REASON) if state in seen), State.NONE)


def _is_figure(text: str) -> bool:
    """Whether the text is drawn rather than written."""
    return "\n" in text and any(mark in text for mark in ("+-", "|", "->", "\t", "    ", "{\n"))


def print_table(coverage: Coverage, console: Console) -> None:
    """The table for people in a terminal."""
    table = Table(title="Requirements of the catalogue", title_justify="left", box=box.SIMPLE, padding=(0, 1, 0, 0))
    table.add_column("protocol", no_wrap=True)
    table.add_column("role", no_wrap=True)
    for heading in ("total", "with case", "with reason", "open", "open musts"):
        table.add_column(heading, justify="right", no_wrap=True)
    rows = coverage.rows()
    for row, following in zip(rows, [*rows[1:], None], strict=True):
        counts = (row.requirements, *(row.states.get(state, 0) for state in State if state is not State.NONE))
        table.add_row(
            row.protocol,
            row.role,
            *(str(count) for count in (*counts, row.open_musts)),
            end_section=following is None or following.protocol != row.protocol,
        )
    console.print(table)


def write_json(coverage: Coverage, path: Path) -> None:
    """The table and the specifications, every sentence with its state, for `python -m reports coverage`."""
    specifications = [
        {
            "protocol": protocol.name,
            "specification": protocol.specification,
            "parts": [_part_data(part) for part in coverage.parts(protocol)],
        }
        for protocol in coverage.catalogue.protocols
    ]
    rows = [
        {
            "protocol": row.protocol,
            "role": row.role,
            "requirements": row.requirements,
            "states": _counted(row.states),
            "open_musts": row.open_musts,
        }
        for row in coverage.rows()
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"schema": SCHEMA, "rows": rows, "specifications": specifications}), encoding="utf-8")


def _counted(states: Mapping[State, int]) -> dict[str, int]:
    return {state.value: number for state, number in states.items()}


def _part_data(part: Part) -> dict[str, Any]:
    return {
        "id": part.id,
        "title": part.title,
        "reason": part.reason,
        "states": _counted(part.states),
        "pieces": [_piece_data(piece) for piece in part.pieces],
        "requirements": [
            {
                "id": one.requirement.id,
                "roles": one.requirement.roles,
                "strength": one.requirement.strength,
                "statement": one.requirement.statement,
                "reading": one.requirement.reading,
                "ixit": [*one.requirement.ics, *one.requirement.ixit],
                "state": one.state.value,
                "no_case": one.requirement.no_case,
                "cases": one.cases,
            }
            for one in part.judged
        ],
    }


def _piece_data(piece: Piece) -> dict[str, Any]:
    quoted: dict[str, list[str]] = {}
    for one in piece.judged:
        quoted.setdefault(one.state.value, []).append(one.requirement.id)
    return {
        "text": piece.text,
        "state": piece.state and piece.state.value,
        "quoted": quoted,
        "reason": piece.reason,
        "figure": piece.figure,
    }
