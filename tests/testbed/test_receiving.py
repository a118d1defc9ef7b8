# SPDX-License-Identifier: GPL-2.0-or-later
"""What no receiver would hear is evidence and nothing else; what came in fragments is read in one piece."""

import struct
from collections.abc import Callable

import pytest
from scapy.layers.inet import ICMP, IP, TCP, fragment
from scapy.layers.l2 import ARP, Dot1Q, Ether

from testbed.case.case import Case
from testbed.interruptions import Inconclusive
from testbed.peers.segment import Segment
from testbed.wire.capture import Frame
from testbed.wire.clock import Deadline
from testbed.wire.receiving import Reassembly, is_fragment, is_same, why_dropped
from testbed.wire.station import Station
from tests.devices.hostile.packets import resummed
from tests.testbed.lab import Lab

MAC, NOBODY = "02:00:00:00:00:01", "02:00:00:00:00:99"


def syn(case: Case, station: Station, **fields: int) -> IP:
    return IP(src=case.network.dut, dst=station.address, **fields) / TCP(sport=7, dport=1027, flags="S")


def emit(lab: Lab, case: Case, frame: Ether, last: Ether) -> list[Frame]:
    """Let the device send a frame, and then another one; what the trace holds when that one has come."""
    lab.tells("emit", frames=[bytes(frame).hex(), bytes(last).hex()])
    deadline = Deadline(case.clock.now_ns(), 2)
    assert case.look(lambda: next((one for one in case.trace.received() if one.data == bytes(last)), None), deadline)
    return [one for one in case.trace.frames if not one.outgoing]


UNHEARD: dict[str, tuple[Callable[[Case, Station], Ether], str]] = {
    "another address": (
        lambda case, station: Ether(src=case.dut_mac, dst=NOBODY) / syn(case, station),
        f"dropped: for the Ethernet address {NOBODY}, not for ",
    ),
    "VLAN": (
        lambda case, station: Ether(src=case.dut_mac, dst=case.interface.mac) / Dot1Q(vlan=100) / syn(case, station),
        "dropped: tagged for VLAN 100",
    ),
    "header checksum": (
        lambda case, station: Ether(src=case.dut_mac, dst=case.interface.mac) / syn(case, station, chksum=0x1234),
        "dropped: wrong checksum of the IPv4 header",
    ),
}


@pytest.mark.parametrize("kind", UNHEARD)
def test_what_no_receiver_hears_is_dropped_and_says_why(lab: Lab, case: Case, kind: str) -> None:
    station = case.station()
    build, why = UNHEARD[kind]
    heard = Ether(src=case.dut_mac, dst=case.interface.mac) / syn(case, station)
    unheard, last = emit(lab, case, build(case, station), heard)
    assert unheard.dropped
    assert unheard.accounted
    assert unheard.note.startswith(why)
    assert unheard.data == bytes(build(case, station))  # the tag too
    assert list(case.trace.received()) == [last]
    assert case.trace.since(case.trace.mark_at(unheard))[0] == [last]


def test_an_arp_request_in_a_vlan_is_not_answered(lab: Lab, case: Case) -> None:
    station = case.station()
    request = ARP(psrc=case.network.dut, hwsrc=case.dut_mac, pdst=station.address)
    tagged = Ether(src=case.dut_mac, dst="ff:ff:ff:ff:ff:ff") / Dot1Q(vlan=100) / request
    heard = Ether(src=case.dut_mac, dst=case.interface.mac) / syn(case, station)
    assert emit(lab, case, tagged, heard)[0].dropped
    assert not [one for one in case.trace.frames if one.outgoing]


def test_a_priority_tag_is_no_vlan(lab: Lab, case: Case) -> None:
    station = case.station()
    heard = Ether(src=case.dut_mac, dst=case.interface.mac) / syn(case, station)
    tagged = Ether(src=case.dut_mac, dst=case.interface.mac) / Dot1Q(vlan=0, prio=5) / syn(case, station, id=7)
    first, _ = emit(lab, case, tagged, heard)
    assert (first.dropped, first.note) == (False, "with a priority tag")
    assert Segment.read(first, case.network)


