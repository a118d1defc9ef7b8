# SPDX-License-Identifier: GPL-2.0-or-later
"""Devices come and go: one for each exclusive case, ended with all they have started, and never missed."""

import contextlib
import subprocess
import sys
import time
from pathlib import Path

import pytest

from profiles import load
from testbed.case.case import Case
from testbed.case.verdict import Verdict
from testbed.device.supervisor import LinkError
from testbed.interruptions import DeviceLost
from testbed.peers.connection import connect, new_peer
from testbed.peers.stream import exchange
from testbed.run.attempts import run_case
from testbed.wire.clock import Deadline
from tests.testbed.lab import ROOT, Lab, lab_in, puppet_profile, spec


def devices_of(profile: Path) -> list[int]:
    """Processes that were started as devices of this profile: those with its folder in their environment."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if f"ROAMPROOF_TEST={profile}".encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
    return found


def test_exclusive_cases_have_devices_of_their_own_and_leave_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = puppet_profile(tmp_path)
    monkeypatch.setenv("ROAMPROOF_TEST", str(path))
    lab = Lab(load(path))
    seen = []

    def body(case: Case) -> None:
        exchange(case, connect(case, new_peer(case, case.station())), b"hello")
        seen.append((case.dut_mac, len(devices_of(path))))

    try:
        before = len(devices_of(path))
        for _ in range(2):
            with lab.clock.announced():
                assert run_case(spec(exclusive=True), lab.devices.lend, body).verdict is Verdict.PASS
        with lab.clock.announced():
            assert run_case(spec(), lab.devices.lend, body).verdict is Verdict.PASS
        assert len({mac for mac, _ in seen}) == 3
        assert [number for _, number in seen] == [before + 1, before + 1, before]
    finally:
        lab.close()
    assert devices_of(path) == []


def test_a_device_that_does_not_leave_is_killed_with_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stubborn = """command = ["sh", "-c", 'sleep 300 & sleep 300 & "$0" "$@"; sleep 300', \""""
    path = puppet_profile(tmp_path, "--no-agent", changes=[('command = ["', stubborn)])
    monkeypatch.setenv("ROAMPROOF_TEST", str(path))
    lab = Lab(load(path))
    assert len(devices_of(path)) >= 4
    began = time.monotonic()
    lab.close()
    assert devices_of(path) == []
    assert time.monotonic() - began < 15


def test_the_end_of_the_supervisor_is_the_end_of_the_device(lab: Lab, tmp_path: Path) -> None:
    other = lab_in(tmp_path)
    case = other.case()
    case.station()
    other.devices._links["namespace"]._supervisor._process.kill()  # type: ignore[attr-defined]
    with pytest.raises(DeviceLost, match="the namespace supervisor has ended"):
        case.look(lambda: None, Deadline(time.time_ns(), 20))
    other.close()
    assert (
        lab.runs(lambda case: exchange(case, connect(case, new_peer(case, case.station())), b"x")).verdict
        is Verdict.PASS
    )


@pytest.mark.parametrize(("lag_ns", "times"), [(0, 1), (400_000_000, 3)])
def test_time_that_the_machine_withheld_from_a_device_that_starts_is_given_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lag_ns: int, times: int
) -> None:
    path = puppet_profile(tmp_path, "--be", "silent", changes=[("ready_timeout_s = 5.0", "ready_timeout_s = 0.3")])
    asked = []

    def lag(*_: object) -> int:
        asked.append(time.monotonic())
        return lag_ns

    monkeypatch.setattr("testbed.device.lag.LagProbe.lag_ns", lag)
    monkeypatch.setattr("testbed.device.lag.LagProbe.catch_up", lambda _: True)
    monkeypatch.setattr("testbed.device.run_queue.RunQueue.withheld_ns", lambda *_: 0)
    with pytest.raises(LinkError, match=r"no ready line within 0.3 s"):
        Lab(load(path))
    assert len(asked) == times


def test_the_supervisors_process_starts_without_packet_and_profile_libraries() -> None:
    program = (
        "import sys, testbed.device.namespaces; print({'scapy', 'pydantic', 'profiles', 'pyroute2'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
