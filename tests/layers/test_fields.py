# SPDX-License-Identifier: GPL-2.0-or-later
"""What a field refuses, how it says so, and how a violation still gets on the wire."""

from collections.abc import Callable
from typing import Any

import pytest
from scapy.fields import RawVal
from scapy.layers.inet import IP
from scapy.packet import fuzz

from layers.fields import address_to_int, address_to_str, embedded_ipv4
from layers.ipff import IPFF
from layers.mops import MOPSMigrate
from tests.layers.vectors import REFUSED, VECTORS


@pytest.mark.parametrize(("make", "message"), REFUSED)
def test_value_out_of_range_is_refused_by_name(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_value_set_later_is_refused_too() -> None:
    packet = IPFF()
    with pytest.raises(ValueError, match=r"field hops_to_live: 256 is outside 0\.\.255"):
        packet.hops_to_live = 256
    packet.fields["hops_to_live"] = 256
    with pytest.raises(ValueError, match=r"field hops_to_live: 256 is outside 0\.\.255"):
        bytes(packet)


def test_violations_are_one_argument_away() -> None:
    assert bytes(IPFF(payload_length=9) / b"x")[18:20] == b"\0\x09"
    assert bytes(IPFF(hops_to_live=RawVal(b"\1\2")))[16:18] == b"\1\2"
    assert bytes(IPFF(protocol=RawVal(b""), dst=RawVal(b"\xff" * 8)))[8:16] == b"\xff" * 8


def test_names_stand_for_numbers() -> None:
    assert bytes(IPFF(protocol="udp"))[8:10] == (17 << 2).to_bytes(2)


@pytest.mark.parametrize("same", ["525.8.78.3.9", (525, 8, 78, 3, 9), 525 << 40 | 8 << 30 | 78 << 20 | 3 << 10 | 9])
def test_address_has_three_spellings(same: Any) -> None:
    assert IPFF(src=same).src == "525.8.78.3.9"
    assert IPFF(src=same).getfieldval("src") == address_to_int("525.8.78.3.9")


def test_ipv4_address_is_embedded_after_a_zero() -> None:
    assert address_to_str("198.18.0.1") == "0.198.18.0.1"
    assert embedded_ipv4("0.198.18.0.1") == "198.18.0.1"
    for foreign in ("1.198.18.0.1", "0.256.18.0.1"):
        with pytest.raises(ValueError, match="stands for no IPv4 address"):
            embedded_ipv4(foreign)


def test_a_list_is_a_set_of_packets() -> None:
    packets = list(IPFF(src=["1.2.3.4.5", "5.4.3.2.1"], hops_to_live=[1, 2]))
    assert {(packet.src, packet.hops_to_live) for packet in packets} == {
        (src, hops) for src in ("1.2.3.4.5", "5.4.3.2.1") for hops in (1, 2)
    }


@pytest.mark.parametrize("cls", {vector.cls: None for vector in VECTORS}, ids=lambda cls: cls.__name__)
def test_scapy_can_fuzz_it(cls: Any) -> None:
    for _ in range(5):
        assert bytes(fuzz(cls()))


@pytest.mark.parametrize(
    ("address", "over_ipv4", "over_ipff"),
    [
        ("0.198.18.0.1", "198.18.0.1", "0.198.18.0.1"),
        ("1.198.18.0.1", "1.198.18.0.1", "1.198.18.0.1"),
        ("0.198.18.0.256", "0.198.18.0.256", "0.198.18.0.256"),
        ("0.0.0.0.0", "0.0.0.0", "0.0.0.0.0"),
    ],
)
def test_an_address_is_read_in_the_notation_of_its_network(address: str, over_ipv4: str, over_ipff: str) -> None:
    """Only how it is shown: what is compared stays five fields."""
    made = MOPSMigrate(previous_source=address, entries=[(1024, 1027, 7)])
    for lower, shown in ((IP(src="198.18.0.2", dst="198.18.0.3"), over_ipv4), (IPFF(), over_ipff)):
        message = (lower / made)[MOPSMigrate]
        assert f" {shown} > " in message.summary()
        assert message.get_field("previous_source").i2repr(message, message.getfieldval("previous_source")) == shown
        assert message.previous_source == address
