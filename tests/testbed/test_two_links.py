# SPDX-License-Identifier: GPL-2.0-or-later
"""Two links: one trace in the order of the kernel's stamps, marks in it, absence on all of them, evidence of each."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from scapy.layers.inet import IP
from scapy.layers.l2 import ARP, Ether
from scapy.utils import PcapNgReader

from profiles import Role, load
from testbed.case.case import Case
from testbed.case.side import Side
from testbed.device.chain import Chain, Position, overlay
from testbed.device.wires import Layout
from testbed.interruptions import DeviceLost, Inconclusive
from testbed.wire import pcapng
from testbed.wire.capture import BEGINNING, Frame, Trace
from testbed.wire.clock import NANO, Clock, Deadline
from tests.testbed.lab import Lab, puppet_profile

NEIGHBOUR = ("neighbour",)
MIDDLE = Role("mops", "in the middle", links=("inside", "outside"))
SIDES = """
[link.inside]
kind = "namespace"
[link.outside]
kind = "namespace"
[ixit.ipv4.inside]
address = "10.1.0.1"
prefix_length = 24
tester_first = "10.1.0.10"
tester_last = "10.1.0.99"
[ixit.ipv4.outside]
address = "10.2.0.1"
prefix_length = 24
tester_first = "10.2.0.10"
tester_last = "10.2.0.99"
[ics]
"""


def frame(interface: str, ns: int, *, outgoing: bool = False) -> Frame:
    """A frame that a reader hands over."""
    return Frame(0, ns, outgoing, f"{interface} {ns}".encode(), interface=interface)


def trace_of(*frames: Frame) -> Trace:
    """A trace to which these frames have come, in this order."""
    trace = Trace(Clock())
    for one in frames:
        trace.append(one)
    return trace


def stamps(frames: list[Frame]) -> list[int]:
    return [one.ns for one in frames]


def test_captures_are_merged_by_stamp_and_each_keeps_its_order() -> None:
    """An interface that is read late, and a capture in which the kernel's stamps are not in order."""
    inside = [frame("inside", ns) for ns in (10, 40, 30, 60)]
    outside = [frame("outside", ns) for ns in (5, 35, 50)]
    trace = trace_of(*inside, *outside)
    assert stamps(trace.frames) == [5, 10, 35, 40, 30, 50, 60]
    assert [one for one in trace.frames if one.interface == "inside"] == inside
    assert stamps(trace_of(*outside, *inside).frames) == stamps(trace.frames)


def test_what_came_since_a_mark_is_known_for_each_interface() -> None:
    """Now, at a frame, after a frame: what the other interface hands over late belongs to where its stamp is."""
    first, second = frame("inside", 10), frame("inside", 20)
    trace = trace_of(first, frame("outside", 12), second)
    now, at, after = trace.mark(), trace.mark_at(second), trace.mark_after(second)
    assert stamps(trace.since(at)[0]) == [20]
    for one in (frame("outside", 15), frame("outside", 25), frame("inside", 30)):
        trace.append(one)
    assert stamps(trace.since(now)[0]) == [15, 25, 30]
    assert stamps(trace.since(at)[0]) == [20, 25, 30]
    assert stamps(trace.since(after)[0]) == [25, 30]
    assert stamps(trace.since(trace.mark_at(first))[0]) == [10, 12, 15, 20, 25, 30]
    assert stamps(trace.since(trace.mark_after(first))[0]) == [12, 15, 20, 25, 30]
    assert trace.since(trace.mark()) == ([], trace.mark())


def test_after_a_frame_its_own_capture_decides_and_not_the_stamps() -> None:
    """The kernel has stamped a frame earlier than the one that stands before it."""
    later, earlier = frame("inside", 20), frame("inside", 19)
    trace = trace_of(later, earlier, frame("outside", 18))
    assert trace.since(trace.mark_after(later))[0] == [earlier]
    assert trace.since(trace.mark_after(earlier))[0] == []
    assert stamps(trace.since(trace.mark_at(later))[0]) == [20]


