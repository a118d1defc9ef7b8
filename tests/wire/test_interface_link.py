# SPDX-License-Identifier: GPL-2.0-or-later
"""The interface link: the suite finds an interface and a device that are not its own, and touches nothing else."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from profiles import ROLES, Role
from tests.testbed.lab import SERVER
from tests.testbed.runs import SHORT, UNBROKEN, Run, Scenarios, made_up, scenarios
from tests.wire.box import certify

ECHO = """
    @pytest.mark.parametrize("number", range(4))
    @valid
    @requirement(MUST, case=1)
    def test_echo(case, number):
        exchange(case, connect(case, new_peer(case, case.station())), b"hello")
"""
BETWEEN = """
    @exclusive("alone")
    @pytest.mark.parametrize("number", range(2))
    @valid
    @requirement(MUST, case=5)
    def test_at_the_end(case, number):
        exchange(case, connect(case, new_peer(case, case.station())), b"hello")
        Path(os.environ["UNPLUG"]).touch()
        time.sleep(0.2)
"""
LONG = """
    @valid
    @requirement(MUST, case=2)
    def test_long(case):
        peer = connect(case, new_peer(case, case.station()))
        exchange(case, peer, b"hello")
        Path(os.environ["UNPLUG"]).touch()
        case.watch(0.5)
"""
MOVED = """
    @pytest.mark.parametrize("number", range(3))
    @exclusive
    @valid
    @requirement(MUST, case=3)
    def test_moved(case, number):
        assert case.network.dut == "198.18.0.1", "the device is at its first address"
        case.setup.move("ipv4", "198.18.0.2")
        peer = new_peer(case, case.station())
        peer.remote = "198.18.0.2"
        exchange(case, connect(case, peer), b"hello")

    @valid
    @requirement(MUST, case=4)
    def test_left_open(case):
        station = case.station("198.19.0.200")
        connect(case, new_peer(case, station, port=4711))
