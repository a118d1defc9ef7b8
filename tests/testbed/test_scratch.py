# SPDX-License-Identifier: GPL-2.0-or-later
"""Temporary folders: removed at the end, and by the next run where a run was killed."""

import os
import tempfile
import time
from pathlib import Path

import pytest

from testbed.device.scratch import Scratch


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def aged(folder: Path) -> Path:
    """A folder with a file, as of an hour ago."""
    folder.mkdir(exist_ok=True)
    (folder / "dut1.json").write_text("{}")
    os.utime(folder, (time.time() - 3600,) * 2)
    return folder


def test_what_a_killed_run_has_left_is_removed(temporary: Path) -> None:
    left = aged(temporary / "roamproof-run-left")
    others = aged(temporary / "somebody-else")
    Scratch().close()
    assert not left.exists()
    assert [*temporary.iterdir()] == [others]


def test_what_a_living_run_has_stays(temporary: Path) -> None:
    living = Scratch()
    aged(living.path)
    Scratch().close()
    assert [*living.path.iterdir()] == [living.path / "dut1.json"]
    living.close()
    assert not [*temporary.iterdir()]


def test_a_folder_that_is_only_just_made_stays(temporary: Path) -> None:
    (young := temporary / "roamproof-run-young").mkdir()
    Scratch().close()
    assert [*temporary.iterdir()] == [young]


def test_a_link_is_not_followed(temporary: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    mine = aged(tmp_path_factory.mktemp("mine"))
    (temporary / "roamproof-run-link").symlink_to(mine)
    Scratch().close()
    assert [*mine.iterdir()] == [mine / "dut1.json"]
