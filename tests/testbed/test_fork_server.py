# SPDX-License-Identifier: GPL-2.0-or-later
"""Devices that a warm process forks are children of the supervisor like any other, and a bad fork server is told."""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from profiles import ROLES, Profile, Role, load
from testbed.device.dut import DUT, Wiring
from testbed.device.fork_server import ForkServer, ForkServerError, after_common_beginning
from testbed.device.lag import LagProbe
from testbed.device.launch import Launch
from testbed.device.namespace_link import NamespaceLink
from testbed.device.namespaces import PROCESSES
from testbed.device.supervisor import LinkError, Supervisor
from testbed.wire.clock import Clock
from tests.testbed.lab import SERVER
from tests.testbed.runs import SHORT

END_HOSTS = SHORT.with_name("short-end-hosts.toml")
TIMEOUT_S = 20
DEVIATION = "reply-checksum-wrong"

ANSWERS = """
import os, socket, sys, time
control = socket.socket(fileno=int(os.environ["DUT_FORK_SERVER"]))
print("cannot fork well", file=sys.stderr, flush=True)
socket.recv_fds(control, 1 << 18, 4)
child = os.fork() or time.sleep(60)
"""
BAD = {
    "sys.exit(3)": "has ended with exit code 3\ncannot fork well",
    "time.sleep(60)": "no answer within 1 s\ncannot fork well",
    r"[os.write(2, b'\x1b' * 65536) for _ in iter(int, 1)]": "no answer within 1 s\n\\x1b\\x1b",
    "control.send(b'well')": """the answer must be {"pid": ...} or {"error": ...}, not: well\ncannot fork well""",
    "control.send(b'[]')": "not: []",
    "control.send(b'{}')": "not: {}",
    """control.send(b'{"pid": "7"}')""": 'not: {"pid": "7"}',
    """control.send(b'{"pid": 0}')""": 'not: {"pid": 0}',
    """control.send(b'{"pid": %d}' % os.getpid())""": "the answer must be",
    """control.send(b'{"pid": %d}' % child)""": "answered with a pid that is no child of the supervisor's",
}


class Warm:
    """A link to reference hosts, and their processes: found by a mark in the environment."""

    def __init__(self, profile: Profile, mark: str) -> None:
        self.mark = mark.encode()
        self.link = NamespaceLink(profile, Wiring(Clock(), 0x88B5), LagProbe())

    def start(self, role: Role = SERVER) -> DUT:
        return self.link.start(role)

    def parents(self, word: str = "--fork-server") -> dict[int, int]:
        """The processes whose command has this word, as the machine numbers them, and their parents."""
        found = {}
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if self.mark in (entry / "environ").read_bytes() and word in (entry / "cmdline").read_text():
                    found[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        return found

    def siblings(self) -> set[int]:
        """The fork server and the hosts, without their agents."""
        found = self.parents()
        return {pid for pid, parent in found.items() if parent not in found}


@pytest.fixture
def warm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Warm]]:
    monkeypatch.setenv("ROAMPROOF_TEST", str(tmp_path))
    made: list[Warm] = []

    def make(profile: Path = SHORT, *arguments: str) -> Warm:
        made.append(Warm(load(profile, list(arguments)), str(tmp_path)))
        return made[-1]

    yield make
    for one in made:
        one.link.close()


