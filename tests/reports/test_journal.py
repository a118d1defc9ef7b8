# SPDX-License-Identifier: GPL-2.0-or-later
"""The journal: true at every moment of a kill, and results.json and certificate from what it holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reports.__main__ import main
from reports.files import as_json
from reports.journal import JOURNAL, read_journal
from reports.keeper import Keeper
from reports.model import CaseResult, Results, ResultsError, RunVerdict, Verdict
from tests.reports.samples import STARTED, every_verdict, hostile

FIGURES = {"waits_sum_s": 1.5, "longest_chain_s": 1.0, "cpu_s": 2.0, "lost": "", "device": ("wanderer", "9.1")}


def told(case: CaseResult) -> dict[str, Any]:
    """What a worker tells of a case."""
    head = {"id": case.id, "verdict": str(case.verdict), "requirements": case.requirements}
    return head | {"line": as_json(case)}


def empty(run: Results) -> Results:
    """The same run before its first case."""
    unjudged = [one.model_copy(update={"verdict": Verdict.NOT_RUN, "cases": []}) for one in run.requirements]
    kept = {name: getattr(run, name) for name in ("suite", "command", "dut", "tester")}
    return Results(started=STARTED, requirements=unjudged, **kept)


@pytest.fixture(params=[every_verdict, hostile], ids=["every verdict", "hostile"])
def run(request: pytest.FixtureRequest) -> Results:
    made: Results = request.param()
    return made


def kept(run: Results, folder: Path) -> Keeper:
    """A run that goes on: every case is in."""
    keeper = Keeper(empty(run), folder)
    for case in run.cases:
        keeper.add(told(case))
    return keeper


def test_each_case_is_on_disk_at_once(tmp_path: Path) -> None:
    run = every_verdict()
    keeper = Keeper(empty(run), tmp_path)
    for number, case in enumerate(run.cases, 2):
        keeper.add(told(case))
        lines = (tmp_path / JOURNAL).read_bytes().splitlines()
        assert len(lines) == number
        assert lines[-1] == as_json(case)
    assert not (tmp_path / "results.json").exists()


def test_results_at_the_end_are_those_of_the_journal(run: Results, tmp_path: Path) -> None:
    keeper = kept(run, tmp_path)
    keeper.add_figures(FIGURES)
    assert keeper.close(strict=False) == 1
    document = Results.load(tmp_path / "results.json")
    assert (document.state, document.verdict, document.exit_code) == ("complete", RunVerdict.NOT_CONFORMANT, 1)
    stored = [json.loads(as_json(case)) for case in run.cases]
    assert [json.loads(as_json(case)) for case in document.cases] == stored
    assert [one.verdict for one in document.requirements] == [one.verdict for one in run.requirements]
    assert [len(one.cases) for one in document.requirements] == [len(one.cases) for one in run.requirements]
    assert (document.figures.cases, document.figures.cpu_s) == (len(run.cases), 2.0)
    assert main([str(tmp_path)]) == 0
    assert Results.load(tmp_path / "results.json") == document


def test_both_files_are_the_same_again_when_made_from_the_journal(tmp_path: Path) -> None:
    kept(every_verdict(), tmp_path).close(strict=False)
    before = [(tmp_path / name).read_bytes() for name in ("results.json", "certificate.html")]
    assert main([str(tmp_path)]) == 0
    assert [(tmp_path / name).read_bytes() for name in ("results.json", "certificate.html")] == before


def test_a_journal_cut_anywhere_holds_the_whole_lines(tmp_path: Path) -> None:
    """As SIGKILL, or a full disk, may leave it."""
    run = every_verdict()
    kept(run, tmp_path)
    path = tmp_path / JOURNAL
    whole = path.read_bytes()
    ends = [place for place, byte in enumerate(whole) if byte == ord("\n")]
    assert len(ends) == 1 + len(run.cases)
    for cut in (*range(ends[-2] - 2, len(whole) + 1, 97), *(end + more for end in ends for more in (0, 1, 2))):
        path.write_bytes(whole[:cut])
        complete = sum(end < cut for end in ends)
        if not complete:
            with pytest.raises(ResultsError, match="is empty"):
                read_journal(path)
            continue
        results, cases = read_journal(path)
        assert [one.id for one in cases.index] == [one.id for one in run.cases[: complete - 1]]
        assert results.state == "incomplete"


def test_the_command_makes_results_and_certificate_of_a_run_that_died(run: Results, tmp_path: Path) -> None:
    kept(run, tmp_path)
    with (tmp_path / JOURNAL).open("ab") as file:
        file.write(b'{"id":"MOPS-4.1-01.77[ip')
    assert main([str(tmp_path)]) == 0
    document = Results.load(tmp_path / "results.json")
    assert [case.verdict for case in document.cases] == [case.verdict for case in run.cases]
    assert (document.state, document.verdict) == ("incomplete", RunVerdict.INCOMPLETE)
    assert document.reason == "the run did not come to its end: this is what its journal holds"
    assert document.requirements[0].verdict == run.requirements[0].verdict
    assert "Incomplete, and already not conformant" in (tmp_path / "certificate.html").read_text()


def test_a_folder_without_a_journal_is_read_from_its_results(tmp_path: Path) -> None:
    every_verdict().write(tmp_path / "results.json")
    assert main([str(tmp_path), "-o", str(tmp_path / "c.html")]) == 0
    assert "Not conformant" in (tmp_path / "c.html").read_text()


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (b"{}", "line 2: id: is missing"),
        (b"nonsense", "line 2: "),
        (b'{"schema":2}', "schema: must be 1, not 2"),
        (as_json(every_verdict().cases[0]) + b"\n" + as_json(every_verdict().cases[0]), "may occur once"),
    ],
    ids=["no case", "no JSON", "another schema", "twice"],
)
def test_a_wrong_line_is_told(tmp_path: Path, line: bytes, complaint: str, capsys: pytest.CaptureFixture[str]) -> None:
    Keeper(empty(every_verdict()), tmp_path)
    with (tmp_path / JOURNAL).open("ab") as file:
        file.write(line + b"\n")
    assert main([str(tmp_path)]) == 2
    (told_line,) = capsys.readouterr().err.splitlines()
    assert str(tmp_path / JOURNAL) in told_line
    assert complaint in told_line
    assert not (tmp_path / "results.json").exists()


def test_a_journal_begins_with_its_head(tmp_path: Path) -> None:
    (tmp_path / JOURNAL).write_bytes(as_json(every_verdict().cases[0]) + b"\n")
    with pytest.raises(ResultsError, match="line 1: must be the head of a run"):
        read_journal(tmp_path / JOURNAL)
