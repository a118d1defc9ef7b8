# SPDX-License-Identifier: GPL-2.0-or-later
"""Capture: stamps, order, frames in time however late they are read, and the proof that there was none."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from scapy.layers.inet import ICMP, IP
from scapy.layers.l2 import ARP, Ether

from testbed.case.case import Case
from testbed.interruptions import DeviceLost, Inconclusive
from testbed.wire.capture import Frame, Sent
from testbed.wire.clock import NANO, ClockStepped, Deadline
from testbed.wire.station import Station
from tests.testbed.lab import Lab, lab_in

ICMP_PROTOCOL = 1


def from_device(case: Case, station: Station, payload: bytes = b"hello") -> str:
    """A frame of the device for a station, in hexadecimal."""
    packet = IP(src=case.network.dut, dst=station.address, proto=253) / payload
    return bytes(Ether(src=case.dut_mac, dst=case.interface.mac) / packet).hex()


def ipv4(case: Case, *, outgoing: bool) -> list[Frame]:
    """The case's frames of one direction, without ARP."""
    return [frame for frame in case.trace.frames if frame.outgoing == outgoing and frame.data[12:14] == b"\x08\x00"]


def first_answer(case: Case) -> Callable[[], Frame | None]:
    """Looks for the first frame from the device that is no ARP."""
    return lambda: next(iter(ipv4(case, outgoing=False)), None)


def test_stamps_are_the_kernels_integers_in_order_and_within_the_time_of_the_test(lab: Lab, case: Case) -> None:
    station = case.station()
    before = time.time_ns()
    sent = [station.send(ICMP_PROTOCOL, ICMP(id=7, seq=number)) for number in range(20)]
    found = case.look(lambda: (ipv4(case, outgoing=False)[19:] or [None])[0], Deadline(sent[0].ns, 2))
    after = time.time_ns()
    assert found
    stamps = [frame.ns for frame in case.trace.frames]
    assert all(isinstance(stamp, int) and before <= stamp <= after for stamp in stamps)
    indices = [frame.index for frame in case.trace.frames]
    assert indices == sorted(set(indices))
    assert [frame.ns for frame in ipv4(case, outgoing=True)] == [one.ns for one in sent]
    for request in sent:
        answers = [frame for frame in ipv4(case, outgoing=False) if frame.data[-4:] == request.data[-4:]]
        assert len(answers) == 1
        assert answers[0].ns >= request.ns
        assert answers[0].index > request.frame.index
        assert case.trace.mark_at(request.frame) == case.trace.mark_at(request.frame)


def test_frames_are_kept_and_can_be_read_again(lab: Lab, case: Case) -> None:
    station = case.station()
    sent = station.send(ICMP_PROTOCOL, ICMP())
    assert case.look(first_answer(case), Deadline(sent.ns, 2)) is case.look(first_answer(case), Deadline(sent.ns, 2))


def test_a_late_reader_still_finds_a_frame_that_was_in_time(lab: Lab, case: Case) -> None:
    station = case.station()
    with case.trace._changed:  # the reader cannot deliver
        asked = time.time_ns()
        lab.tells("emit", frames=[from_device(case, station)])
        time.sleep(0.3)
        looking: list[Frame | None] = []
        thread = threading.Thread(target=lambda: looking.append(case.look(first_answer(case), Deadline(asked, 0.2))))
        thread.start()
        time.sleep(0.1)
    thread.join(2)
    assert looking[0] is not None
    assert looking[0].ns <= asked + 0.2 * NANO


def test_a_frame_after_the_deadline_is_late_although_it_is_there(lab: Lab, case: Case) -> None:
    station = case.station()
    asked = time.time_ns()
    lab.tells("emit", frames=[from_device(case, station)], after_s=0.15)
    assert case.look(first_answer(case), Deadline(asked, 2)) is not None
    assert case.look(first_answer(case), Deadline(asked, 0.1)) is None


def test_absence_is_told_only_when_the_capture_was_read_beyond_the_deadline(lab: Lab, case: Case) -> None:
    station = case.station()
    answers: list[tuple[Frame | None, int]] = []
    asked = time.time_ns()

    def look() -> None:
        found = case.look(lambda: None, Deadline(asked, 0.1))
        answers.append((found, case.interface.drained_ns))

    with case.trace._changed:
        lab.tells("emit", frames=[from_device(case, station)])
        thread = threading.Thread(target=look)
        thread.start()
        time.sleep(0.4)
        assert not answers
        assert case.interface.drained_ns < asked + 0.1 * NANO
    thread.join(2)
    assert answers[0][0] is None
    assert answers[0][1] > asked + 0.1 * NANO


