# SPDX-License-Identifier: GPL-2.0-or-later
"""A run that is started from another folder, and the command by which it says that a case is run again."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

from reports.verdicts import ExitCode
from tests.testbed.lab import ROOT
from tests.testbed.runs import environment


def started(folder: Path, words: list[str]) -> str:
    """What a run in a folder says; it is of a part, in which nothing is broken."""
    done = subprocess.run(words, cwd=folder, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == ExitCode.PARTIAL, done.stdout + done.stderr
    return done.stdout


def test_what_comes_with_the_project_works_from_any_folder_and_again(tmp_path: Path) -> None:
    profile = str(ROOT / "profiles/reference.toml")
    command = [sys.executable, "-m", "pytest", str(ROOT / "conformance/mops/server"), "--dut", profile, "-q", "-n", "0"]
    started(tmp_path, [*command, "-k", "ipv4", "--requirement", "MOPS-4.1-03"])
    first = (tmp_path / "out/results.json").read_text()
    (case, *_) = json.loads(first)["cases"]
    started(tmp_path, shlex.split(case["rerun"]))
    again = json.loads((tmp_path / "out-rerun/results.json").read_text())
    assert [one["id"] for one in again["cases"]] == [case["id"]]
    assert (tmp_path / "out/results.json").read_text() == first
