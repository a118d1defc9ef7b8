# SPDX-License-Identifier: GPL-2.0-or-later
"""The benchmark of a run: processor time goes to the part that used it, and cases can be run again and again."""

import subprocess
import sys
from pathlib import Path

import pytest

from bench.processes import CONTROLLER, DEVICES, FORK_SERVERS, PARTS, PROBES, SUPERVISORS, WORKERS, measure

ROOT = Path(__file__).parents[2]
BUSY = "import time\nwhile time.process_time() < {}: pass\n"
SPENT_S = 0.6

# A process as a run's: its name in the command, what it does, and what it starts.
TREE = f"""
import subprocess, sys
BUSY = {BUSY!r}

def start(what, *words):
    return subprocess.Popen([sys.executable, "-c", what, *words])

SUPERVISOR = '''
import subprocess, sys
what, *words = sys.argv[2:]
started = [subprocess.Popen([sys.executable, "-c", what, word]) for word in words]
for one in started:
    one.wait()
input()
'''
supervisor = subprocess.Popen(
    [sys.executable, "-c", SUPERVISOR, "testbed.device.namespaces", BUSY.format({SPENT_S}), *sys.argv[1:]],
    stdin=subprocess.PIPE,
)
worker = start(BUSY.format({SPENT_S}))
exec(BUSY.format({SPENT_S}))
worker.wait()
import time
time.sleep({SPENT_S} * 3)
supervisor.communicate(b"end")
"""


@pytest.mark.parametrize(
    ("words", "part"), [("device", DEVICES), ("--fork-server", FORK_SERVERS), ("testbed.device.namespaces", PROBES)]
)
def test_time_goes_to_the_part_that_used_it(tmp_path: Path, words: str, part: str) -> None:
    """Of the process that was started, of those below it, and of those that a supervisor has started."""
    usage = measure([sys.executable, "-c", TREE, words], tmp_path, 60)
    assert usage.code == 0
    assert set(usage.parts) == set(PARTS)
    assert usage.parts[CONTROLLER] > SPENT_S * 0.7
    assert usage.parts[WORKERS] > SPENT_S * 0.7
    assert usage.parts[SUPERVISORS] < SPENT_S
    assert usage.parts[part] > SPENT_S * 0.7
    assert usage.cpu_s == pytest.approx(sum(usage.parts.values()), abs=0.3)
    assert usage.most_memory_mb > 1


def test_a_command_that_does_not_end_is_ended(tmp_path: Path) -> None:
    """Nothing of it is left."""
    with pytest.raises(subprocess.TimeoutExpired):
        measure(["sleep", "600"], tmp_path, 0.5)


def test_cases_are_repeated() -> None:
    """Each has an id of its own."""
    cases = "conformance/mops/server/test_4_1_reply.py"
    command = [sys.executable, "-m", "pytest", cases, "--dut", "profiles/reference.toml", "--collect-only", "-q"]
    plugins = ["-p", "no:cacheprovider"]
    lists = [
        subprocess.run([*command, *plugins, *more], cwd=ROOT, text=True, capture_output=True, check=True).stdout
        for more in ([], ["-p", "bench.repeat", "--times", "3"])
    ]
    once, thrice = ([line for line in said.splitlines() if "::" in line] for said in lists)
    assert once
    assert len(thrice) == len(set(thrice)) == 3 * len(once)