"""
STAND_IN = """command = ["sh", "-c", '''echo '{"ready": true, "version": "9"}'; cat''']"""
"""For a command such as `ssh box daemon`: the device itself is there already."""


def _echo(folder: Path, *options: str, **choices: Any) -> Run:
    return _made_up(folder, ECHO, *options, **choices)[0]


def _made_up(folder: Path, cases: str, *options: str, role: Role = SERVER, **choices: Any) -> list[Run]:
    return certify(SHORT, role, folder, made_up(folder, cases, role=role), *options, **choices)


def _verbs(folder: Path) -> list[tuple[str, str]]:
    """Move and reset as shell commands."""
    verb = f"{sys.executable} -m tests.wire.verb {folder}/agent"
    table = f"[dut.verbs]\nmove = '{verb} move address={{address}}'\nreset = '{verb} move address=198.18.0.1'\n\n[link]"
    return [("[link]", table), ("agent = ", "# agent = ")]


REHASH_HOST = next(role for role in ROLES if role.qualified == "rehash host")

ONLY_IPV4 = ('networks = ["ipff", "ipv4"]', 'networks = ["ipv4"]')

RUNS = {
    "whole": lambda folder: certify(SHORT, SERVER, folder, "conformance/mops/server/test_4_1_reply.py")[0],
    "own command": lambda folder: _echo(folder, changes=[("[link]", f"{STAND_IN}\n\n[link]"), ("agent", "# agent")]),
    "two processes": lambda folder: _echo(folder, "-n", "2"),
    "wrong interface": lambda folder: _echo(folder, changes=[('"lab0"', '"lab9"')]),
    "nobody there": lambda folder: _echo(folder, changes=[("[ixit.ipff]", "[ixit.services]\necho = 9\n\n[ixit.ipff]")]),
    "wrong mac": lambda folder: _echo(folder, changes=[('"MAC"', '"02:00:00:00:00:00"'), ONLY_IPV4]),
    "too few addresses": lambda folder: _echo(folder, changes=[('"525.8.78.15.999"', '"525.8.78.0.9"')]),
    "address in use": lambda folder: _echo(folder, addresses=["198.19.0.5"]),
    "noise": lambda folder: _echo(folder, noise=2000),
    "unplugged": lambda folder: _made_up(folder, LONG)[0],
    "unplugged between cases": lambda folder: _made_up(folder, BETWEEN)[0],
    "not of the profile": lambda folder: _echo(folder, "--allow-shared-interface", "lab7"),
    "loopback": lambda folder: _echo(folder, changes=[('"lab0"', '"lo"')]),
}


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenarios]:
    yield from scenarios(RUNS, request, tmp_path_factory)


def test_a_device_at_the_end_of_a_cable_is_certified(runs: Scenarios) -> None:
    done = runs("whole")
    assert done.code in UNBROKEN, done.output
    assert len(done.verdicts) > 20
    assert set(done.verdicts.values()) <= {"PASS", "INFO", "NOT APPLICABLE"}
    addresses = {frame["source"] for case in done.results["cases"] for frame in case.get("frames", [])}
    assert addresses, "frames were seen on the wire"


def test_a_command_of_ones_own_starts_the_device(runs: Scenarios) -> None:
    done = runs("own command")
    assert done.code in UNBROKEN, done.output
    assert done.results["dut"]["version"] == "9"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("two processes", 'link.kind: "interface" is one device, which one process probes: allowed is -n 0 only'),
        ("too few addresses", "tester_first to tester_last must hold at least 16 addresses"),
        ("not of the profile", "--allow-shared-interface lab7: is no interface of"),
        ("loopback", "link.interface: lo is a loopback interface; allowed is an interface that nothing else uses"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_sent(runs: Scenarios, name: str, reason: str) -> None:
    done = runs(name)
    assert done.code == 4
    assert reason in done.output


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("wrong interface", "link.interface: lab9: No such device"),
        ("nobody there", "no echo service at"),
        ("wrong mac", "link.dut_mac: 198.18.0.1 is at "),
        ("address in use", "ixit.ipv4: 198.19.0.5, one of tester_first to tester_last, is in use by "),
    ],
)
def test_what_is_wrong_with_the_wire_is_told_in_one_line(runs: Scenarios, name: str, reason: str) -> None:
    done = runs(name)
    assert done.code == 8, done.output
    assert reason in done.results["reason"]
    assert set(done.verdicts.values()) <= {"NOT RUN", "NOT APPLICABLE"}


def test_what_others_say_on_the_wire_disturbs_nothing(runs: Scenarios) -> None:
    done = runs("noise")
    assert done.code in UNBROKEN, done.output
    assert all(case["attempts"] == 1 for case in done.results["cases"])


def test_a_cable_that_is_pulled_out_and_put_back_is_outlasted(runs: Scenarios) -> None:
    done = runs("unplugged")
    assert done.code in UNBROKEN, done.output
    assert max(case["attempts"] for case in done.results["cases"]) > 1, "the cable was out while a case ran"


def test_a_cable_that_is_pulled_out_while_the_device_is_brought_back_is_outlasted(runs: Scenarios) -> None:
    done = runs("unplugged between cases")
    assert done.code in UNBROKEN, done.output
    assert set(done.verdicts.values()) == {"PASS"}


@pytest.mark.parametrize("how", ["verbs of its own", "reset"])
def test_a_device_is_back_after_each_case_that_moves_it_and_after_the_run(tmp_path: Path, how: str) -> None:
    changes = _verbs(tmp_path) if how == "reset" else []
    first, second = _made_up(tmp_path, MOVED, role=REHASH_HOST, times=2, changes=changes)
    for done in (first, second):
        assert done.code in UNBROKEN, done.output
        assert set(done.verdicts.values()) == {"PASS"}
        assert all(case["attempts"] == 1 for case in done.results["cases"]), "nothing of an earlier run is in the way"
