# SPDX-License-Identifier: GPL-2.0-or-later
"""`make power` goes on where it stopped: what has passed for this very tree is not run again."""

import hashlib
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.power.certified import ALL_CASES, ROOT

JOURNAL = ROOT / "out/power/passed.txt"
_LONG = (
    "test_deviation_is_caught_where_it_belongs",
    "test_variant_fails_nowhere",
    "test_hollow_device_passes_in_no_must",
)


def tree() -> str:
    """The tree with its changes, in a few digits; empty where git does not know it."""
    said = [
        subprocess.run(["git", *words], cwd=ROOT, capture_output=True, check=False).stdout
        for words in (["rev-parse", "HEAD^{tree}"], ["diff", "HEAD"])
    ]
    return hashlib.sha256(b"".join(said)).hexdigest()[:16] if said[0] else ""


def pytest_configure(config: pytest.Config) -> None:
    """Keep the journal where everything is run; workers leave that to the controller."""
    if ALL_CASES and (version := tree()):
        config.pluginmanager.register(Resuming(version, JOURNAL, writes=not hasattr(config, "workerinput")))


class Resuming:
    """Deselects what has passed before, and notes what passes: a line each, the tree in front."""

    def __init__(self, version: str, journal: Path, *, writes: bool) -> None:
        self._version = version
        self._journal = journal
        self._writes = writes
        lines = journal.read_text().splitlines() if journal.exists() else []
        self._passed = {node for at, _, node in (line.partition(" ") for line in lines) if at == version}

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Leave out what has passed."""
        known = [item for item in items if item.nodeid in self._passed]
        config.hook.pytest_deselected(items=known)
        items[:] = [item for item in items if item.nodeid not in self._passed]

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Note what has passed."""
        if self._writes and report.when == "call" and report.passed and any(name in report.nodeid for name in _LONG):
            self._journal.parent.mkdir(parents=True, exist_ok=True)
            with self._journal.open("a") as journal:
                journal.write(f"{self._version} {report.nodeid}\n")
