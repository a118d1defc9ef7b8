# SPDX-License-Identifier: GPL-2.0-or-later
"""Two runs compared: what changed, what only one has, results of an older suite, many pairs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reports.__main__ import main
from reports.model import Results, Verdict
from tests.reports.samples import case, every_verdict, requirement, results

Captured = pytest.CaptureFixture[str]


def written(folder: Path, run: Results) -> Path:
    run.write(folder / "results.json")
    return folder


def compared(capsys: Captured, *arguments: Path | str) -> tuple[int, list[str]]:
    code = main(["compare", *map(str, arguments)])
    out, err = capsys.readouterr()
    assert err == ""
    return code, out.splitlines()


def run(a: Verdict, b: Verdict = Verdict.PASS, **changes: Any) -> Results:
    cases = [case("a[ipff]", a, ["MOPS-4.1-01"]), case("b[ipff]", b, ["MOPS-4.1-02"])]
    return results(cases, [requirement(1), requirement(2)], **changes)


def test_a_run_equals_itself(tmp_path: Path, capsys: Captured) -> None:
    folder = written(tmp_path, every_verdict())
    code, lines = compared(capsys, folder, folder / "results.json")
    assert code == 0
    assert lines == ["11 requirements and 11 cases in both: no requirement changed; no case changed"]


def test_what_changed_comes_requirement_by_requirement_and_then_case_by_case(tmp_path: Path, capsys: Captured) -> None:
    old, new = written(tmp_path / "old", run(Verdict.PASS)), written(tmp_path / "new", run(Verdict.FAIL))
    code, lines = compared(capsys, old, new)
    identifier = run(Verdict.PASS).cases[0].id
    assert code == 1
    assert lines == [
        "Verdict of the run: conformant -> not conformant",
        "Requirements:",
        "  MOPS-4.1-01  PASS -> FAIL",
        "Cases:",
        f"  {identifier}  PASS -> FAIL",
        "2 requirements and 2 cases in both: 1 requirement changed; 1 case changed",
    ]


def test_what_only_one_has_is_a_change(tmp_path: Path, capsys: Captured) -> None:
    first, second = run(Verdict.PASS), run(Verdict.PASS)
    first.cases, first.requirements = first.cases[:1], first.requirements[:1]
    second.cases, second.requirements = second.cases[1:], second.requirements[1:]
    code, lines = compared(capsys, written(tmp_path / "old", first), written(tmp_path / "new", second))
    assert code == 1
    assert "  MOPS-4.1-01  PASS, only in old" in lines
    assert "  MOPS-4.1-02  PASS, only in new" in lines
    assert f"  {first.cases[0].id}  PASS, only in old" in lines
    assert f"  {second.cases[0].id}  PASS, only in new" in lines
    summary = "0 requirements and 0 cases in both: 1 requirement only in old, 1 only in new; 1 case only in old, 1 only"
    assert lines[-1] == f"{summary} in new"


def test_a_requirement_may_change_where_no_shared_case_does(tmp_path: Path, capsys: Captured) -> None:
    first, second = run(Verdict.PASS), run(Verdict.PASS)
    second.requirements = [second.requirements[0].model_copy(update={"verdict": Verdict.INFO}), second.requirements[1]]
    code, lines = compared(capsys, written(tmp_path / "old", first), written(tmp_path / "new", second))
    assert code == 1
    assert lines[:2] == ["Requirements:", "  MOPS-4.1-01  PASS -> INFO"]


def older(folder: Path, run: Results) -> Path:
    """As written by a suite that named cases by their node, and lacked keys of today."""
    written(folder, run)
    path = folder / "results.json"
    document = json.loads(path.read_text())
    del document["dut"]["networks"]
    for one in document["cases"]:
        one["id"] = one.pop("node")
    path.write_text(json.dumps(document))
    return folder


def test_results_without_case_ids_are_matched_by_node(tmp_path: Path, capsys: Captured) -> None:
    old, new = older(tmp_path / "old", run(Verdict.PASS)), written(tmp_path / "new", run(Verdict.PASS))
    assert compared(capsys, old, new)[0] == 0


def test_a_map_gives_old_cases_their_new_ids(tmp_path: Path, capsys: Captured) -> None:
    moved = run(Verdict.PASS)
    nodes = [one.node for one in moved.cases]
    moved.cases = [one.model_copy(update={"node": f"elsewhere.py::{one.id}"}) for one in moved.cases]
    old, new = older(tmp_path / "old", run(Verdict.PASS)), written(tmp_path / "new", moved)
    assert compared(capsys, old, new)[1][-1].endswith("2 cases only in old, 2 only in new")
    ids = tmp_path / "ids.json"
    ids.write_text(json.dumps(dict(zip(nodes, [one.id for one in moved.cases], strict=True))))
    assert compared(capsys, old, new, "--ids", ids)[0] == 0


def test_a_map_may_name_new_nodes_too(tmp_path: Path, capsys: Captured) -> None:
    moved = run(Verdict.PASS)
    nodes = {one.node: f"elsewhere.py::{one.id}" for one in moved.cases}
    moved.cases = [one.model_copy(update={"node": nodes[one.node]}) for one in moved.cases]
    (tmp_path / "ids.json").write_text(json.dumps(nodes))
    old, new = older(tmp_path / "old", run(Verdict.PASS)), written(tmp_path / "new", moved)
    assert compared(capsys, old, new, "--ids", tmp_path / "ids.json")[0] == 0


def devices(folder: Path, **runs: Results) -> Path:
    for name, one in runs.items():
        written(folder / name, one)
    return folder


def test_each_sub_folder_is_compared_with_its_like(tmp_path: Path, capsys: Captured) -> None:
    old = devices(tmp_path / "old", same=run(Verdict.PASS), worse=run(Verdict.PASS), gone=run(Verdict.PASS))
    new = devices(tmp_path / "new", same=run(Verdict.PASS), worse=run(Verdict.FAIL))
    code, lines = compared(capsys, "--each", old, new)
    assert code == 1
    assert lines[0] == "worse:"
    assert "    MOPS-4.1-01  PASS -> FAIL" in lines
    assert any(line.split() == ["|", "worse", "|", "1", "|", "1", "|", "0", "|", "0", "|"] for line in lines)
    assert not any(line.startswith("same") for line in lines)
    assert lines[-2] == "gone  only in old"
    assert lines[-1] == "2 runs in both: 1 changed (1 requirement changed; 1 case changed); 1 only in old or new"
    assert compared(capsys, "--each", new, new)[0] == 0


def test_runs_may_be_paired_by_their_device(tmp_path: Path, capsys: Captured) -> None:
    def deviating(name: str, verdict: Verdict) -> Results:
        made = run(verdict)
        update = {"arguments": ["--deviate", name], "profile": f"{name}/{verdict}/short.toml"}
        made.dut = made.dut.model_copy(update=update)
        return made

    old = devices(tmp_path / "old", x=deviating("one", Verdict.FAIL), y=deviating("two", Verdict.PASS))
    new = devices(tmp_path / "new", x=deviating("two", Verdict.PASS), z=deviating("one", Verdict.FAIL))
    assert compared(capsys, "--each", "--by", "device", old, new)[0] == 0
    assert compared(capsys, "--each", old, new)[0] == 1


def test_wrong_input_is_one_line_and_exit_code_2(tmp_path: Path, capsys: Captured) -> None:
    good = written(tmp_path / "good", run(Verdict.PASS))
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "results.json").write_text('{"schema": 1, "verdict": "conformant"}')
    (tmp_path / "ids.json").write_text('{"a": 1}')
    twins = {one.id: "the same" for one in run(Verdict.PASS).cases}
    (tmp_path / "twins.json").write_text(json.dumps(twins))
    devices(tmp_path / "pairs", x=run(Verdict.PASS), y=run(Verdict.PASS))
    for arguments, said in (
        ([good, tmp_path / "none"], "cannot be read"),
        ([good, tmp_path / "bad"], "requirements: is missing"),
        ([good, good, "--ids", tmp_path / "ids.json"], "a: must be the new id"),
        ([good, good, "--ids", tmp_path / "twins.json"], "becomes the same, as another old case does"),
        (["--each", good, tmp_path / "nothing"], "no results.json in a sub-folder"),
        (["--each", "--by", "device", tmp_path / "pairs", good], "a second run of this name"),
    ):
        assert main(["compare", *map(str, arguments)]) == 2
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == 1
        assert said in lines[0]
