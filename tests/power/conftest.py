# SPDX-License-Identifier: GPL-2.0-or-later
"""`make power` goes on where it stopped: what has passed for this very tree is not run again.

Of the tree counts what can change a verdict, and of the alterations each one's own entry: to correct one runs one.
"""

import json
import re
import zlib
from pathlib import Path
from typing import Any

import pytest

from tests.power.certified import ALL_CASES, ROOT, entries
from tests.power.mutants.tree import JUDGING, digest

JOURNAL = ROOT / ".journals/power/passed.txt"
COUNTS = (
    *(*JUDGING, "reports", "conftest.py", "pyproject.toml", "requirements.lock", "tests/power/hollow.toml"),
    *(str(file.relative_to(ROOT)) for file in sorted(Path(__file__).parent.glob("*.py"))),
)
_LONG = (
    "test_deviation_is_caught_where_it_belongs",
    "test_variant_fails_nowhere",
    "test_hollow_device_passes_in_no_must",
)


def _versions(version: str) -> dict[str, str]:
    """Of each alteration: the tree, and what its entry says, in a few digits."""
    altered = [*entries("deviation"), *entries("variant")]
    return {one.name: f"{version}-{_entry_digits([one.network, one.content])}" for one in altered}


def _entry_digits(said: list[Any]) -> str:
    return f"{zlib.crc32(json.dumps(said).encode()):08x}"


def pytest_configure(config: pytest.Config) -> None:
    """Keep the journal where everything is run; workers leave that to the controller."""
    if ALL_CASES:
        config.pluginmanager.register(Resuming(digest(COUNTS), JOURNAL, writes=not hasattr(config, "workerinput")))


class Resuming:
    """Deselects what has passed before, and notes what passes: a line each, the tree in front."""

    def __init__(self, version: str, journal: Path, *, writes: bool) -> None:
        self._version = version
        self._versions = _versions(version)
        self._journal = journal
        self._writes = writes
        self._passed = set(journal.read_text().splitlines()) if journal.exists() else set()

    def _line(self, node: str) -> str:
        (name,) = re.findall(r"\[(.*)\]$", node) or [""]
        return f"{self._versions.get(name, self._version)} {node}"

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Leave out what has passed."""
        known = [item for item in items if self._line(item.nodeid) in self._passed]
        config.hook.pytest_deselected(items=known)
        items[:] = [item for item in items if item not in known]

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Note what has passed."""
        if self._writes and report.when == "call" and report.passed and any(name in report.nodeid for name in _LONG):
            self._journal.parent.mkdir(parents=True, exist_ok=True)
            with self._journal.open("a") as journal:
                journal.write(self._line(report.nodeid) + "\n")
