# SPDX-License-Identifier: GPL-2.0-or-later
"""Nobody has to think about processes: as many as there are processors for whole folders, one for all else."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.testbed.lab import ROOT
from tests.testbed.runs import SHORT, UNBROKEN, command, environment, made_up, run

CASES = """
    @pytest.mark.parametrize("number", range(3))
    @valid
    @requirement(MUST, case=1)
    def test_passes(case, number):
        exchange(case, connect(case, new_peer(case, case.station())), b"hello")
"""
TOGETHER = """
    @pytest.mark.parametrize("number", range(9))
    @valid
    @requirement(MUST, case=1)
    def test_is_not_alone(case, number):
        folder = os.environ["TOGETHER"]
        open(f"{folder}/{number}", "w").close()
        case.look(lambda: next(case.trace.received(), None) if len(os.listdir(folder)) == 9 else None, case.deadline(5))
        assert len(os.listdir(folder)) == 9
"""
PROCESSORS = os.sched_getaffinity(0)


@pytest.fixture
def one_processor() -> Iterator[None]:
    """What is started meanwhile has one processor."""
    os.sched_setaffinity(0, {min(PROCESSORS)})
    yield
    os.sched_setaffinity(0, PROCESSORS)


def has_workers(folder: Path, cases: Path, *options: str) -> bool:
    """Whether the run, in which every case passes, had test processes of its own."""
    done = run(cases, SHORT, folder, "-vv", *options)
    assert done.code in UNBROKEN, done.output
    assert set(done.verdicts.values()) == {"PASS"}
    return "[gw0]" in done.output


def test_whole_folders_are_shared_among_processors(tmp_path: Path) -> None:
    """Without an option."""
    folder = made_up(tmp_path, CASES).parents[1]
    assert has_workers(tmp_path, folder) == (len(PROCESSORS) > 1)


@pytest.mark.usefixtures("one_processor")
def test_one_processor_has_one_process(tmp_path: Path) -> None:
    """There is nobody to share with."""
    assert not has_workers(tmp_path, made_up(tmp_path, CASES).parents[1])


@pytest.mark.usefixtures("one_processor")
def test_processes_that_the_user_wants_on_one_processor(tmp_path: Path) -> None:
    """They take turns."""
    assert has_workers(tmp_path, made_up(tmp_path, CASES).parents[1], "-n", "2")


@pytest.mark.parametrize("options", [["-n", "0"], ["-k", "passes"], ["-s"]], ids="".join)
def test_one_process_where_a_part_is_run_or_the_user_looks_on(tmp_path: Path, options: list[str]) -> None:
    """A worker would cost more than it saves, or be in the way."""
    assert not has_workers(tmp_path, made_up(tmp_path, CASES).parents[1], *options)


def test_one_process_for_one_file(tmp_path: Path) -> None:
    """As it is run again while somebody looks for what is wrong."""
    assert not has_workers(tmp_path, made_up(tmp_path, CASES))


def test_a_run_that_a_worker_of_another_has_started_starts_its_cases_at_once(tmp_path: Path) -> None:
    """That there are three of the others says nothing about this one."""
    (together := tmp_path / "together").mkdir()
    told = {"PYTEST_XDIST_WORKER_COUNT": "3", "PYTEST_XDIST_WORKER": "gw1", "TOGETHER": str(together)}
    words = command(made_up(tmp_path, TOGETHER), SHORT, tmp_path, "-k", "ipv4", "-n", "0")
    done = subprocess.run(words, cwd=ROOT, env={**environment(), **told}, capture_output=True, text=True, check=False)
    assert done.returncode in UNBROKEN, done.stdout