@pytest.mark.parametrize("order", [1, -1], ids=["in order", "reversed"])
def test_fragments_are_read_in_one_piece(lab: Lab, case: Case, order: int) -> None:
    station = case.station()
    whole = IP(src=case.network.dut, dst=station.address, id=7) / TCP(sport=7, dport=1027, flags="PA") / bytes(300)
    whole = IP(bytes(whole))
    frames = [Ether(src=case.dut_mac, dst=case.interface.mac) / one for one in fragment(whole, 64)][::order]
    heard = Ether(src=case.dut_mac, dst=case.interface.mac) / syn(case, station)
    lab.tells("emit", frames=[bytes(one).hex() for one in [*frames, heard]])
    deadline = Deadline(case.clock.now_ns(), 2)
    case.look(lambda: next((one for one in case.trace.received() if one.data == bytes(heard)), None), deadline)
    found = [one for one in case.trace.frames if not one.outgoing]
    parts, (joined, _) = found[: len(frames)], found[len(frames) :]
    assert {(one.dropped, one.note) for one in parts} == {(True, "fragment")}
    assert joined.data == bytes(frames[0])[:14] + bytes(whole)
    assert joined.ns == parts[-1].ns
    segment = Segment.read(joined, case.network)
    assert segment
    assert segment.data == bytes(300)
    assert case.network.tcp_checksum_ok(joined.data)


def test_fragments_of_several_packets_and_a_part_that_is_missing() -> None:
    def frames(number: int) -> list[bytes]:
        packet = IP(src="198.18.0.1", dst="198.19.0.1", id=number) / ICMP() / (bytes([number]) * 200)
        return [bytes(Ether(dst=NOBODY) / one) for one in fragment(IP(bytes(packet)), 80)]

    reassembly, one, other = Reassembly(), frames(1), frames(2)
    assert all(map(is_fragment, one))
    mixed = [part for pair in zip(one, other, strict=True) for part in pair]
    joined = [whole for whole in map(reassembly.add, mixed) if whole]
    assert [whole[-1] for whole in joined] == [1, 2]
    assert not any(map(is_fragment, joined))
    assert [reassembly.add(part) for part in [one[0], *one[2:]]] == [None] * (len(one) - 1)
    assert reassembly.add(one[0]) is None  # a part that comes twice
    assert reassembly.add(one[1]) == joined[0]
    for number in range(3, 200):
        assert reassembly.add(frames(number)[0]) is None
    assert len(reassembly._parts) <= 64
    assert struct.unpack_from("!H", joined[0], 16)[0] == len(joined[0]) - 14


def test_a_packet_longer_than_the_interface_takes_is_told_as_that(lab: Lab, case: Case) -> None:
    with pytest.raises(Inconclusive, match="a packet of 1520 bytes is more than the MTU of the tester's interface"):
        case.station().send(253, bytes(1500))


def _piece(offset: int, data: bytes, more: bool = True) -> bytes:
    packet = IP(src="10.0.0.2", dst="10.0.0.1", id=7, flags="MF" if more else 0, frag=offset // 8, proto=17) / data
    return bytes(Ether(src=NOBODY, dst=NOBODY) / packet)


def test_a_fragment_with_headers_written_over_is_the_one_that_was_sent() -> None:
    """The kernel at the far end of a virtual wire forwards a fragment in the very bytes that the capture shows."""
    sent = _piece(8, b"a" * 16)
    forwarded = bytes(14) + bytes(IP(src="192.0.2.1", dst="10.0.0.1", id=7, ttl=63, flags="MF", frag=1, proto=17))
    assert is_same(sent, forwarded + b"a" * 16)
    assert not is_same(sent, forwarded + b"b" * 16)
    assert not is_same(sent, forwarded + b"a" * 24)


def test_a_whole_packet_with_another_header_is_not_the_one_that_was_sent() -> None:
    sent = _piece(0, b"a" * 16, more=False)
    assert is_same(sent, sent)
    assert not is_same(sent, sent[:26] + bytes(4) + sent[30:])


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda frame: frame, ""),
        (lambda frame: frame + bytes(20), ""),
        (lambda frame: frame[:30], "16 bytes are no IPv4 header"),
        (lambda frame: resummed(frame[:14] + b"\x40" + frame[15:]), "an IPv4 header of 0 bytes in a packet of 40"),
        (lambda frame: resummed(frame[:14] + b"\x65" + frame[15:]), "IPv4 with version 6"),
        (lambda frame: resummed(frame[:14] + b"\x4f" + frame[15:]), "an IPv4 header of 60 bytes in a packet of 40"),
        (lambda frame: resummed(frame[:16] + bytes(2) + frame[18:]), "an IPv4 header of 20 bytes in a packet of 0"),
        (lambda frame: frame[:-1], "that is to have 40 bytes, of which 39 are there"),
        (lambda frame: frame[:24] + bytes(2) + frame[26:], "wrong checksum of the IPv4 header"),
    ],
)
def test_what_is_no_packet_is_dropped(change: Callable[[bytes], bytes], why: str) -> None:
    frame = bytes(Ether(src=MAC, dst=MAC) / IP(src="198.18.0.1", dst="198.19.0.1") / TCP())
    assert why_dropped(change(frame), 0, bytes.fromhex(MAC.replace(":", ""))).endswith(why)
    assert bool(why) == bool(why_dropped(change(frame), 0, frame[:6]))
