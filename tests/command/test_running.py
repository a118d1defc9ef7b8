# SPDX-License-Identifier: GPL-2.0-or-later
"""Real runs of `roamproof certify`: what they print, go on with, and notice of files that others change."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from reports.bundle.verify import verify_bundle
from tests.reports.test_bundle import made_key
from tests.testbed.lab import ROOT

PROFILE = ROOT / "profiles/linux.toml"
FEW = [str(ROOT / "conformance/legacy/host"), "--requirement", "LEGACY-9293.3.1-01", "-n", "0"]
MOST_LINES = 25


def roamproof(*words: str | Path, folder: Path = ROOT) -> tuple[int, str]:
    """Exit code and output of the command."""
    command = [sys.executable, "-P", "-m", "conformance", *map(str, words)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("PYTEST_XDIST_WORKER", None)
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int, str]:
    """The folder of a signed run in a foreign folder, where modules lie that have the names of the suite's."""
    folder = tmp_path_factory.mktemp("run")
    for name in ("profiles", "reports", "conformance", "reference"):
        (folder / f"{name}.py").write_text("raise SystemExit('the wrong module')\n")
    code, output = roamproof("certify", "--dut", PROFILE, *FEW, "--sign-key", made_key(folder / "key"), folder=folder)
    return folder / "out", code, output


def cases(folder: Path) -> dict[str, str]:
    """The verdicts of a run."""
    return {one["id"]: one["verdict"] for one in json.loads((folder / "results.json").read_bytes())["cases"]}


def test_a_green_run_prints_few_lines_and_no_colour(run: tuple[Path, int, str]) -> None:
    folder, _, output = run
    assert len(cases(folder)) > 5
    assert len(output.splitlines()) <= MOST_LINES
    assert "\x1b" not in output
    assert "out/certificate.html" in output


def test_its_bundle_is_sound_and_its_certificate_names_the_key(run: tuple[Path, int, str]) -> None:
    found = verify_bundle(run[0] / "bundle.zip")
    assert found.wrong == []
    assert found.signature.startswith("signed with SHA256:")
    assert found.signature.split()[2].rstrip(";") in (run[0] / "certificate.html").read_text()


def test_a_run_that_was_killed_goes_on_where_it_was(run: tuple[Path, int, str], tmp_path: Path) -> None:
    folder = tmp_path / "out"
    subprocess.run(["cp", "-r", run[0], folder], check=True)
    whole = cases(folder)
    lines = (folder / "results.jsonl").read_bytes().splitlines(keepends=True)[:-1]
    for name in ("results.json", "certificate.html", "junit.xml", "bundle.zip"):
        (folder / name).unlink()
    (folder / "results.jsonl").write_bytes(b"".join(lines[:4]) + lines[4][:100])
    code, output = roamproof("resume", folder, "-n", "0", folder=run[0].parent)
    assert code == run[1], output
    assert cases(folder) == whole
    assert (folder / "results.jsonl").read_bytes().splitlines(keepends=True)[1:4] == lines[1:4]
    code, output = roamproof("resume", folder)
    assert (code, "came to its end" in output) == (4, True)


def test_a_run_goes_on_with_its_own_profile_alone(run: tuple[Path, int, str], tmp_path: Path) -> None:
    folder, profile = tmp_path / "out", tmp_path / "linux.toml"
    profile.write_text(PROFILE.read_text())
    assert roamproof("certify", "--dut", profile, "--report", folder, *FEW)[0] == run[1]
    lines = (folder / "results.jsonl").read_bytes().splitlines(keepends=True)
    killed = b"".join(lines[:3])
    (folder / "results.jsonl").write_bytes(killed)
    profile.write_text(PROFILE.read_text().replace("option_kind = 253", "option_kind = 254"))
    code, output = roamproof("resume", folder)
    assert code == 4
    assert "the profile is not that of the run" in output
    assert (folder / "results.jsonl").read_bytes() == killed
