# SPDX-License-Identifier: GPL-2.0-or-later
"""A sample of `make chaos`: nothing stays behind, no result is invalid, no exit code wrong."""

import random
from pathlib import Path

import pytest

from tests.chaos.kinds import full_disk, hostile, kill, last_run, slow_disk

ATTEMPTS = {
    "kill 1": kill,
    "kill 2": kill,
    "disk full": full_disk,
    "disk slow": slow_disk,
    **{name: hostile(name) for name in ("bits-flipped", "processes-that-stay", "replies-of-controls")},
}


@pytest.mark.parametrize("name", ATTEMPTS)
def test_attempt(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    (place := tmp_path / "attempt").mkdir()
    words, found = ATTEMPTS[name](place, random.Random(name))
    assert not found.faults, (words, found.output)
    if name == "kill 1":
        assert not last_run(tmp_path, tmp_path)
