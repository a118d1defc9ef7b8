# SPDX-License-Identifier: GPL-2.0-or-later
"""The check of the contract: right devices pass it, and of wrong ones it says what is wrong, in plain words."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from testbed.run.contract import check as command
from tests.examples.lab import ALL_CASES, EXAMPLES, changed, check, found_wrong
from tests.testbed.lab import ROOT
from tests.testbed.runs import SHORT

AGENT, MINIMAL = EXAMPLES / "agent/agent.py", EXAMPLES / "minimal-device/device.py"
PROFILES = {AGENT: EXAMPLES / "agent/agent.toml", MINIMAL: EXAMPLES / "minimal-device/device.toml"}
VERBS = (
    *("status", "listen, service echo", "close, a listener", "listen, service manual", "sockets", "receive"),
    *("receive, at the end", "send", "shutdown", "close, a connection", "connect", "reset"),
)
WRONG = {
    "no address": (MINIMAL, [("set_address(wire, SIOC", "(wire, SIOC")], "nobody answers for 198.18.0.1"),
    "no service": (MINIMAL, [('["echo"])', '["echo"] + 1)')], "it is refused: does the service listen"),
    "another echo": (MINIMAL, [("sendall(data)", "sendall(data.upper())")], "an echo of 5 bytes"),
    "no end": (MINIMAL, [("sendall(data)", "sendall(data)\n        threading.Event().wait()")],
               "no FIN in answer to a FIN within 2.0 s"),
    "no ready line": (MINIMAL, [('"ready": true', '"ready": false')], "start"),
    "dies at once": (MINIMAL, [("netmask = (", "netmask = 1 / 0 * (")], "ZeroDivisionError"),
    "dies at a verb": (MINIMAL, [("    error = {", "    sys.exit(3)\n    error = {")], "exit code 3"),
    "mute": (MINIMAL, [("for line in sys", "for line in iter(input, 0):\n    pass\nfor line in sys")],
             "no answer to no_such_verb within 3 s"),
    "every verb": (AGENT, [("raise LookupError(verb)", "return {}")], "a verb that no device has"),
    "no port": (AGENT, [('result = {"listener": number, "port"', 'result = {"listener": number, "at"')],
                "the result is wrong: port: Field required"),
    "open again": (AGENT, [("held.shutdown(socket.SHUT_RDWR)", "return {}")], "still takes connections"),
    "no accepted": (AGENT, [("self.keep(Connection(accepted, number))", "pass")], "the listener shows no connection"),
    "other data": (AGENT, [("data.hex(), \"eof\"", "data.hex()[:-2] + '00', \"eof\"")], "sent were"),
    "impatient": (AGENT, [("time.time() + timeout_s", "0")], "it has waited for 0."),
    "no eof": (AGENT, [("not data and not one.is_udp", "False")], "receive, at the end"),
    "silent": (AGENT, [("one.held.sendall(octets)", "octets")], "wrong   send"),
    "no half-close": (AGENT, [("one.held.shutdown(socket.SHUT_WR)", "None")], "no FIN has come"),
    "unconnected": (AGENT, [("held.connect((address, port))", "pass")], "the device did not send a SYN"),
    "no reset": (AGENT, [("self.verb_close(listener=number)", "pass")], "is still there"),
}  # fmt: skip
"""Device, what is changed in it, and what is said of it."""


pytestmark = pytest.mark.skipif(shutil.which("ip") is None, reason="the program ip is not installed (iproute2)")


@pytest.mark.parametrize("device", PROFILES, ids=lambda path: path.stem)
def test_right_devices_have_nothing_wrong(device: Path) -> None:
    assert not found_wrong(check(PROFILES[device]))


def test_each_verb_is_tried() -> None:
    tried = {line.what for line in check(PROFILES[AGENT]) if line.result == "ok"}
    assert set(VERBS) <= tried


@pytest.mark.parametrize("fault", [*WRONG] if ALL_CASES else [*WRONG][::2])
def test_what_is_wrong_is_said(tmp_path: Path, fault: str) -> None:
    device, changes, said = WRONG[fault]
    wrong = changed(device, tmp_path, changes)
    path = changed(PROFILES[device], tmp_path, [(f"examples/{device.parent.name}/{device.name}", str(wrong))])
    assert said in found_wrong(check(path))


def test_a_device_that_moves_is_moved(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([str(SHORT), "--role", "sacip mobile node"]) == command.RIGHT
    said = capsys.readouterr().out
    assert all(f"ok      {verb}" in said for verb in ("move, to", "move, back", "add_address", "delete_address"))


def test_a_wrong_profile_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = changed(PROFILES[MINIMAL], tmp_path, [("networks", "network")])
    assert command.main([str(path)]) == command.UNUSABLE
    assert capsys.readouterr().err.count("\n") == 1


def test_shell_commands_are_tried_too(tmp_path: Path) -> None:
    verbs = '[dut.verbs]\nstatus = "cat /proc/uptime"\nsockets = "echo"\n\n[link]'
    path = changed(PROFILES[MINIMAL], tmp_path, [('agent = "stdio"\n', ""), ("[link]", verbs)])
    assert "the result is no JSON" in found_wrong(check(path))


@pytest.mark.parametrize("page", ["dut-contract.md", "profile.md"])
def test_commands_of_the_documents_run(page: str) -> None:
    commands = re.findall(r"(python -m testbed check-dut [\w/.-]+\.toml)", (ROOT / "docs" / page).read_text())
    assert commands
    for words in (one.split() for one in commands):
        named = [word if word.startswith("examples") or "/" not in word else str(PROFILES[AGENT]) for word in words]
        done = subprocess.run([sys.executable, *named[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "The device follows the contract."), done.stdout
