# SPDX-License-Identifier: GPL-2.0-or-later
"""The journal of a run, results.jsonl: a line for each case as soon as it is known, never rewritten.

The first line is the head: results.json without cases, while nothing is judged. Lines of cases follow, each as the
process that ran the case has written it. A run that comes to its end appends the head once more, judged; without that
the run goes on or has died. A last line without its end was cut off by a kill and is no line.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from reports.cases import Cases, Kept, kept
from reports.entries import CaseResult, Figures
from reports.files import ResultsError, as_json, expect_schema, one_line, replace_file
from reports.model import SCHEMA, Results, aggregate
from reports.verdicts import Verdict

JOURNAL = "results.jsonl"

_HEAD = b'{"schema":'


class Journal(Cases):
    """The journal of the run that goes on. OSError where it cannot be written, as on a full disk.

    `earlier` are the cases that an earlier part of the run has told: they take the place of its journal, in one step.
    """

    def __init__(self, path: Path, results: Results, earlier: Sequence[dict[str, Any]] = ()) -> None:
        super().__init__()
        path.parent.mkdir(parents=True, exist_ok=True)
        if earlier:
            replace_file(path, (as_json(results, exclude={"cases"}) + b"\n", *(one["line"] + b"\n" for one in earlier)))
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._file = os.open(path, flags if earlier else flags | os.O_TRUNC, 0o666)
        self._size = 0
        self._written = hashlib.sha256()
        if earlier:
            self._take_up(as_json(results, exclude={"cases"}), earlier)
        else:
            self.write_head(results)

    def _take_up(self, head: bytes, earlier: Sequence[dict[str, Any]]) -> None:
        """Note the lines that are in the file already."""
        for line, told in [(head, None), *((told["line"], told) for told in earlier)]:
            if told:
                self.index.append(_kept(told, self._size))
            self._size += len(line) + 1
            self._written.update(line + b"\n")

    def write_head(self, results: Results) -> None:
        """Append the head as it is now."""
        self._append(as_json(results, exclude={"cases"}))

    def add(self, told: dict[str, Any]) -> None:
        """Append a case: its line, and beside it what is kept in memory."""
        line: bytes = told["line"]
        case = _kept(told, self._size)
        self._append(line)
        self.index.append(case)

    def line(self, case: Kept) -> bytes:
        return os.pread(self._file, case.size, case.place)

    def close(self) -> None:
        """Nothing can be read or written any more."""
        os.close(self._file)

    def _append(self, line: bytes) -> None:
        rest = memoryview(line + b"\n")
        size = self._size + len(rest)
        try:
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except OSError:
            os.ftruncate(self._file, self._size)  # half a line would spoil the next one
            raise
        self._size = size
        self._written.update(line + b"\n")

    def is_as_written(self) -> bool:
        """Whether the file holds what was written to it, told by the digest of the bytes as they went out."""
        found = hashlib.sha256()
        with open(os.dup(self._file), "rb") as file:
            file.seek(0)
            while part := file.read(1 << 20):
                found.update(part)
        return found.digest() == self._written.digest()


def _kept(told: dict[str, Any], place: int) -> Kept:
    case = Kept(told["id"], Verdict(told["verdict"]), tuple(told["requirements"]), 0)
    return kept(case, place, len(told["line"]))


class Found(Cases):
    """The cases of a journal that lies in a folder."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def line(self, case: Kept) -> bytes:
        with self._path.open("rb") as file:
            file.seek(case.place)
            return file.read(case.size)


def read_journal(path: Path) -> tuple[Results, Cases]:
    """What a journal tells: the results without cases, and the cases.

    Raises ResultsError with one line (file, line, key, what is allowed) if it is not a journal.
    """
    cases, results = Found(path), None
    try:
        for number, place, line in _lines(path):
            if line.startswith(_HEAD):
                results = _head(path, number, line)
            elif results is None:
                raise ResultsError(f"{path}: line {number}: must be the head of a run")
            else:
                cases.index.append(kept(_case(path, number, line), place, len(line)))
    except OSError as error:
        raise ResultsError(f"{path}: cannot be read: {error.strerror or error}") from error
    if results is None:
        raise ResultsError(f"{path}: is empty: the first line must be the head of a run")
    if len({case.id for case in cases.index}) < len(cases.index):
        raise ResultsError(f"{path}: every id of a case may occur once")
    results.requirements = aggregate(results.requirements, cases.index)
    if results.finished is None:
        wall_s = max(0.0, path.stat().st_mtime - results.started.timestamp())
        results.figures = Figures(wall_s=wall_s, cases=len(cases))
        results.reason = "the run did not come to its end: this is what its journal holds"
    return results, cases


def _lines(path: Path) -> Iterator[tuple[int, int, bytes]]:
    """Number, place and content of every whole line."""
    place = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.endswith(b"\n"):
                yield number, place, line[:-1]
            place += len(line)


def _head(path: Path, number: int, line: bytes) -> Results:
    try:
        expect_schema(path, json.loads(line), SCHEMA)
        return Results.model_validate_json(line)
    except ValidationError as error:
        raise ResultsError(f"{path}: line {number}: {one_line(error)}") from error
    except ValueError as error:
        raise error if isinstance(error, ResultsError) else ResultsError(f"{path}: line {number}: {error}") from error


def _case(path: Path, number: int, line: bytes) -> CaseResult:
    try:
        return CaseResult.model_validate_json(line)
    except ValidationError as error:
        raise ResultsError(f"{path}: line {number}: {one_line(error)}") from error
