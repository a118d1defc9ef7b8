# SPDX-License-Identifier: GPL-2.0-or-later
"""The folder of a report: of one run alone, and nothing that others wrote is touched."""

import subprocess
import sys
from pathlib import Path

import pytest

from reports.folder import FolderError, ReportFolder
from tests.testbed.lab import ROOT

EARLIER = {"results.jsonl": "head", "certificate.html": "<p>conformant", ".results.json.x7": "half a file"}


def filled(folder: Path, files: dict[str, str]) -> Path:
    """A folder with these files."""
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name).write_text(content)
    return folder


def held(folder: Path) -> dict[str, str]:
    """The files in a folder."""
    return {file.name: file.read_text() for file in folder.iterdir()}


def test_an_earlier_run_is_kept_beside(tmp_path: Path) -> None:
    out = filled(tmp_path / "out", EARLIER)
    ReportFolder(out)
    assert held(out) == {}
    assert held(tmp_path / "out.1") == EARLIER


def test_every_run_is_kept(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        filled(tmp_path / "out", {"junit.xml": str(number)})
        made = ReportFolder(tmp_path / "out")
        made.release()
    assert [held(tmp_path / f"out.{number}") for number in (1, 2, 3)] == [{"junit.xml": str(n)} for n in (1, 2, 3)]


def test_what_no_run_has_written_stays(tmp_path: Path) -> None:
    mine = {**EARLIER, "thesis.tex": "chapter 1", "notes": ""}
    out = filled(tmp_path / "out", mine)
    with pytest.raises(FolderError, match=r"holds notes and 1 more, which no run has written; allowed is a folder"):
        ReportFolder(out)
    assert held(out) == mine


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    for path in (tmp_path / "out", tmp_path / "out" / "deeper"):
        with pytest.raises(FolderError, match="is not a folder; allowed is"):
            ReportFolder(path)
    assert (tmp_path / "out").read_text() == "mine"


def test_of_two_runs_at_once_one_is_refused(tmp_path: Path) -> None:
    first = ReportFolder(tmp_path / "out")
    filled(first.path, EARLIER)
    with pytest.raises(FolderError, match="another run that goes on writes there; allowed is another folder"):
        ReportFolder(tmp_path / "out")
    assert held(first.path) == EARLIER
    first.release()
    ReportFolder(tmp_path / "out")


def test_a_refused_run_leaves_no_earlier_certificate(tmp_path: Path) -> None:
    out, profile = filled(tmp_path / "out", EARLIER), tmp_path / "wrong.toml"
    profile.write_text("[dut]\nname = 3\n")
    command = [sys.executable, "-m", "pytest", "conformance", "--dut", str(profile), "--report", str(out), "-q"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 4, done.stdout
    assert held(out) == {}
    assert held(tmp_path / "out.1") == EARLIER
