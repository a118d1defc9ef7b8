# SPDX-License-Identifier: GPL-2.0-or-later
"""Devices beside each other, and what got worse between two runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reports.compare import Change, Run, compare
from reports.files import ResultsError
from reports.matrix import read_columns, sections, write_matrix
from reports.model import Results, Verdict
from reports.regressions import has_regressed, is_worse, write_comparison
from tests.reports.page import Page
from tests.reports.samples import HOSTILE, case, hostile, requirement, results


def device(name: str, first: Verdict, *others: int, **changes: Any) -> Results:
    """A device that is judged by requirement 1, and by `others`, which pass."""
    cases = [case("a[ipff]", first, ["MOPS-4.1-01"], reason="" if first is Verdict.PASS else "because")]
    cases += [case(f"n{number}[ipff]", Verdict.PASS, [f"MOPS-4.1-{number:02}"]) for number in others]
    made = results(cases, [requirement(1), *map(requirement, others)], **changes)
    return made.model_copy(update={"dut": made.dut.model_copy(update={"name": name})})


def written(folder: Path, made: Results) -> Path:
    made.write(folder / "results.json")
    return folder


def test_a_column_a_device_and_a_row_a_requirement(tmp_path: Path) -> None:
    paths = [
        written(tmp_path / "a", device("A", Verdict.PASS, 2)),
        written(tmp_path / "b", device("B", Verdict.FAIL, 3)),
    ]
    (tmp_path / "a" / "certificate.html").write_text("")
    columns = read_columns(paths, tmp_path / "matrix.html")
    (section,) = sections(columns)
    assert [row.requirement.id for row in section.rows] == ["MOPS-4.1-01", "MOPS-4.1-02", "MOPS-4.1-03"]
    verdicts = [[cell.verdict for cell in row.cells] for row in section.rows]
    assert verdicts == [["PASS", "FAIL"], ["PASS", "not claimed"], ["not claimed", "PASS"]]
    assert [row.differs for row in section.rows] == [True, False, False]
    assert [section.verdict(place) for place in (0, 1)] == ["PASS", "FAIL"]
    page = Page(write_matrix(columns, tmp_path / "matrix.html").read_text())
    assert "a/certificate.html" in page.attributes("href")
    assert "because" in page.attributes("title")


def test_devices_of_one_name_are_told_apart(tmp_path: Path) -> None:
    same = device("A", Verdict.PASS)
    paths = [written(tmp_path / name, same) for name in ("x", "y")]
    first, second = (column.name for column in read_columns(paths, tmp_path / "m.html"))
    assert first != second


def test_the_page_fetches_nothing_and_shows_hostile_text_as_text(tmp_path: Path) -> None:
    paths = [written(tmp_path / "a", hostile()), written(tmp_path / "b", device(HOSTILE, Verdict.FAIL))]
    text = write_matrix(read_columns(paths, tmp_path / "m.html"), tmp_path / "m.html").read_text()
    page = Page(text)
    assert [tag for tag, _ in page.tags].count("script") == 1
    assert not [one for one in page.attributes("src") + page.attributes("href") if one.startswith("http")]
    assert "\u202e" not in text


def test_nothing_to_show_is_an_error(tmp_path: Path) -> None:
    columns = read_columns([written(tmp_path / "a", results([], []))], tmp_path / "m.html")
    with pytest.raises(ResultsError, match="there is nothing to show"):
        write_matrix(columns, tmp_path / "m.html")


@pytest.mark.parametrize(
    ("old", "new", "worse"),
    [
        (Verdict.PASS, Verdict.FAIL, True),
        (Verdict.PASS, Verdict.INCONCLUSIVE, True),
        (Verdict.PASS, Verdict.NOT_APPLICABLE, True),
        (Verdict.PASS, None, True),
        (Verdict.FAIL, None, False),
        (Verdict.FAIL, Verdict.PASS, False),
        (Verdict.NOT_RUN, Verdict.FAIL, True),
        (Verdict.INFO, Verdict.PASS, False),
        (None, Verdict.PASS, False),
        (None, Verdict.FAIL, True),
    ],
)
def test_what_is_a_regression(old: Verdict | None, new: Verdict | None, worse: bool) -> None:
    assert is_worse(Change("MOPS-4.1-01", old, new)) is worse


def test_the_comparison_as_a_page_has_what_got_worse_first(tmp_path: Path) -> None:
    old, new = device("A", Verdict.PASS, 2), device("A", Verdict.FAIL, 3)
    runs = [Run.load(written(tmp_path / name, made)) for name, made in (("old", old), ("new", new))]
    comparison = compare(*runs)
    assert has_regressed(comparison)
    assert not has_regressed(compare(runs[0], runs[0]))
    page = Page(write_comparison(comparison, ("old", "new"), tmp_path / "c.html").read_text())
    changes = [text for text in page.texts["td"] if text in ("worse", "not worse")]
    assert changes == ["worse", "worse", "not worse", "worse", "worse", "not worse"]
