# SPDX-License-Identifier: GPL-2.0-or-later
"""How the end of a case becomes a verdict, and what is not held against the device."""

import socket
import time
from typing import get_type_hints

import pytest
from scapy.layers.inet import IP
from scapy.layers.l2 import Ether

from testbed.case.case import Case
from testbed.case.verdict import Broken, Finding, Requirement, Verdict, Witness, require, require_none
from testbed.interruptions import DeviceLost, Inconclusive, NotApplicable
from testbed.peers.connection import connect, new_peer
from testbed.run.attempts import ATTEMPTS, ATTEMPTS_ON_A_BUSY_MACHINE
from testbed.wire.capture import Frame
from testbed.wire.clock import NANO, Deadline, RunOver
from tests.testbed.lab import Lab, spec


def breaks(case: Case) -> None:
    """A finding that rests on no deadline."""
    connect(case, new_peer(case, case.station()))
    raise Broken(Finding("wrong", "this", "that"), case.trace.frames[-1])


def misses_deadline(case: Case) -> None:
    """A finding that rests on a deadline of 0.1 s."""
    peer = connect(case, new_peer(case, case.station()))
    sent = peer.acknowledge()
    case.look(lambda: None, Deadline(sent.ns, 0.1))
    raise Broken(Finding("silence", "an answer", "silence"), Deadline(sent.ns, (NANO // 10) / NANO))


def test_finding_without_grounds_cannot_be_raised(case: Case) -> None:
    with pytest.raises(TypeError, match="grounds"):
        Broken(Finding("wrong"))
    with pytest.raises(TypeError, match="grounds"):
        require(True, "number", 1, 1)
    for raising in (Broken.__init__, require):  # mypy, strict, keeps callers to it
        assert get_type_hints(raising)["grounds"] == Deadline | Frame | Witness
    frames = [case.station().send(6, b"").frame]
    require_none("frames", [])
    with pytest.raises(Broken, match="frames: expected none, got 1") as caught:
        require_none("frames", frames)
    assert (caught.value.finding.frames, caught.value.deadline) == (frames, None)


@pytest.mark.parametrize(("strength", "verdict"), [("M", Verdict.FAIL), ("S", Verdict.DEVIATION), ("I", Verdict.INFO)])
def test_what_a_finding_amounts_to_depends_on_the_requirement(lab: Lab, strength: str, verdict: Verdict) -> None:
    outcome = lab.runs(breaks, strength)
    assert (outcome.verdict, outcome.finding.reason, outcome.attempts) == (verdict, "wrong", 1)


def test_pass_and_info(lab: Lab) -> None:
    assert lab.runs(lambda case: None).verdict is Verdict.PASS
    assert lab.runs(lambda case: case.values.update(time="5 us")).verdict is Verdict.PASS
    assert lab.runs(lambda case: case.values.update(time="5 us"), "I").verdict is Verdict.INFO
    assert lab.runs(lambda case: None, "I").verdict is Verdict.PASS


def test_missed_deadline_is_a_failure_where_the_machine_was_idle(lab: Lab) -> None:
    assert lab.runs(misses_deadline).verdict is Verdict.FAIL


def test_missed_deadline_is_inconclusive_and_repeated_where_the_machine_withheld_the_time(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("testbed.run.attempts._FIRST_PAUSE_NS", NANO // 100)

    def starved(case: Case) -> None:
        try:
            misses_deadline(case)
        finally:
            case.setup.lag.add(time.time_ns(), 80_000_000)

    outcome = lab.runs(starved)
    assert (outcome.verdict, outcome.attempts) == (Verdict.INCONCLUSIVE, ATTEMPTS_ON_A_BUSY_MACHINE)
    assert "the machine withheld 0.0" in outcome.finding.reason


def test_what_need_not_be_repeated_is_repeated_all_the_same_where_the_machine_was_busy(lab: Lab) -> None:
    attempts = []

    def body(case: Case) -> None:
        attempts.append(case)
        if len(attempts) == 1:
            case.watch(0.1)
            case.setup.lag.add(time.time_ns(), 80_000_000)
            raise Inconclusive("silence", repeat=False)

    assert (lab.runs(body).verdict, len(attempts)) == (Verdict.PASS, 2)
    attempts = [None, None]  # type: ignore[list-item]

    def calm(case: Case) -> None:
        attempts.append(case)
        raise Inconclusive("silence", repeat=False)

    assert (lab.runs(calm).verdict, len(attempts)) == (Verdict.INCONCLUSIVE, 3)


def test_a_disturbed_case_passes_in_another_attempt_with_other_addresses(lab: Lab) -> None:
    addresses = []

    def body(case: Case) -> None:
        addresses.append(case.station().address)
        if len(addresses) < ATTEMPTS:
            raise Inconclusive("disturbed")

    outcome = lab.runs(body)
    assert (outcome.verdict, outcome.attempts, len(set(addresses))) == (Verdict.PASS, ATTEMPTS, ATTEMPTS)


def test_lost_frames_make_a_case_inconclusive(lab: Lab) -> None:
    frame = bytes(Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / IP(dst="198.19.0.1") / (b"x" * 1200)).hex()
    attempts = []

    def body(case: Case) -> None:
        if not attempts:
            # A reader that stands still and a small buffer: the kernel has to drop.
            station = case.station()
            capture = case.interface._capture
            size = capture.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
            capture.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            with case.trace._changed:
                station.send(6, b"")
                lab.tells("emit", frames=[frame] * 200)
            capture.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size // 2)
        attempts.append(case.interface.count_losses())
        raise Broken(Finding("wrong"), Witness.APPLICATION)

    outcome = lab.runs(body)
    assert attempts[0] > 0
    assert len(attempts) == 2, "the first attempt was disturbed, the second was not"
    assert outcome.verdict is Verdict.FAIL


def test_every_case_sees_the_losses_of_its_time(lab: Lab) -> None:
    earlier, case = lab.case(), lab.case()
    case.interface._drops += 3
    later = lab.case()
    for disturbed in (earlier, case):
        with pytest.raises(Inconclusive, match="lost 3 frames"):
            disturbed.check_tester()
    later.check_tester()
    for one in (earlier, case, later):
        one.leave()


def test_a_step_of_the_clock_disturbs_every_case_that_runs(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = lab.case(), lab.case()
    real = lab.clock.offset_ns()
    monkeypatch.setattr(lab.clock, "offset_ns", lambda: real + NANO)
    later = lab.case()
    for disturbed in (first, second, first):
        with pytest.raises(Exception, match="the wall clock was set"):
            disturbed.check_tester()
    later.check_tester()
    for one in (first, second, later):
        one.leave()


@pytest.mark.parametrize(
    ("raised", "verdict"),
    [
        (ValueError("our own fault"), Verdict.ERROR),
        (pytest.fail.Exception("no"), Verdict.ERROR),
        (pytest.skip.Exception("no"), Verdict.ERROR),
        (SystemExit(1), Verdict.ERROR),
        (NotApplicable("ics says no"), Verdict.NOT_APPLICABLE),
        (DeviceLost("gone"), Verdict.NOT_RUN),
        (RunOver("stopped"), Verdict.NOT_RUN),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_other_ends(lab: Lab, raised: BaseException, verdict: Verdict) -> None:
    def body(case: Case) -> None:
        raise raised

    outcome = lab.runs(body)
    assert outcome.verdict is verdict
    assert str(raised) in outcome.finding.reason


def test_a_message_that_nothing_asked_for_is_a_finding(lab: Lab) -> None:
    def body(case: Case) -> None:
        station = case.station()
        packet = IP(src=case.network.dut, dst=station.address, proto=case.network.icmp_protocol) / bytes(24)
        lab.tells("emit", frames=[bytes(Ether(src=case.dut_mac, dst=case.interface.mac) / packet).hex()])
        case.look(lambda: next(case.trace.received(), None), Deadline(time.time_ns(), 1))

    forbids = Requirement("TEST-1-02", "S", "TEST 1", "No more than one is sent.")
    outcome = lab.runs(body, unsolicited=forbids)
    assert (outcome.verdict, outcome.spec.requirements) == (Verdict.DEVIATION, (forbids,))
    outcome = lab.runs(body)
    assert (outcome.verdict, outcome.spec.requirements) == (Verdict.FAIL, spec().requirements)
    assert "unsolicited messages from the DUT" in outcome.finding.reason
    assert outcome.case
    assert [frame.note for frame in outcome.case.trace.frames] == ["unexplained"]
