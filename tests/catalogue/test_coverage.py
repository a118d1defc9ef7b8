# SPDX-License-Identifier: GPL-2.0-or-later
"""Coverage of a small made-up catalogue by made-up cases."""

from pathlib import Path

import pytest

from conformance.catalogue import CatalogueError, load
from conformance.catalogue.coverage import Coverage, State
from tests.catalogue.toy import CATALOGUE, write_cases


def test_states(catalogue: Path, cases: Path) -> None:
    coverage = Coverage.of(load(catalogue), cases)
    assert {one.requirement.id: one.state for one in coverage.judged.values()} == {
        "TOY-1-01": State.CASE,
        "TOY-1-02": State.OPEN,
        "TOY-1-03": State.REASON,
    }
    assert coverage.judged["TOY-1-01"].cases == ("conformance/toy/test_1.py::test_hello",)


def test_rows_count_a_requirement_once_a_role(catalogue: Path, tmp_path: Path) -> None:
    coverage = Coverage.of(load(catalogue), write_cases(tmp_path, ""))
    assert [(row.role, row.requirements, row.states.get(State.OPEN, 0), row.open_musts) for row in coverage.rows()] == [
        ("mobile node", 1, 1, 1),
        ("server", 3, 2, 1),
        ("all roles", 3, 2, 1),
    ]


def test_unknown_id_is_refused(catalogue: Path, tmp_path: Path) -> None:
    cases = write_cases(tmp_path, '\n@requirement("TOY-1-77")\ndef test_a(): ...')
    with pytest.raises(CatalogueError, match=r"test_1.py:2: TOY-1-77: no such requirement"):
        Coverage.of(load(catalogue), cases)


def test_reason_beside_a_case_is_a_contradiction(catalogue: Path, tmp_path: Path) -> None:
    cases = write_cases(tmp_path, '@requirement("TOY-1-03")\ndef test_a(): ...')
    (line,) = Coverage.of(load(catalogue), cases).contradictions()
    assert line.startswith("TOY-1-03: no_case: set, but conformance/toy/test_1.py::test_a")


@pytest.mark.parametrize(
    ("section", "complete", "missing"),
    [
        ("Talking", ["server"], ["TOY-1-01", "TOY-1-02"]),
        ("Talking", ["mobile node"], ["TOY-1-01"]),
        ("Talking", ["mobile node", "server"], ["TOY-1-01", "TOY-1-01", "TOY-1-02"]),
        ("Talking", [], []),
        ("History & <more>", ["server"], []),
    ],
)
def test_gap_where_complete_is_a_contradiction(
    catalogue: Path, tmp_path: Path, section: str, complete: list[str], missing: list[str]
) -> None:
    title = f'title = "{section}"'
    text = CATALOGUE.replace(title, f"{title}\ncomplete = {complete}")
    (catalogue / "toy/requirements.toml").write_text(text)
    lines = Coverage.of(load(catalogue), write_cases(tmp_path, "")).contradictions()
    assert sorted(line.split(":")[0] for line in lines) == missing


def test_sentences_carry_their_state(catalogue: Path, cases: Path) -> None:
    coverage = Coverage.of(load(catalogue), cases)
    (_, part, _) = coverage.parts(coverage.catalogue.protocols[0])
    states = {" ".join(piece.text.split()): piece.state for piece in part.pieces if piece.text.strip()}
    assert states == {
        "# 1. Talking": State.NONE,
        "A talker MUST say hello <first> & wait.": State.CASE,
        "It SHOULD be polite when it sets POLITE_FLAG.": State.OPEN,
        "History: nobody should have been rude.": State.NONE,
        "A talker may shout.": State.REASON,
    }
    assert "".join(piece.text for piece in part.pieces) == part_text(coverage)


def part_text(coverage: Coverage) -> str:
    text = coverage.catalogue.protocols[0].text
    return text.text[slice(*text.sections["1"])]
