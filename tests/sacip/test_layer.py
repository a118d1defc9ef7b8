# SPDX-License-Identifier: GPL-2.0-or-later
"""SACIP against the frames printed in the slides, and beside Scapy's ICMP."""

import re
from pathlib import Path

import pytest
from scapy.layers.inet import ICMP, IP, TCP
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from conformance.sacip.tester import slides
from layers import samples
from layers.sacip import NETWORK, SACIP
from tests.layers import wireshark
from tests.layers.strict import strict_dissection as strict_dissection

pytestmark = pytest.mark.usefixtures("strict_dissection")

SLIDES = Path(__file__).parents[2] / "conformance/sacip/specification.txt"


def printed_frames() -> list[bytes]:
    """The frames whose hex dump the slides print from byte 0 on."""
    frames: list[bytes] = []
    for line in SLIDES.read_text().splitlines():
        found = re.match(r"([0-9a-f]{4})  ?((?:[0-9a-f]{2} ){1,15}[0-9a-f]{2})(?:  |$)", line)
        if found and found[1] == "0000":
            frames.append(b"")
        if found and frames and int(found[1], 16) == len(frames[-1]):
            frames[-1] += bytes.fromhex(found[2])
    return frames


def test_notification_frame_of_the_slides() -> None:
    notification = Ether(printed_frames()[0])
    message = notification[SACIP]
    assert (notification[IP].src, notification[IP].dst) == ("192.168.1.22", "192.168.1.101")
    assert (message.type, message.code, message.checksum, message.new_address) == (20, 0, 0x413E, "192.168.1.2")
    assert message.checksum_ok()
    rebuilt = (
        Ether(src="00:05:5d:47:59:d3", dst="00:40:63:d8:bc:48")
        / IP(src="192.168.1.22", dst="192.168.1.101", id=0x56F1)
        / SACIP(new_address="192.168.1.2")
    )
    assert bytes(rebuilt).hex() == printed_frames()[0].hex()


def test_segment_frame_of_the_slides_comes_from_the_new_address() -> None:
    """The dump stops two bytes early; the list of packets above it prints the echoed time stamp that they end."""
    echoed = int(re.search(r"^37\t.*TSER=(\d+)$", SLIDES.read_text(), re.MULTILINE)[1])
    whole = printed_frames()[1] + echoed.to_bytes(4)[2:]
    segment = Ether(whole)
    assert (segment[IP].src, segment[TCP].sport, segment[TCP].dport) == ("192.168.1.222", 54586, 23)
    assert segment[TCP].options[-1] == ("Timestamp", (12879909, echoed))
    checksum = segment[TCP].chksum
    segment.clear_cache()
    assert bytes(segment).hex() == whole.hex()
    del segment[TCP].chksum
    assert Ether(bytes(segment))[TCP].chksum == checksum


def test_slides_print_two_frames() -> None:
    assert [len(frame) for frame in printed_frames()] == [42, 64]


def test_network_order_by_argument() -> None:
    message = SACIP(byte_order="network", new_address="192.168.1.2")
    assert bytes(message)[4:] == bytes([192, 168, 1, 2])
    received = SACIP(bytes(message))
    assert received.new_address == "2.1.168.192"
    received.byte_order = "network"
    assert received.new_address == "192.168.1.2"
    assert received.copy().new_address == "192.168.1.2"
    assert bytes(received) == bytes(message)


def test_a_number_is_the_one_on_the_wire() -> None:
    assert bytes(SACIP(new_address=0x0201A8C0))[4:] == bytes([2, 1, 168, 192])


def test_every_other_icmp_stays_with_scapy() -> None:
    for kind in set(range(256)) - {20}:
        packet = IP(bytes(IP(dst="198.18.0.1") / ICMP(type=kind)))
        assert type(packet.payload) is ICMP
    assert IP(bytes(IP(dst="198.18.0.1", frag=1, proto=1) / b"\x14\0\0\0\0\0\0\0")).haslayer(Raw)


@wireshark.needed
def test_wireshark_reads_either_byte_order_and_finds_a_wrong_checksum(tmp_path: Path) -> None:
    frames = {"network": samples.frames()["sacip-network"], "wrong": samples.ipv4(SACIP(checksum=1))}
    decoded = wireshark.decode(frames, tmp_path / "sacip.pcap", "sacip.captured:FALSE")
    assert frames["network"][SACIP].byte_order == NETWORK
    assert wireshark.shown(decoded["network"], "sacip.new_address") == [samples.MOVED4]
    assert wireshark.shown(decoded["wrong"], "sacip.checksum_ok") == ["0"]


def test_cases_replay_the_frames_of_the_slides() -> None:
    assert printed_frames()[0][14:] == slides.NOTIFICATION
    assert slides.SEGMENT[:-2] == printed_frames()[1][14:]
    assert IP(slides.SEGMENT)[TCP].options[-1] == ("Timestamp", (12879909, 12989008))
