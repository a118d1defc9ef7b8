# SPDX-License-Identifier: GPL-2.0-or-later
"""A device that can be one thing at a time: a run for each role (--role), and one report of them all."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from profiles import load
from reports.__main__ import main as reports
from reports.verdicts import ExitCode
from tests.testbed.runs import SHORT, Scenarios, run, scenarios

SERVER, HOST = "mops server", "rehash host"
ONE_CASE = {SERVER: "MOPS-4.1-10", HOST: "REHASH-6.1-01"}
CLAIMED = [role.qualified for role in load(SHORT).claimed]

RUNS = {
    SERVER: lambda folder: run("conformance", SHORT, folder, "--role", SERVER, "--requirement", ONE_CASE[SERVER]),
    HOST: lambda folder: run("conformance", SHORT, folder, "--role", HOST, "--requirement", ONE_CASE[HOST]),
    "unknown": lambda folder: run("conformance", SHORT, folder, "--role", "mops firewall"),
}


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenarios]:
    yield from scenarios(RUNS, request, tmp_path_factory)


@pytest.mark.parametrize(("role", "other"), [(SERVER, HOST), (HOST, SERVER)])
def test_a_run_of_one_role_speaks_of_that_role_alone(runs: Scenarios, role: str, other: str) -> None:
    done = runs(role)
    assert done.code == ExitCode.PARTIAL, done.output
    left_out = [one for one in CLAIMED if one != role]
    assert done.results["dut"]["left_out"] == left_out
    assert f"not probed in the claimed roles {', '.join(left_out)}" in " ".join(done.output.split())
    assert done.results["dut"]["roles"] == [role]
    names = {one["id"].partition("-")[0] for one in [*done.results["requirements"], *done.results["cases"]]}
    assert names == {ONE_CASE[role].partition("-")[0]}
    assert all(
        f"--role='{role}'" in case["rerun"] or f"'--role={role}'" in case["rerun"] for case in done.results["cases"]
    )


def test_a_role_that_is_not_claimed_is_one_line(runs: Scenarios) -> None:
    done = runs("unknown")
    assert done.code == 4
    assert f'--role "mops firewall": is not claimed; allowed are "{SERVER}", "{HOST}"' in done.output


def test_runs_of_several_roles_become_one_report(runs: Scenarios, tmp_path: Path) -> None:
    parts = [runs(SERVER), runs(HOST)]
    merged = tmp_path / "merged"
    assert reports(["merge", *(str(one.folder) for one in parts), "-o", str(merged)]) == ExitCode.PARTIAL
    results = json.loads((merged / "results.json").read_text())
    assert results["verdict"] == "partial"
    assert results["selection"] == [f"--requirement {identifier}" for identifier in ONE_CASE.values()]
    assert results["dut"]["left_out"] == [one for one in CLAIMED if one not in (SERVER, HOST)]
    assert results["dut"]["roles"] == [SERVER, HOST]
    for key in ("cases", "requirements"):
        assert results[key] == [entry for one in parts for entry in one.results[key]]
    assert {path.name for path in (merged / "evidence").iterdir()} == {
        path.name for one in parts for path in (one.folder / "evidence").iterdir()
    }
    assert (merged / "certificate.html").stat().st_size > 10_000


def test_runs_that_do_not_belong_together_are_refused(
    runs: Scenarios, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, copy = runs(SERVER).folder, tmp_path / "copy"
    assert reports(["merge", str(first), str(first), "-o", str(tmp_path / "twice")]) == 2
    assert "allowed are runs of other roles" in capsys.readouterr().err
    shutil.copytree(runs(HOST).folder, copy)
    journal = copy / "results.jsonl"
    journal.write_text(journal.read_text().replace("Roamproof reference host, short timers", "another box"))
    assert reports(["merge", str(first), str(copy), "-o", str(tmp_path / "others")]) == 2
    assert "dut.name: is not that of" in capsys.readouterr().err
    assert not (tmp_path / "others").exists()


def test_a_run_that_was_interrupted_leaves_the_report_incomplete(runs: Scenarios, tmp_path: Path) -> None:
    first, copy = runs(SERVER).folder, tmp_path / "copy"
    shutil.copytree(runs(HOST).folder, copy)
    journal = copy / "results.jsonl"
    lines = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join(lines[:-1]))
    assert reports(["merge", str(first), str(copy), "-o", str(tmp_path / "merged")]) == 2
    results = json.loads((tmp_path / "merged/results.json").read_text())
    assert (results["verdict"], results["state"]) == ("incomplete", "incomplete")
    assert str(copy) in results["reason"]


def test_the_folder_of_a_run_is_not_that_of_the_report(runs: Scenarios, capsys: pytest.CaptureFixture[str]) -> None:
    folder = runs(SERVER).folder
    assert reports(["merge", str(folder), "-o", str(folder)]) == 2
    assert "is the folder of the new report too" in capsys.readouterr().err
    assert (folder / "results.json").exists()
