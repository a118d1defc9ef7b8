# SPDX-License-Identifier: GPL-2.0-or-later
"""The upper tester in all its forms: the device's own streams, a command, shell commands, a person at the terminal."""

import os
import pty
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from profiles import load
from testbed.device.agents import ShellVerbs, fill, open_agent
from testbed.device.supervisor import LinkError
from testbed.device.upper_tester import OperationFailed, UpperTester
from testbed.interruptions import DeviceLost, Inconclusive, NotApplicable
from testbed.wire.clock import Clock
from tests.testbed.lab import ROOT, Lab, lab_in, puppet_profile
from tests.testbed.runs import UNBROKEN, Run, Scenarios, command, environment, made_up, run, scenarios

AGENT = Path(__file__).with_name("agent_command.py")
APPLICATION = """
    @valid
    @requirement(MUST, case=1)
    def test_application(case):
        agent = case.setup.dut.upper_tester()
        listener = agent.call("listen", port=0, service="manual")
        peer = connect(case, new_peer(case, case.station(), remote_port=listener["port"]))
        case.values["port"] = str(listener["port"])
"""


def test_verbs_over_the_devices_own_streams(lab: Lab) -> None:
    assert lab.tells("listen", port=0)["port"] > 0
    with pytest.raises(NotApplicable, match="no verb fly"):
        lab.tells("fly")
    with pytest.raises(OperationFailed, match=r"listen: .*in use"):
        lab.tells("listen", port=7)
    with pytest.raises(Inconclusive, match="must be a JSON object, not 7"):
        lab.tells("number")


def test_calls_of_many_cases_at_once(lab: Lab) -> None:
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(lab.tells("listen", port=0)["port"])) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 30


def test_a_result_can_be_taken_later(lab: Lab) -> None:
    calls = [lab.setup.dut.upper_tester().ask("listen", port=0) for _ in range(3)]
    assert len({call.result()["port"] for call in calls}) == 3


def test_words_that_are_no_reply_are_passed_over(tmp_path: Path) -> None:
    lab = lab_in(tmp_path, "--be", "verbose")
    try:
        assert lab.tells("status")["pid"]
    finally:
        lab.close()


def test_a_device_that_ends_in_a_call_is_lost_and_further_calls_too(tmp_path: Path) -> None:
    lab = lab_in(tmp_path)
    try:
        with pytest.raises(DeviceLost):
            lab.tells("end", code=0)
        with pytest.raises(DeviceLost):
            lab.tells("status")
    finally:
        lab.close()


@pytest.fixture
def shell() -> Iterator[UpperTester]:
    """Verbs as shell commands."""
    verbs = ShellVerbs(
        {
            "listen": """echo '{"listener": 1, "port": '{port}', "of": "'"$HOME"'"}'""",
            "send": "printf '{\"length\": %d}' $(printf %s {data} | wc -c) # {connection} ${SHELL}",
            "move": "echo no such street >&2; exit 3",
            "close": "true",
            "sockets": "echo these are my sockets",
            "receive": "sleep 60",
        },
        Clock(),
    )
    yield verbs
    verbs.close()


def test_shell_command_gets_its_parameters_and_says_the_result(shell: UpperTester) -> None:
    assert shell.call("listen", port=40000, service="echo") == {
        "listener": 1, "port": 40000, "of": os.environ["HOME"]
    }  # fmt: skip
    assert shell.call("close", connection=1) == {}
    hostile = "$(touch /tmp/x) 'and' \"so\" on; {data}"
    assert shell.call("send", connection=1, data=hostile) == {"length": len(hostile)}
    assert fill("a {port} ${port} { port } {address}", {"port": "1 2"}) == "a '1 2' ${port} { port } ''"


def test_shell_command_that_fails_is_an_operation_that_failed(shell: UpperTester) -> None:
    with pytest.raises(OperationFailed, match="no such street"):
        shell.call("move", address="198.18.0.2")
    with pytest.raises(OperationFailed, match="no JSON: these are my sockets"):
        shell.call("sockets")
    with pytest.raises(NotApplicable):
        shell.call("connect", address="198.19.0.1", port=1)