def test_a_frame_that_comes_after_the_proof_of_its_absence_is_counted(lab: Lab, case: Case) -> None:
    station = case.station()
    before = case.interface.late_frames
    with case.trace._changed:  # the reader has taken the first frame, and the second one waits
        lab.tells("emit", frames=[from_device(case, station)] * 2)
        time.sleep(0.1)
        case.interface.drained_ns += NANO  # as if the kernel had held the second one back for a second
    assert case.look(lambda: (ipv4(case, outgoing=False)[1:] or [None])[0], Deadline(time.time_ns(), 2))
    assert case.interface.late_frames > before
    with pytest.raises(Inconclusive, match="too late"):
        case.check_tester()


def test_looking_does_not_hold_up_the_reader(lab: Lab, case: Case) -> None:
    station = case.station()
    entered, go_on = threading.Event(), threading.Event()

    def slow() -> Frame | None:
        entered.set()
        go_on.wait(2)
        return first_answer(case)()

    thread = threading.Thread(target=lambda: case.look(slow, Deadline(time.time_ns(), 1)))
    thread.start()
    assert entered.wait(2)
    lab.tells("emit", frames=[from_device(case, station)])
    deadline = time.time() + 1
    while not first_answer(case)() and time.time() < deadline:
        time.sleep(0.01)
    assert first_answer(case)()
    go_on.set()
    thread.join(2)


def test_frames_for_nobody_are_unowned(lab: Lab, case: Case) -> None:
    station = case.station()
    case.leave()
    lab.tells("emit", frames=[from_device(case, station, b"anybody?")])
    other = lab.case()
    sent = other.station().send(ICMP_PROTOCOL, ICMP())
    assert other.look(first_answer(other), Deadline(sent.ns, 2))
    other.leave()
    assert any(b"anybody?" in frame.data for frame in case.interface.unowned)
    assert case.interface.unowned.maxlen


def test_what_others_send_through_the_interface_does_not_confuse_the_account_of_our_own(lab: Lab, case: Case) -> None:
    station = case.station()
    foreign = bytes(Ether(src=case.interface.mac, dst="ff:ff:ff:ff:ff:ff", type=0x88CC) / b"somebody else")
    waiting = [Sent(bytes([number]) * 60, None, case.clock) for number in range(3)]
    case.interface._outgoing.extend(waiting)
    case.interface._sender.send(foreign)
    sent = station.send(ICMP_PROTOCOL, ICMP())
    assert sent.ns
    case.watch(0.1)  # the answer to the device's ARP request has passed too
    assert not case.interface._outgoing  # what was announced before and did not pass is given up, not waited for


def test_the_stations_address_is_answered_for_and_no_other(lab: Lab, case: Case) -> None:
    station = case.station()
    sent = station.send(ICMP_PROTOCOL, ICMP())
    assert case.look(first_answer(case), Deadline(sent.ns, 2))
    kinds = [Ether(frame.data)[ARP].op for frame in case.trace.frames if frame.data[12:14] == b"\x08\x06"]
    assert kinds == [1, 2]
    asked, reply = (frame for frame in case.trace.frames if frame.data[12:14] == b"\x08\x06")
    assert (reply.outgoing, reply.accounted, asked.note) == (True, True, "ARP request")
    assert (Ether(reply.data)[ARP].psrc, Ether(reply.data)[ARP].hwsrc) == (station.address, case.interface.mac)
    case.leave()
    unowned = len(case.interface.unowned)
    request = Ether(src=case.dut_mac, dst="ff:ff:ff:ff:ff:ff") / ARP(psrc=case.network.dut, pdst=station.address)
    lab.tells("emit", frames=[bytes(request).hex()])
    case.look(lambda: None, Deadline(time.time_ns(), 0.1))
    assert len(case.interface.unowned) == unowned + 1


def test_a_device_that_dies_takes_its_wire_along_and_the_reader_does_not_spin(tmp_path: Path) -> None:
    lab = lab_in(tmp_path)
    try:
        case = lab.case()
        case.station()
        lab.setup.dut.upper_tester().ask("end", code=3)
        with pytest.raises(DeviceLost, match="ended with exit code 3"):
            case.look(lambda: None, Deadline(time.time_ns(), 5))
        with pytest.raises(DeviceLost, match="exit code 3"):
            lab.case().station().trace.wait(lambda: None, time.time_ns() + NANO, lambda: 0)
        case.interface._reader.join(5)  # the kernel removes the wire with the device's namespace
        assert not case.interface._reader.is_alive()
        with pytest.raises(DeviceLost, match="exit code 3"):
            case.station().send(ICMP_PROTOCOL, ICMP())
    finally:
        lab.close()


def test_a_step_of_the_wall_clock_ends_a_wait(lab: Lab, case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    real = case.clock.offset_ns()
    readings = iter([real, real + NANO])
    monkeypatch.setattr(case.clock, "offset_ns", lambda: next(readings, real + NANO))
    with pytest.raises(ClockStepped):
        case.look(lambda: None, Deadline(time.time_ns(), 30))
