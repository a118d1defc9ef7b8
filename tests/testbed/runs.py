# SPDX-License-Identifier: GPL-2.0-or-later
"""Whole runs of pytest as a user starts them, on cases made up for the purpose or on real ones."""

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from profiles import Role
from tests.testbed.lab import ROOT, SERVER

SHORT = ROOT / "tests/profiles/short.toml"
TIMEOUT_S = 240
# Neither is needed, and Hypothesis takes half a second to say that it was not used.
PLUGINS = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest")
UNBROKEN = (0, 11)
"""Exit codes of a run in which nothing is broken: of all that applies, and of a part of it."""
_AT_ONCE = 3
_FEW = 3

HEAD = """
import os
import time
from pathlib import Path

import pytest

from testbed import exclusive, inopportune, requirement, valid, waits
from testbed.wire.clock import NANO
from testbed.case.case import Case
from testbed.peers.connection import connect, new_peer
from testbed.peers.host import MobileHost
from testbed.peers.stream import exchange
from testbed.interruptions import Inconclusive
from testbed.case.verdict import Broken, Finding, Witness

MUST, SHOULD, INFORMATION = "MOPS-4.1-01", "MOPS-4.1-08", "MOPS-4.1-30"
"""


@dataclass(frozen=True)
class Run:
    """What a run left behind."""

    code: int
    output: str
    folder: Path

    @property
    def results(self) -> dict[str, Any]:
        """results.json."""
        return dict(json.loads((self.folder / "results.json").read_text()))

    @property
    def verdicts(self) -> dict[str, str]:
        """Verdicts by the case's name: function and parameters."""
        return {case["node"].rpartition("::")[2]: case["verdict"] for case in self.results["cases"]}


def command(cases: Path | str, profile: Path, folder: Path, *arguments: str) -> list[str]:
    """The command of a run; `cases` is a file of made-up cases or a node id of the suite."""
    made_up = ["-p", "conftest"] if isinstance(cases, Path) else []
    # A folder of its own for pytest's temporary files: as root of a user namespace it would ask for that of another.
    options = ["--rootdir", str(ROOT), "-c", str(ROOT / "pyproject.toml"), "--basetemp", str(folder / "basetemp")]
    options += [*PLUGINS, "-q"]
    chosen = ["--dut", str(profile), "--report", str(folder / "report")]
    return [sys.executable, "-m", "pytest", str(cases), *options, *made_up, *chosen, *arguments]


def environment() -> dict[str, str]:
    """The environment without what an outer pytest has put there."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COLUMNS"))}


def run(cases: Path | str, profile: Path, folder: Path, *arguments: str) -> Run:
    """Run to the end."""
    done = subprocess.run(
        command(cases, profile, folder, *arguments),
        cwd=ROOT, env=environment(), timeout=TIMEOUT_S, text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    return Run(done.returncode, done.stdout, folder / "report")


def made_up(folder: Path, *bodies: str, role: Role = SERVER) -> Path:
    """A file of cases for a role."""
    path = folder / role.protocol / role.folder / "test_made_up.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEAD + "\n\n".join(textwrap.dedent(body) for body in bodies))
    return path


class Scenarios:
    """Runs by name, two at a time; where a whole module is tested all are started at once, in their order."""

    def __init__(self, runs: dict[str, Callable[[Path], Run]], folder: Path, *, ahead: bool) -> None:
        self._pool = ThreadPoolExecutor(_AT_ONCE)
        self._runs = runs
        self._folder = folder
        self._started: dict[str, Future[Run]] = {}
        for name in runs if ahead else ():
            self._start(name)

    def __call__(self, name: str) -> Run:
        """The run of this name; waits for it."""
        return self._start(name).result()

    def close(self) -> None:
        """Start nothing more and wait for what runs."""
        self._pool.shutdown(cancel_futures=True)

    def _start(self, name: str) -> Future[Run]:
        if name not in self._started:
            folder = self._folder / name.replace(" ", "-")
            folder.mkdir()
            self._started[name] = self._pool.submit(self._runs[name], folder)
        return self._started[name]


def scenarios(
    runs: dict[str, Callable[[Path], Run]], request: pytest.FixtureRequest, factory: pytest.TempPathFactory
) -> Iterator[Scenarios]:
    """Body of a module's fixture."""
    selected = [item for item in request.session.items if item.nodeid.startswith(request.node.nodeid)]
    found = Scenarios(runs, factory.mktemp("runs"), ahead=len(selected) > _FEW)
    yield found
    found.close()
