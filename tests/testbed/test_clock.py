# SPDX-License-Identifier: GPL-2.0-or-later
"""Waiting side by side: the execution token goes round in order and is never lost; lag is known in time."""

import os
import signal
import socket
import threading
import time

import pytest

from testbed.case.verdict import Verdict
from testbed.device.lag import LagProbe, measure
from testbed.run.attempts import Outcome
from testbed.run.overlap import Body, Overlap
from testbed.wire.clock import Clock, ClockStepped, RunOver
from testbed.wire.pace import Pace
from tests.testbed.lab import spec

NANO = 1_000_000_000


def passed() -> Outcome:
    return Outcome(spec(), Verdict.PASS)


def test_the_token_goes_round_in_the_order_of_asking() -> None:
    clock, order = Clock(), []

    def work(number: int) -> None:
        with clock.token.working():
            order.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    with clock.announced():
        for number, thread in enumerate(threads):
            clock.token.expect()
            thread.start()
            while len(clock.token._queue) <= number:
                time.sleep(0.001)
    for thread in threads:
        thread.join()
    assert order == list(range(8))


def test_one_thread_at_a_time_and_waits_side_by_side() -> None:
    clock = Clock()
    inside, most = 0, 0

    def work() -> None:
        nonlocal inside, most
        with clock.token.working():
            for _ in range(3):
                inside += 1
                most = max(most, inside)
                inside -= 1
                clock.wait_until(clock.now_ns() + NANO // 10)

    started = time.monotonic()
    threads = [threading.Thread(target=work) for _ in range(50)]
    for thread in threads:
        clock.token.expect()
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
    assert time.monotonic() - started < 1.5
    assert clock.token._ready == 0


def test_the_token_comes_back_after_an_exception() -> None:
    clock = Clock()
    with pytest.raises(KeyError), clock.announced(), clock.waiting():
        raise KeyError
    with pytest.raises(ValueError, match="inside"), clock.announced():
        raise ValueError("inside")
    assert (clock.token._owner, clock.token._ready) == (None, 0)
    with clock.announced(), clock.announced(), clock.waiting():
        assert clock.token._owner is None
    with clock.waiting():
        assert clock.token._ready == 0


def test_waiting_ends_with_the_run() -> None:
    clock = Clock()
    threading.Timer(0.1, clock.stop).start()
    with pytest.raises(RunOver), clock.announced():
        clock.wait_until(clock.now_ns() + 60 * NANO)


def test_waiting_ends_when_the_clock_is_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    real = clock.offset_ns()
    monkeypatch.setattr(clock, "now_ns", lambda: 0)
    readings = iter([real])
    monkeypatch.setattr(clock, "offset_ns", lambda: next(readings, real - 3600 * NANO))
    with pytest.raises(ClockStepped), clock.announced():
        clock.wait_until(60 * NANO)


def test_the_offset_of_the_wall_clock_stays_while_nobody_sets_it() -> None:
    readings = [Clock.offset_ns() for _ in range(200)]
    assert max(readings) - min(readings) < 1_000_000


def test_bodies_overlap_and_outcomes_keep_their_names() -> None:
    clock = Clock()
    overlap = Overlap(clock)

    def body(seconds: float) -> Outcome:
        clock.wait_until(clock.now_ns() + round(seconds * NANO))
        return passed()

    started = time.monotonic()
    overlap.start(Body(str(number), lambda: body(0.3)) for number in range(100))
    assert all(overlap.outcome(str(number)).verdict is Verdict.PASS for number in range(100))
    assert time.monotonic() - started < 1.5
    assert not overlap.knows("another")


def test_whoever_is_not_paced_starts_while_there_is_no_room() -> None:
    """A body whose stations the kernel does not remember goes before one that has to wait for the table."""
    clock = Clock()
    pace = Pace(clock, processes=1000)
    pace.count()
    began, ended = time.monotonic(), dict[str, float]()

    def body(name: str, paced: bool) -> Body:
        def run() -> Outcome:
            ended[name] = time.monotonic() - began
            return passed()

        return Body(name, run, paced)

    overlap = Overlap(clock)
    overlap.start([body("first", True), body("second", False), body("third", True)], pace=pace)
    for name in ("first", "second", "third"):
        overlap.outcome(name)
    assert ended["second"] < 3 < 4.9 < ended["first"] < ended["third"]


def test_no_more_than_so_many_at_once() -> None:
    clock = Clock()
    overlap = Overlap(clock)
    inside, most = 0, 0

    def body() -> Outcome:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        clock.wait_until(clock.now_ns() + NANO // 50)
        inside -= 1
        return passed()

    overlap.start((Body(str(number), body) for number in range(12)), at_once=3)
    for number in range(12):
        overlap.outcome(str(number))
    assert most == 3


def test_a_body_that_raises_and_a_run_that_stops_leave_no_outcome_open() -> None:
    clock = Clock()
    overlap = Overlap(clock)

    def fails() -> Outcome:
        raise SystemExit("a body")

    def waits() -> Outcome:
        clock.wait_until(clock.now_ns() + 60 * NANO)
        return passed()

    overlap.start([Body("fails", fails), *(Body(f"waits {number}", waits) for number in range(5))], at_once=3)
    with pytest.raises(SystemExit):
        overlap.outcome("fails")
    overlap.stop()
    overlap.join()
    for number in range(5):
        with pytest.raises(RunOver):
            overlap.outcome(f"waits {number}")


def test_the_probes_tell_of_a_lag_before_the_deadline_is_judged() -> None:
    pairs = [socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(2)]
    probe = LagProbe()
    probe.listen(ours for ours, _ in pairs)
    (_, one), (_, other) = pairs
    held_up = threading.Event()

    def late(end: socket.socket) -> None:
        """A probe whose processor stands still until the deadline is over."""
        number = end.recv(100)
        held_up.wait(5)
        end.send(b'["lag", %d, 300000000]' % time.time_ns())
        end.send(b'["here", %s]' % number)

    def punctual(end: socket.socket) -> None:
        while number := end.recv(100):
            end.send(b'["here", %s]' % number)

    for work, end in ((late, one), (punctual, other)):
        threading.Thread(target=work, args=(end,), daemon=True).start()
    began = time.time_ns()
    threading.Timer(0.3, held_up.set).start()
    assert probe.starved(began, 400_000_000)
    one.close()
    assert not probe.starved(time.time_ns() + NANO, NANO), "what has gone is not waited for"
    other.close()


def test_a_probe_that_does_not_answer_at_all_is_no_reason_to_blame_anybody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("testbed.device.lag._TIMEOUT_S", 0.1)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    probe = LagProbe()
    probe.listen([ours])
    assert probe.starved(0, NANO)
    theirs.close()


def test_every_processor_is_measured() -> None:
    """A process that never gives the processor away, and a probe that wants the same one."""
    processor = min(os.sched_getaffinity(0))
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    probe = LagProbe()
    probe.listen([ours])
    child = os.fork()
    if child == 0:
        ours.close()
        measure(theirs, processor)
        os._exit(0)
    theirs.close()
    try:
        assert probe.catch_up()
        os.kill(child, signal.SIGSTOP)
        began = time.time_ns()
        time.sleep(0.2)
        os.kill(child, signal.SIGCONT)
        assert probe.starved(began, 300_000_000)
        assert probe.lag_ns(began, time.time_ns()) >= 180_000_000
    finally:
        ours.shutdown(socket.SHUT_RDWR)
        os.waitpid(child, 0)


@pytest.mark.parametrize("wary_ns", [0, NANO])
def test_a_processor_that_stands_still_is_told_whether_or_not_it_was_late_before(
    monkeypatch: pytest.MonkeyPatch, wary_ns: int
) -> None:
    """At whatever moment between two looks it begins, all of it is told but the 10 ms of the short interval."""
    monkeypatch.setattr("testbed.device.lag._WARY_NS", wary_ns)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    probe = LagProbe()
    probe.listen([ours])
    child = os.fork()
    if child == 0:
        ours.close()
        measure(theirs, min(os.sched_getaffinity(0)))
        os._exit(0)
    theirs.close()
    try:
        for number in range(20):
            assert probe.catch_up()
            time.sleep(0.001 * number)
            os.kill(child, signal.SIGSTOP)
            began = time.time_ns()
            time.sleep(0.04)
            ended = time.time_ns()
            os.kill(child, signal.SIGCONT)
            assert probe.catch_up()
            assert probe.lag_ns(0, time.time_ns()) >= ended - began - 11_000_000
            probe._events.clear()
    finally:
        os.kill(child, signal.SIGCONT)
        ours.shutdown(socket.SHUT_RDWR)
        os.waitpid(child, 0)


def test_lag_counts_as_far_as_it_lies_in_the_time_allowed_and_once() -> None:
    probe = LagProbe()
    probe.add(1000, 400)
    probe.add(2000, 100)
    assert probe.lag_ns(800, 1950) == 250
    assert probe.lag_ns(0, 600) == 0
    probe.add(1050, 200)  # the same time on another processor
    assert probe.lag_ns(800, 1950) == 300
    assert probe.lag_ns(800, 1950, 300) == 200
    assert probe.starved(800, 400)
    assert not probe.starved(800, 2000)
    short = LagProbe()
    for number in range(100):
        short.add(number * 1000, 900)
    assert not short.starved(0, 100_000), "a hundred lags that are too short to matter"
