# SPDX-License-Identifier: GPL-2.0-or-later
"""`python -m reports coverage FILE`: the specifications with every sentence coloured by whether a case judges it.

FILE is what `python -m conformance.catalogue coverage --json FILE` has written.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args

from pydantic import Field, ValidationError

from reports import pages
from reports.entries import Frozen, Strength
from reports.files import ResultsError, expect_schema, one_line, read_object, replace_file
from reports.verdicts import STRENGTHS

SCHEMA = 1
State = Literal["with case", "with reason", "open", "not normative"]
STATES: tuple[State, ...] = get_args(State)


class Row(Frozen):
    """One line of the table: the requirements of a role, or of a whole protocol."""

    protocol: str
    role: str
    requirements: int
    states: dict[State, int]
    open_musts: int


class Statement(Frozen):
    """A requirement with what became of it."""

    id: str = Field(min_length=1)
    roles: list[str]
    strength: Strength
    statement: str
    reading: str
    ixit: list[str] = Field(description="keys of the profile that it depends on, claims and values")
    state: State
    no_case: str = Field(description="why no case judges it")
    cases: list[str]


class Piece(Frozen):
    """A stretch of the specification's text: a sentence with its state, or what stands between two."""

    text: str
    state: State | None
    quoted: dict[State, list[str]] = Field(description="ids of the requirements that quote it, by their state")
    reason: str = Field(description="why a sentence that sounds normative is not")
    figure: bool = Field(description="drawn rather than written")


class Part(Frozen):
    """A section of the specification."""

    id: str
    title: str
    reason: str = Field(description="why the whole section asks nothing of an implementation")
    states: dict[State, int]
    pieces: list[Piece]
    requirements: list[Statement]


class Specification(Frozen):
    """One protocol's text, section by section."""

    protocol: str
    specification: str
    parts: list[Part]


class Coverage(Frozen):
    """What the cases judge of all specifications."""

    schema_version: Literal[1] = Field(alias="schema")
    rows: list[Row]
    specifications: list[Specification]

    @classmethod
    def load(cls, path: Path) -> Coverage:
        """Read the file. Raises ResultsError with one line (file, key, what is allowed) if it is not one."""
        text, raw = read_object(path)
        expect_schema(path, raw, SCHEMA)
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise ResultsError(f"{path}: {one_line(error)}") from error


def render(coverage: Coverage) -> str:
    """The page as one HTML text."""
    return pages.render("coverage.html", style="coverage.css", coverage=coverage, states=STATES, strengths=STRENGTHS)


def main(arguments: Sequence[str]) -> int:
    """Write the page. Raises ResultsError or OSError when the input is wrong or the page cannot be written."""
    parser = argparse.ArgumentParser(prog="python -m reports coverage", description=__doc__.partition(": ")[2])
    parser.add_argument("data", type=Path, metavar="FILE", help="coverage as JSON")
    parser.add_argument("-o", "--output", type=Path, metavar="HTML", help="default: coverage.html beside FILE")
    options = parser.parse_args(arguments)
    output = options.output or options.data.with_name("coverage.html")
    replace_file(output, render(Coverage.load(options.data)).encode("utf-8"))
    sys.stdout.write(f"{output}: the specifications, every sentence coloured by state\n")
    return 0