def await_that(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_hosts_are_siblings_of_one_fork_server_and_end_alone(warm: Callable[..., Warm]) -> None:
    lab = warm()
    assert not lab.parents(), "nothing is started before the first device"
    first = lab.start()
    assert len(lab.siblings()) == 2
    second = lab.start()
    assert len(lab.siblings()) == 3
    (supervisor,) = {lab.parents()[pid] for pid in lab.siblings()}
    assert supervisor in lab.parents("testbed.device.namespaces")
    lab.link.stop(first)
    assert len(lab.siblings()) == 2
    assert second.upper_tester().call("status")["uptime_s"] < TIMEOUT_S
    lab.link.stop(second)
    assert len(lab.siblings()) == 1
    lab.link.close()
    assert not lab.parents()


def test_a_forked_host_gets_arguments_configuration_and_a_log_of_its_own(warm: Callable[..., Warm]) -> None:
    lab = warm(END_HOSTS, "--deviate", DEVIATION)
    roles = {role.qualified: role for role in ROLES}
    for role in (SERVER, roles["mops mobile node"]):
        dut = lab.start(role)
        told = dut.upper_tester().call("status")
        assert (told["name"], told["version"]) == (dut.name, dut.version)
        assert told["alteration"] == DEVIATION
        assert dut.log
        assert "serves ipff, ipv4" in dut.log.between(0, time.time_ns())


def test_the_end_of_a_forked_host_is_told_with_its_exit_code(warm: Callable[..., Warm]) -> None:
    lab = warm()
    before, dut = lab.siblings(), lab.start()
    (agent,) = set(lab.parents()) - lab.siblings()
    os.kill(lab.parents()[agent], signal.SIGKILL)
    await_that(lambda: dut.lost is not None)
    assert "the device ended with exit code -9" in str(dut.lost)
    await_that(lambda: agent not in lab.parents())
    lab.link.stop(dut)
    other = lab.start()
    other.upper_tester().close()  # the end of its input
    await_that(lambda: other.lost is not None)
    assert "the device ended with exit code 0" in str(other.lost)
    assert len(lab.siblings()) == len(before) + 1


def test_a_fork_server_that_has_ended_is_told_and_does_not_take_devices_along(warm: Callable[..., Warm]) -> None:
    lab = warm()
    dut = lab.start()
    (agent,) = set(lab.parents()) - lab.siblings()
    (server,) = lab.siblings() - {lab.parents()[agent]}
    os.kill(server, signal.SIGKILL)
    await_that(lambda: server not in lab.parents())
    for _ in range(2):
        with pytest.raises(LinkError, match=r"^start .* -m reference: fork server .* has ended with exit code -9"):
            lab.start()
    assert dut.upper_tester().call("status")


@pytest.mark.parametrize("does", BAD)
def test_a_bad_fork_server_is_told(does: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("testbed.device.fork_server._TIMEOUT_S", 1)
    server = ForkServer([sys.executable, "-c", f"{ANSWERS}{does}\ntime.sleep(60)"])
    for _ in range(2):
        with pytest.raises(ForkServerError) as told:
            server.run(["device"], {}, None)
        assert BAD[does] in str(told.value)


def test_a_fork_server_may_refuse_one_device(tmp_path: Path) -> None:
    refusing = 'for n in range(2): control.send(b\'{"error": "no %d"}\' % n)'
    server = ForkServer([sys.executable, "-c", f"{ANSWERS}{refusing}\ntime.sleep(60)"])
    for number in range(2):
        with pytest.raises(ForkServerError, match=f": no {number}$"):
            server.run(["device"], {}, None)


def test_a_fork_server_that_is_no_program_is_told(tmp_path: Path) -> None:
    missing = str(tmp_path / "missing")
    with pytest.raises(ForkServerError, match=f"fork server {missing} -x: No such file or directory"):
        ForkServer([missing, "-x"])


def test_arguments_are_what_follows_the_common_beginning() -> None:
    server = ["python", "-m", "reference", "--fork-server"]
    assert after_common_beginning(["python", "-m", "reference"], server) == []
    assert after_common_beginning(["python", "-m", "reference", "kernel", "-x"], server) == ["kernel", "-x"]
    assert after_common_beginning(["device", "-m"], server) == ["device", "-m"]


def test_a_device_without_a_namespace_is_forked_where_the_run_is() -> None:
    supervisor = Supervisor(PROCESSES, LagProbe())
    command = [sys.executable, "-m", "reference"]
    try:
        launch = Launch([*command, "--list-deviations"], {"networks": {}}, [*command, "--fork-server"])
        (process,) = supervisor.start([launch], 0).processes
        assert DEVIATION in process.stdout.read().decode()
        assert supervisor._device(process.instance).ended.wait(TIMEOUT_S)
        assert supervisor._device(process.instance).code == 0
    finally:
        supervisor.close()