def test_shell_command_that_does_not_end_is_killed(shell: UpperTester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("testbed.device.agents._TIMEOUT_S", 0.2)
    with pytest.raises(Inconclusive, match="no end within its time"):
        shell.call("receive", connection=1, length=1, timeout_s=0)


def test_agent_that_does_not_start_is_named(tmp_path: Path) -> None:
    path = puppet_profile(tmp_path, changes=[('agent = "stdio"', 'agent = ["/nowhere/agent", "-v"]')])
    with pytest.raises(LinkError, match=r"dut.agent: /nowhere/agent -v: No such file or directory"):
        open_agent(load(path), None, Clock())


def test_agent_that_dies_leaves_its_final_log_lines(tmp_path: Path) -> None:
    agent = f'agent = ["{sys.executable}", "-c", "import sys; sys.exit(\'no key for the box\')"]'
    path = puppet_profile(tmp_path, changes=[('agent = "stdio"', agent)])
    found = open_agent(load(path), None, Clock())
    assert found
    with pytest.raises(DeviceLost, match="no key for the box"):
        found.call("status")
    found.close()


def test_operator_without_a_terminal_is_refused(tmp_path: Path) -> None:
    path = puppet_profile(tmp_path, changes=[('agent = "stdio"', 'agent = "manual"')])
    done = run(made_up(tmp_path, APPLICATION), path, tmp_path, "-k", "ipv4", "-n", "0")
    assert done.code == 8
    assert 'dut.agent = "manual" needs a terminal' in done.results["reason"]


def _manual(folder: Path, *options: str) -> Run:
    path = puppet_profile(folder, "--no-agent", changes=[('agent = "stdio"', 'agent = "manual"')])
    return run(made_up(folder, APPLICATION), path, folder, "-k", "ipv4", *options)


def _command(folder: Path) -> Run:
    agent = f'agent = ["{sys.executable}", "{AGENT}", "{folder / "socket"}"]'
    changes = [('agent = "stdio"', agent), ("--no-agent", f"--agent-at={folder / 'socket'}")]
    return run(
        made_up(folder, APPLICATION), puppet_profile(folder, "--no-agent", changes=changes), folder, "-k", "ipv4"
    )


def _verbs(folder: Path) -> Run:
    template = f"{sys.executable} {AGENT} {folder / 'socket'} listen port={{port}}"
    changes = [('agent = "stdio"', ""), ("[link]", f"[dut.verbs]\nlisten = '{template}'\n\n[link]")]
    changes.append(("--no-agent", f"--agent-at={folder / 'socket'}"))
    return run(
        made_up(folder, APPLICATION), puppet_profile(folder, "--no-agent", changes=changes), folder, "-k", "ipv4"
    )


RUNS = {
    "command": _command,
    "verbs": _verbs,
    "manual in two processes": lambda folder: _manual(folder, "-n", "2"),
    "none": lambda folder: run(
        made_up(folder, APPLICATION),
        puppet_profile(folder, "--no-agent", changes=[('agent = "stdio"', "")]),
        folder,
        "-k",
        "ipv4",
    ),
}


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenarios]:
    yield from scenarios(RUNS, request, tmp_path_factory)


@pytest.mark.parametrize("name", ["command", "verbs"])
def test_run_with_an_upper_tester_of_its_own(runs: Scenarios, name: str) -> None:
    done = runs(name)
    assert done.code in UNBROKEN, done.output
    (case,) = done.results["cases"]
    assert int(case["values"]["port"]) > 0


def test_run_without_an_upper_tester(runs: Scenarios) -> None:
    done = runs("none")
    assert done.verdicts == {"test_application[ipv4]": "NOT APPLICABLE"}
    assert "neither dut.agent nor dut.verbs" in done.results["cases"][0]["reason"]


def test_one_operator_is_not_asked_by_two_processes(runs: Scenarios) -> None:
    done = runs("manual in two processes")
    assert done.code == 4
    assert 'dut.agent: "manual" asks one operator: allowed is -n 0 only' in done.output


def test_operator_is_told_what_to_do_at_the_terminal(tmp_path: Path) -> None:
    """A person at a pseudo-terminal: reads what to do, does it, presses Enter; pytest's capture is on."""
    path = puppet_profile(tmp_path, f"--agent-at={tmp_path / 'socket'}", changes=[('"stdio"', '"manual"')])
    cases = made_up(tmp_path, APPLICATION)
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(ROOT)
        words = command(cases, path, tmp_path, "-k", "ipv4", "-n", "0")
        os.execve(words[0], words, environment())
    said = b""
    answered = False
    while True:
        try:
            said += os.read(terminal, 1 << 16)
        except OSError:
            break
        if not answered and b"or what failed: " in said:
            answered = True
            listen = [sys.executable, str(AGENT), str(tmp_path / "socket"), "listen", "port=40001"]
            subprocess.run(listen, check=True, capture_output=True)
            os.write(terminal, b"\n")
    _, status = os.waitpid(process, 0)
    text = said.decode()
    assert os.waitstatus_to_exitcode(status) in UNBROKEN, text
    assert ">>> At the device: listen port 40001, service manual" in text
    assert Run(0, text, tmp_path / "report").results["cases"][0]["values"] == {"port": "40001"}