def test_reading_on_from_the_last_mark_gives_every_frame_once() -> None:
    trace, taken, mark = trace_of(), [], BEGINNING
    for number in range(100):
        trace.append(frame("inside" if number % 3 else "outside", 1000 - number))
        if number % 7 == 0:
            news, mark = trace.since(mark)
            taken += news
    taken += trace.since(mark)[0]
    assert sorted(stamps(taken)) == list(range(901, 1001))


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A puppet with two links."""
    lab = Lab(load(puppet_profile(tmp_path_factory.mktemp("two"), changes=[("[ics]", SIDES)])), role=MIDDLE)
    yield lab
    lab.close()


def emit(lab: Lab, side: Side, destination: str) -> None:
    """Let the device send a packet on a link."""
    packet = Ether(dst=side.interface.mac, src=side.dut_mac) / IP(src="10.9.9.9", dst=destination)
    lab.tells("emit", wire=list(MIDDLE.links).index(side.name), frames=[bytes(packet).hex()])


def test_a_station_receives_on_its_own_side_alone(lab: Lab, case: Case) -> None:
    """What is for it on the other side belongs to nobody; frames say where they were seen, indices are unique."""
    inside, outside = case.inside.station(), case.outside.station()
    known = [len(side.interface.unowned) for side in case.sides.values()]
    for side in case.sides.values():
        emit(lab, side, inside.address)
        emit(lab, side, outside.address)
    case.watch(0.05)
    seen = {(one.interface, one.data[30:34]) for one in case.trace.frames}
    assert seen == {("inside", socket.inet_aton(inside.address)), ("outside", socket.inet_aton(outside.address))}
    assert [one.interface for one in case.outside.received()] == ["outside"]
    assert [len(side.interface.unowned) for side in case.sides.values()] == [number + 1 for number in known]
    unowned = [one for side in case.sides.values() for one in side.interface.unowned]
    numbers = [one.index for one in (*case.trace.frames, *unowned)]
    assert len(set(numbers)) == len(numbers)
    assert case.addresses == {inside.address, outside.address}


def test_each_side_has_its_addresses_and_a_case_names_the_side(lab: Lab, case: Case) -> None:
    assert (case.inside.dut_address, case.outside.dut_address) == ("10.1.0.1", "10.2.0.1")
    assert case.inside.dut_mac != case.outside.dut_mac
    with pytest.raises(LookupError, match=r"several links \(inside, outside\): inside or outside"):
        case.station()
    with pytest.raises(LookupError, match="several links"):
        _ = case.network


@pytest.mark.parametrize("late", ["inside", "outside"])
def test_absence_is_told_only_when_every_link_was_read_beyond_the_deadline(lab: Lab, case: Case, late: str) -> None:
    """One reader stands still: nothing is said before it has come to the deadline, whatever the other has read."""
    other = {"inside": "outside", "outside": "inside"}[late]
    station = case.sides[late].station()
    held = case.sides[late].interface
    answers: list[Frame | None] = []
    asked = time.time_ns()
    with held._sending:  # a reader that has to answer ARP waits for this
        request = Ether(dst="ff:ff:ff:ff:ff:ff", src=case.sides[late].dut_mac) / ARP(pdst=station.address)
        lab.tells("emit", wire=list(MIDDLE.links).index(late), frames=[bytes(request).hex()])
        thread = Thread(target=lambda: answers.append(case.look(lambda: None, Deadline(asked, 0.1))))
        thread.start()
        thread.join(0.4)
        assert not answers
        assert case.sides[other].interface.drained_ns > asked + 0.1 * NANO > case.drained_ns()
    thread.join(5)
    assert answers == [None]
    assert case.drained_ns() > asked + 0.1 * NANO


def test_losses_of_every_link_count(lab: Lab, case: Case) -> None:
    case.check_tester()
    case.outside.interface.late_frames += 2
    with pytest.raises(Inconclusive, match="lost 2 frames"):
        case.check_tester()


@pytest.mark.parametrize("side", ["inside", "outside"])
def test_a_device_that_dies_is_lost_on_every_link(tmp_path: Path, side: str) -> None:
    lab = Lab(load(puppet_profile(tmp_path, changes=[("[ics]", SIDES)])), role=MIDDLE)
    try:
        case = lab.case()
        case.sides[side].station()
        lab.setup.dut.upper_tester().ask("end", code=3)
        with pytest.raises(DeviceLost, match="ended with exit code 3"):
            case.watch(5)
    finally:
        lab.close()


def test_a_device_that_does_not_answer_on_one_link_is_not_there(tmp_path: Path) -> None:
    path = puppet_profile(tmp_path, "--be", "deaf", changes=[("[ics]", SIDES)])
    with pytest.raises(DeviceLost, match=r"no ARP reply from 10\.2\.0\.1 on the outside"):
        Lab(load(path), role=MIDDLE)


def test_one_capture_file_with_an_interface_for_each_link(tmp_path: Path) -> None:
    frames = [frame("inside", 10), frame("outside", 11, outgoing=True), frame("inside", 12)]
    pcapng.write(tmp_path / "two.pcapng", frames, ["inside", "between 1", "outside"], "two links")
    packets = list(PcapNgReader(str(tmp_path / "two.pcapng")))
    assert [packet.sniffed_on for packet in packets] == ["inside", "outside", "inside"]
    assert [packet.direction for packet in packets] == [1, 2, 1]


def test_who_is_at_the_other_end_of_a_chains_wires() -> None:
    layout = Layout([], [["a0", "a1"], ["b0", "b1"], ["c0", "c1"]], [(0, "i", "i"), (2, "t", "t"), (3, "o", "o")])
    assert [layout.far_macs(device) for device in range(3)] == [["i", "b0"], ["a1", "c0"], ["b1", "o"]]
    assert [layout.near_macs(wire) for wire in range(4)] == [["a0"], ["a1", "b0"], ["b1", "c0"], ["c1"]]
    alone = Layout([], [["a0", "a1"]], [(0, "i", "i"), (1, "o", "o")])
    assert alone.far_macs(0) == ["i", "o"]


@pytest.mark.parametrize(
    ("positions", "taps", "reason"),
    [
        ((Position(),), (), "2 to 4 devices, not 1"),
        ((Position(),) + (Position(NEIGHBOUR),) * 4, (), "2 to 4 devices, not 5"),
        ((Position(NEIGHBOUR), Position(NEIGHBOUR)), (), "one device under test"),
        ((Position(), Position()), (), "one device under test"),
        ((Position(), Position(NEIGHBOUR)), (2,), "between devices are 1 to 1, not 2"),
        ((Position(), Position(NEIGHBOUR)), (1,), "wire 2 is missing"),
    ],
)
def test_a_chain_that_cannot_be(positions: tuple[Position, ...], taps: tuple[int, ...], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Chain(positions, taps=taps)


def test_a_chain_knows_its_wires() -> None:
    chain = Chain((Position(NEIGHBOUR), Position(), Position(NEIGHBOUR)), {0: {}, 3: {}}, taps=(1,))
    assert (chain.place, chain.wires) == (1, (0, 1, 3))
    assert [chain.link(wire) for wire in chain.wires] == ["inside", "between 1", "outside"]
    assert [chain.side(wire) for wire in range(4)] == ["", "inside", "outside", ""]


def test_what_a_position_adds_to_the_configuration() -> None:
    content = {"networks": {"ipv4": {"outside": {"address": "10.2.0.1"}}}, "role": "router"}
    added = overlay(content, {"networks": {"ipv4": {"outside": {"gateway": "10.2.0.2"}}}})
    assert added["networks"]["ipv4"]["outside"] == {"address": "10.2.0.1", "gateway": "10.2.0.2"}
    assert "gateway" not in content["networks"]["ipv4"]["outside"]  # type: ignore[index]
