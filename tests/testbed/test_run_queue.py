# SPDX-License-Identifier: GPL-2.0-or-later
"""What the machine withholds from a device is seen: a processor that others keep busy, a stop by signal."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from testbed.case.case import Case
from testbed.case.verdict import Verdict
from testbed.device import dut
from testbed.device.run_queue import RunQueue
from testbed.peers.connection import connect, new_peer
from testbed.peers.stream import exchange
from testbed.wire.clock import NANO
from tests.testbed.lab import lab_in

SPINS = "while True: pass"
SPINS_IN_A_CHILD = f"import os\nos.fork() and os.wait()\n{SPINS}"


@contextmanager
def spinning(number: int, program: str = SPINS) -> Iterator[list[int]]:
    """So many processes that want the same processor."""
    wanted = ["taskset", "-c", str(min(os.sched_getaffinity(0))), sys.executable, "-c", program]
    processes = [subprocess.Popen(wanted, start_new_session=True) for _ in range(number)]
    time.sleep(0.3)
    try:
        yield [process.pid for process in processes]
    finally:
        for process in processes:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.mark.parametrize("program", [SPINS, SPINS_IN_A_CHILD], ids=["itself", "its child"])
def test_waiting_for_a_processor_is_withheld_time(program: str) -> None:
    with spinning(3, program) as (first, *_):
        queue = RunQueue(first)
        began = time.time_ns()
        time.sleep(0.5)
        withheld = queue.withheld_ns(began, time.time_ns())
    assert withheld > 0.2 * NANO, "three share a processor: two thirds of the time are withheld from each"


def test_sleeping_is_not() -> None:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    time.sleep(0.3)
    queue = RunQueue(process.pid)
    began = time.time_ns()
    time.sleep(0.3)
    assert queue.withheld_ns(began, time.time_ns()) < 0.05 * NANO
    process.kill()
    process.wait()


def test_no_process_is_known_of_a_device_elsewhere() -> None:
    assert RunQueue().withheld_ns(0, NANO) == 0


def test_a_device_that_a_signal_has_stopped_is_not_blamed(tmp_path: Path) -> None:
    """Stopped for longer than the time allowed, in the middle of a case: another attempt passes."""
    lab = lab_in(tmp_path)
    stopped: list[int] = []

    def body(case: Case) -> None:
        peer = connect(case, new_peer(case, case.station()))
        if not stopped:
            (pid,) = case.setup.dut.run_queue.pids
            stopped.append(pid)
            os.kill(pid, signal.SIGSTOP)
            while Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
                time.sleep(0.001)  # it may have answered before the signal has come to it
            resume = subprocess.Popen(["sh", "-c", f"sleep 0.8; kill -CONT {pid}"])
            try:
                exchange(case, peer, b"hello")
            finally:
                resume.wait()
        exchange(case, peer, b"hello again")

    outcome = lab.runs(body)
    lab.close()
    assert outcome.verdict is Verdict.PASS, outcome.finding
    assert outcome.attempts == 2


def test_a_device_that_a_signal_has_stopped_for_good_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dut, "STOPPED_FOR_GOOD_S", 1)
    lab = lab_in(tmp_path)

    def body(case: Case) -> None:
        connect(case, new_peer(case, case.station()))
        (pid,) = case.setup.dut.run_queue.pids
        for number in (signal.SIGSTOP, signal.SIGCONT, signal.SIGSTOP):
            os.kill(pid, number)
            time.sleep(0.3)
        case.wait_until(case.clock.now_ns() + 60 * NANO)

    began = time.monotonic()
    outcome = lab.runs(body)
    lab.close()
    assert outcome.verdict is Verdict.NOT_RUN
    assert outcome.finding.reason.startswith("the device was stopped by a signal, and has not gone on for 1 s")
    assert 1.6 <= time.monotonic() - began < 30
