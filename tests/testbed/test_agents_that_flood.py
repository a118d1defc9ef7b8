# SPDX-License-Identifier: GPL-2.0-or-later
"""Upper testers that write without end, drip, or do not read: every call ends in time, and says what came instead."""

import contextlib
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from profiles import load
from testbed.device import upper_tester
from testbed.device.agents import ShellVerbs, open_agent
from testbed.device.upper_tester import OperationFailed, UpperTester
from testbed.interruptions import DeviceLost, Inconclusive
from testbed.wire.clock import Clock
from tests.testbed.lab import puppet_profile

ANSWER = """
import json, os, sys, time
def say(data): sys.stdout.buffer.write(data); sys.stdout.buffer.flush()
for line in sys.stdin:
    number = json.loads(line)["id"]
    result = b'{"jsonrpc": "2.0", "id": %d, "result": {}}' % number
"""
Open = Callable[[str], UpperTester]


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Opens an agent that does this with each request; calls have a second."""
    monkeypatch.setattr(upper_tester, "_TIMEOUT_S", 1)
    agents = []

    def agent(answer: str) -> UpperTester:
        (program := tmp_path / "agent.py").write_text(f"{ANSWER}    {answer}\n")
        words = f'agent = ["{sys.executable}", "{program}"]'
        profile = load(puppet_profile(tmp_path, changes=[('agent = "stdio"', words)]))
        agents.append(found := open_agent(profile, None, Clock()))
        assert found
        return found

    yield agent
    for one in agents:
        one.close()


def test_a_reply_that_drips_is_none(opened: Open) -> None:
    agent = opened("[(say(bytes([one])), time.sleep(0.3)) for one in result]")
    began = time.monotonic()
    with pytest.raises(
        Inconclusive, match=r"no answer to status within 1 s; it has written \d bytes of a line that has"
    ):
        agent.call("status")
    assert time.monotonic() - began < 3


def test_an_error_of_ten_megabytes_is_none(opened: Open) -> None:
    agent = opened(
        "say(json.dumps({'id': number, 'error': {'code': 1, 'message': 'x' * 10_000_000}}).encode() + b'\\n')"
    )
    with pytest.raises(Inconclusive, match=r"upper tester: a line of 100000\d\d bytes, more than 1048576, in place"):
        agent.call("status")


def test_an_error_of_many_words_is_shortened(opened: Open) -> None:
    agent = opened("say(json.dumps({'id': number, 'error': {'code': 1, 'message': 'x' * 900_000}}).encode() + b'\\n')")
    with pytest.raises(OperationFailed, match=r"status: x{500} \(and 899500 characters more\)$"):
        agent.call("status")


def test_lines_that_answer_nothing_are_counted(opened: Open) -> None:
    agent = opened("say(b'well...\\n' * 3)")
    with pytest.raises(
        Inconclusive, match="no answer to status within 1 s; it has written 3 lines that answer nothing"
    ):
        agent.call("status")


@pytest.mark.parametrize("what", ["b'{}\\n' * 9999", "b'\\n' * 9999", "b'x' * 65536"])
def test_endless_output_that_answers_nothing_is_the_end_of_the_agent(opened: Open, what: str) -> None:
    agent = opened(f"while True: say({what})")
    with pytest.raises(DeviceLost, match="the upper tester has written 16 MiB that answer nothing"):
        call_until_lost(agent)


def call_until_lost(agent: UpperTester) -> None:
    while True:
        with contextlib.suppress(Inconclusive):
            agent.call("status")


def test_an_agent_that_does_not_read_is_lost(opened: Open) -> None:
    agent = opened("time.sleep(60)")
    began = time.monotonic()
    agent.ask("status")
    with pytest.raises(DeviceLost, match="does not take requests"):
        agent.ask("send", connection=1, data="00" * (1 << 20))
    assert time.monotonic() - began < 5


def test_a_stream_that_drips_is_read_to_an_end(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upper_tester, "_LONGEST_READING_S", 1)
    byte = "'data': '00', 'eof': False"
    agent = opened(f"time.sleep(0.4); say(json.dumps({{'id': number, 'result': {{{byte}}}}}).encode() + b'\\n')")
    came, trouble = agent.read(7, 1000, 0.5)
    assert 1 <= len(came) <= 4
    assert trouble == "and no more within 1 s"


@pytest.fixture
def shell() -> Iterator[ShellVerbs]:
    """Verbs as shell commands that say too much, or what nobody can read."""
    verbs = ShellVerbs(
        {
            "listen": "yes",
            "connect": "yes >&2",
            "send": r"printf '\033[31mred\377\r\nand\342\200\256 more' >&2; exit 1",
            "close": r"printf '\377'",
            "status": r"""printf %s '{"state": "\ud800\u001b[2J\n"}'""",
        },
        Clock(),
    )
    yield verbs
    verbs.close()


@pytest.mark.parametrize("verb", ["listen", "connect"])
def test_a_command_that_writes_without_end_is_killed(shell: ShellVerbs, verb: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(OperationFailed, match=f"{verb}: more than 1048576 bytes of output: yes"):
        shell.call(verb)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


def test_what_a_command_says_is_printable(shell: ShellVerbs) -> None:
    with pytest.raises(OperationFailed) as caught:
        shell.call("send")
    assert str(caught.value) == r"upper tester: send: \x1b[31mred\xff and\u202e more"
    with pytest.raises(OperationFailed, match=r"no JSON: \\xff$"):
        shell.call("close")
    assert shell.call("status") == {"state": r"\ud800\x1b[2J\n"}


def test_open_files_are_given_back(shell: ShellVerbs) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        with pytest.raises(OperationFailed):
            shell.call("send")
    assert len(os.listdir("/proc/self/fd")) == before
