# SPDX-License-Identifier: GPL-2.0-or-later
"""However a run ends, no process, namespace or interface outlives it, and what it knew is on disk."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from reports.verdicts import ExitCode
from tests.testbed.going import Going
from tests.testbed.lab import ROOT, puppet_profile
from tests.testbed.runs import SHORT, command, made_up

CASES = """
    @pytest.mark.parametrize("number", range(12))
    @valid
    @requirement(MUST, case=1)
    def test_waits(case, number):
        exchange(case, connect(case, new_peer(case, case.station())), b"hello")
        if not os.path.exists(os.environ["RELEASE"]):
            if number > 3:
                open(f"{os.environ['RELEASE']}-waited-for-by-{os.getpid()}", "w").close()
            case.wait_until(case.clock.now_ns() + (60 if number > 3 else 0.3 * number) * NANO)
"""
FRESH_DEVICES = """
    @pytest.mark.parametrize("number", range(200))
    @exclusive("so that devices come and go")
    @valid
    @requirement(MUST, case=1)
    def test_takes_a_device(case, number):
        exchange(case, connect(case, new_peer(case, case.station())), b"hello")
        case.wait_until(case.clock.now_ns() + NANO // 10)
"""
WARM, SUPERVISORS, ANY = "--fork-server", "testbed.device.namespaces", ""
"""Words in the commands: fork servers with their hosts and agents, supervisors with their probes, all of a run."""

TRIES = 20 if os.environ.get("ALL_CASES") else 4
TIMEOUT_S = 120


class Waiting(Going):
    """A run under way, of cases that wait until they are released."""

    def __init__(self, folder: Path, *options: str, cases: str = CASES, profile: Path | None = None) -> None:
        profile = profile or puppet_profile(folder)
        super().__init__(folder, command(made_up(folder, cases), profile, folder, "-k", "ipv4", *options))

    def await_cases(self, processes: int) -> None:
        """Wait until a case is reported, and one that takes a minute waits in each of that many test processes."""
        mark = Path(self.mark)
        _await(lambda: len([*mark.parent.glob(f"{mark.name}-waited-for-by-*")]) == processes, "cases that wait")
        _await(lambda: self.reported() >= 1, "the first cases")


def _await(condition, what: str) -> None:  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + TIMEOUT_S
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.05)


@pytest.fixture
def going(tmp_path: Path) -> Iterator[list[Waiting]]:
    """Runs that a test starts; whatever goes wrong, they do not stay."""
    started: list[Waiting] = []
    yield started
    for run in started:
        run.kill()
        run.process.communicate()


@pytest.mark.parametrize("processes", [1, 2])
def test_sigkill_leaves_nothing_behind_and_results_marked_incomplete(
    tmp_path: Path, going: list[Waiting], processes: int
) -> None:
    going.append(run := Waiting(tmp_path, "-n", "0" if processes == 1 else str(processes)))
    run.await_cases(processes)
    assert len(run.namespaces()) == 2 * processes
    interfaces = {entry.name for entry in Path("/sys/class/net").iterdir()}
    run.process.kill()
    run.process.wait()
    _await(run.is_gone, "the end of every process")
    assert {entry.name for entry in Path("/sys/class/net").iterdir()} == interfaces
    report = tmp_path / "report"
    assert not (report / "results.json").exists()
    *lines, _ = (report / "results.jsonl").read_bytes().split(b"\n")
    assert all(json.loads(line) for line in lines)
    subprocess.run([sys.executable, "-m", "reports", str(report)], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    results = json.loads((report / "results.json").read_text())
    assert results["state"] == "incomplete"
    assert len(results["cases"]) == len(lines) - 1 > 0
    assert "Incomplete" in (report / "certificate.html").read_text()


@pytest.mark.parametrize("number", range(TRIES))
def test_sigkill_of_any_process_at_any_moment_leaves_nothing_behind(
    tmp_path: Path, going: list[Waiting], number: int
) -> None:
    """All 20 tries with ALL_CASES=1."""
    chance = random.Random(number)
    interfaces = {entry.name for entry in Path("/sys/class/net").iterdir()}
    going.append(run := Waiting(tmp_path, "-n", "2", cases=FRESH_DEVICES, profile=SHORT))
    word = (WARM, ANY, SUPERVISORS, WARM)[number % 4]
    _await(lambda: bool(run.processes(word)), f"a process {word}")
    time.sleep(chance.uniform(0, 2))
    victims = run.processes(word) or run.processes()
    assert victims, "the run was over too soon"
    os.kill(chance.choice(victims), signal.SIGKILL)
    output, _ = run.process.communicate(timeout=TIMEOUT_S)
    _await(run.is_gone, "the end of every process")
    assert {entry.name for entry in Path("/sys/class/net").iterdir()} == interfaces
    assert "INTERNALERROR" not in output


@pytest.mark.parametrize(("number", "processes"), [(signal.SIGINT, 1), (signal.SIGTERM, 1), (signal.SIGINT, 2)])
def test_interrupted_run_ends_in_order(tmp_path: Path, going: list[Waiting], number: int, processes: int) -> None:
    going.append(run := Waiting(tmp_path, "-n", "0" if processes == 1 else str(processes)))
    run.await_cases(processes)
    began = time.monotonic()
    run.interrupt(number)
    _assert_ended_in_order(run)
    assert time.monotonic() - began < 40, "the cases wait for 60 s"


@pytest.mark.parametrize("number", range(TRIES))
def test_who_interrupts_twice_gets_the_same(tmp_path: Path, going: list[Waiting], number: int) -> None:
    """All 20 tries with ALL_CASES=1."""
    chance = random.Random(number)
    processes = chance.choice([1, 2])
    going.append(run := Waiting(tmp_path, "-n", "0" if processes == 1 else str(processes)))
    run.await_cases(processes)
    for _ in range(chance.randint(2, 4)):
        with contextlib.suppress(ProcessLookupError):
            run.interrupt(chance.choice([signal.SIGINT, signal.SIGTERM]))
        time.sleep(chance.choice([0, 0.01, 0.1, 0.5]) * chance.random())
    _assert_ended_in_order(run)


def _assert_ended_in_order(run: Waiting) -> None:
    """As interrupted: what was decided is kept, and nothing is left."""
    output, _ = run.process.communicate(timeout=TIMEOUT_S)
    assert run.process.returncode == 2, output
    _await(run.is_gone, "the end of every process")
    results = json.loads((run.folder / "report/results.json").read_text())
    assert results["state"] == "incomplete"
    assert "interrupted" in results["reason"]
    assert results["cases"]
    assert "INTERNALERROR" not in output


def test_cases_of_a_killed_worker_are_run_by_another(tmp_path: Path, going: list[Waiting]) -> None:
    going.append(run := Waiting(tmp_path, "-n", "2"))
    run.await_cases(2)
    workers = run.workers()
    assert len(workers) == 2
    Path(run.mark).touch()  # from now on no case waits
    for number in workers:
        os.kill(number, signal.SIGKILL)
    output, _ = run.process.communicate(timeout=TIMEOUT_S)
    results = json.loads((tmp_path / "report/results.json").read_text())
    verdicts = [case["verdict"] for case in results["cases"]]
    assert len({case["id"] for case in results["cases"]}) == len(verdicts) == 12, output
    assert set(verdicts) == {"PASS"}
    assert run.process.returncode == ExitCode.PARTIAL, output
    _await(run.is_gone, "the end of every process")


def test_cases_of_a_killed_worker_that_nobody_can_run_are_not_run(tmp_path: Path, going: list[Waiting]) -> None:
    going.append(run := Waiting(tmp_path, "-n", "2", "--max-worker-restart=0"))
    run.await_cases(2)
    Path(run.mark).touch()
    os.kill(run.workers()[0], signal.SIGKILL)
    _await(lambda: len(run.workers()) == 1, "the end of the worker")
    for number in run.processes("puppet.py"):  # what waits in the other worker ends with its device
        os.kill(number, signal.SIGKILL)
    output, _ = run.process.communicate(timeout=TIMEOUT_S)
    results = json.loads((tmp_path / "report/results.json").read_text())
    verdicts = {case["id"]: case["verdict"] for case in results["cases"]}
    assert len(verdicts) == len(results["cases"]) == 12, output
    assert "NOT RUN" in verdicts.values()
    assert run.process.returncode == 8, output
    _await(run.is_gone, "the end of every process")
