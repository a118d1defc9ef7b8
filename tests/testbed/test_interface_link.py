# SPDX-License-Identifier: GPL-2.0-or-later
"""The interface link: the suite finds an interface and a device that are not its own, and touches nothing else."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.testbed.interface_runs import in_lab
from tests.testbed.runs import Run, Scenarios, made_up, scenarios

CASES = """
    @pytest.mark.parametrize("number", range(4))
    @valid
    @requirement(MUST, case=1)
    def test_echo(case, number):
        exchange(case, connect(case, new_peer(case, case.station())), b"hello")
"""


def _echo(folder: Path, *changes: tuple[str, str], processes: int = 0) -> Run:
    return in_lab(folder, made_up(folder, CASES), "-n", str(processes), changes=changes)


STAND_IN = """command = ["sh", "-c", '''echo '{"ready": true, "version": "9"}'; cat''']"""
"""For a command such as `ssh box daemon`: the device itself runs in the lab."""

RUNS = {
    "whole": lambda folder: in_lab(folder, "conformance/mops/server/test_4_1_reply.py", "-n", "2"),
    "own command": lambda folder: _echo(folder, ("[link]", f"{STAND_IN}\n[link]")),
    "command for two": lambda folder: _echo(folder, ("[link]", f"{STAND_IN}\n[link]"), processes=2),
    "wrong interface": lambda folder: _echo(folder, ('"lab0"', '"lab1"')),
    "nobody there": lambda folder: _echo(folder, ('"MAC"', '"02:00:00:00:00:00"')),
    "too few addresses": lambda folder: _echo(folder, ('"525.8.78.15.999"', '"525.8.78.0.17"'), processes=2),
}


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenarios]:
    yield from scenarios(RUNS, request, tmp_path_factory)


def test_a_device_on_the_labs_wire_is_certified_by_two_processes(runs: Scenarios) -> None:
    done = runs("whole")
    assert done.code == 0, done.output
    assert len(done.verdicts) > 20
    assert set(done.verdicts.values()) <= {"PASS", "INFO", "NOT APPLICABLE"}
    addresses = {frame["source"] for case in done.results["cases"] for frame in case.get("frames", [])}
    assert addresses, "frames were seen on the lab's wire"


def test_a_command_of_ones_own_starts_the_device(runs: Scenarios) -> None:
    done = runs("own command")
    assert done.code == 0, done.output
    assert done.results["dut"]["version"] == "9"


def test_a_command_is_not_started_by_two_processes(runs: Scenarios) -> None:
    done = runs("command for two")
    assert done.code == 4
    assert "dut.command on a real interface is for one process: allowed is -n 0" in done.output


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("wrong interface", "link.interface: lab1: No such device"),
        ("nobody there", "no echo service at"),
        ("too few addresses", "must hold at least 32 addresses for 2 test processes"),
    ],
)
def test_what_is_wrong_with_the_wire_is_told_in_one_line(runs: Scenarios, name: str, reason: str) -> None:
    done = runs(name)
    assert done.code == 8, done.output
    assert reason in done.results["reason"]
    assert set(done.verdicts.values()) == {"NOT RUN"}
