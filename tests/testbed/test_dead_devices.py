# SPDX-License-Identifier: GPL-2.0-or-later
"""A device that is not there any more is told at once: the cause, its last lines and its exit code, and briefly."""

import re
import time
from pathlib import Path

import pytest

from tests.testbed.free_machine import measured
from tests.testbed.lab import puppet_profile
from tests.testbed.runs import Run, made_up, run

WITHIN_S = 5.0
"""On a machine that has nothing else to do."""

MOST_LINES = 25

CASES = """
    @pytest.mark.parametrize("number", range(60))
    @valid
    @requirement(MUST, case=1)
    def test_talks(case, number):
        peer = connect(case, new_peer(case, case.station()))
        exchange(case, peer, b"hello")
        if number % 2:
            case.wait_until(case.clock.now_ns() + 60 * NANO)

    @valid
    @requirement(MUST, case=2)
    def test_ends_the_device(case):
        case.wait_until(case.clock.now_ns() + 2 * NANO)
        agent = case.setup.dut.upper_tester()
        for number in range(30):
            agent.call("say", text=f"{number} " + "degrees " * 60)
        agent.call("say", text="the fan has stopped")
        print(f"\\nfound at {time.time()}", file=open(os.environ["RELEASE"], "a"))
        agent.ask("end", code=42)
        case.wait_until(case.clock.now_ns() + 60 * NANO)
"""


def lines(done: Run) -> int:
    """Lines on the console that say anything, once it has said how far the run has come."""
    output = done.output[max(0, done.output.find("puppet: error")) :]
    return len([line for line in output.splitlines() if line.strip()])


@pytest.mark.parametrize("processes", ["0", "2"])
def test_the_end_of_a_device_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, processes: str) -> None:
    monkeypatch.setenv("RELEASE", str(mark := tmp_path / "found"))
    cases, profile = made_up(tmp_path, CASES), puppet_profile(tmp_path)
    with measured() as slowness:
        done = run(cases, profile, tmp_path, "-k", "ipv4", "-n", processes)
    ended = time.time()
    found = float(re.findall(r"found at (\S+)", mark.read_text())[0])
    assert done.code == 8, done.output
    assert ended - found < WITHIN_S * slowness.factor
    said = " ".join(done.output.split())
    assert "the device ended with exit code 42" in said
    assert "the fan has stopped" in said
    assert lines(done) <= MOST_LINES, done.output
    assert len(done.results["cases"]) == 61


@pytest.mark.parametrize("processes", ["0", "2"])
def test_a_device_that_does_not_start_is_told_at_once(tmp_path: Path, processes: str) -> None:
    cases = made_up(tmp_path, CASES)
    began = time.time()
    with measured() as slowness:
        done = run(cases, puppet_profile(tmp_path, "--be", "dead"), tmp_path, "-k", "ipv4", "-n", processes)
    took = time.time() - began
    assert done.code == 8, done.output
    assert took < WITHIN_S * slowness.factor
    said = " ".join(done.output.split())
    assert "ended with exit code 3 before it was ready cannot live" in said
    assert lines(done) <= MOST_LINES, done.output


def test_a_device_that_ends_after_some_connections(tmp_path: Path) -> None:
    done = run(made_up(tmp_path, CASES), puppet_profile(tmp_path, "--be", "mortal"), tmp_path, "-k", "ipv4", "-n", "0")
    assert done.code == 8, done.output
    assert "the device ended with exit code 3 the end is near" in " ".join(done.output.split())
    assert lines(done) <= MOST_LINES, done.output


@pytest.mark.parametrize("processes", ["0", "2"])
def test_nothing_claimed_is_told_at_once(tmp_path: Path, processes: str) -> None:
    profile = puppet_profile(tmp_path, changes=[('roles = ["server"]', "roles = []")])
    began = time.time()
    with measured() as slowness:
        done = run("conformance", profile, tmp_path, "-n", processes)
    took = time.time() - began
    assert done.code == 5, done.output
    assert took < WITHIN_S * slowness.factor
    assert "ics names no role, so there is nothing to judge; allowed are ics.mops.roles" in " ".join(
        done.output.split()
    )
    assert lines(done) <= 3, done.output
    assert not [*(tmp_path / "report").iterdir()]
