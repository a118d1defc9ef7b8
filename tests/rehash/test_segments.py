# SPDX-License-Identifier: GPL-2.0-or-later
"""How the Rehash cases read a device's segments: what is meant is recognised also where a field is wrong."""

from pathlib import Path

import pytest
from scapy.fields import RawVal
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether
from scapy.packet import Packet

import profiles
from conformance.rehash.segment import RehashSegment
from layers.rehash import ADDR, INIT, RehashOption
from testbed.wire.capture import Frame
from testbed.wire.network import networks

ROOT = Path(__file__).resolve().parents[2]
IPV4 = networks(profiles.load(ROOT / "profiles/reference.toml"), ["ipv4"], "link")["ipv4"]
INIT_OPTION = RehashOption(control=INIT, nonce=7, old="0.0.0.0", new="198.18.0.1")
ADDR_OPTION = RehashOption(control=ADDR, nonce=7, old="198.18.0.1", new="198.18.0.2")


def segment(*options: Packet | bytes, data: bytes = b"") -> RehashSegment:
    """A segment of a device as the case reads it."""
    area = b"".join(map(bytes, options))
    area += bytes(-len(area) % 4)
    tcp = TCP(flags="PA", options=RawVal(area), dataofs=(20 + len(area)) // 4)
    packet = Ether() / IP(src="198.18.0.2", dst="198.19.0.1") / tcp / data
    found = RehashSegment.read(Frame(1, 0, False, bytes(packet)), IPV4)
    assert found
    return found


def changed(option: Packet, at: int, value: int) -> bytes:
    """The option with one byte replaced."""
    content = bytearray(bytes(option))
    content[at] = value
    return bytes(content)


@pytest.mark.parametrize("option", [INIT_OPTION, changed(INIT_OPTION, 0, 254), changed(INIT_OPTION, 3, 0x11)])
def test_init_is_recognised(option: Packet | bytes) -> None:
    """Right, of another kind, and with an undefined control header."""
    found = segment(option, data=b"payload")
    assert found.init
    assert not found.rehash_addr
    assert (found.init.nonce, found.init.new, found.data) == (7, "198.18.0.1", b"payload")


@pytest.mark.parametrize("option", [ADDR_OPTION, changed(ADDR_OPTION, 0, 254), changed(ADDR_OPTION, 3, 0x11)])
def test_rehash_addr_is_recognised(option: Packet | bytes) -> None:
    """The same for REHASH-ADDR."""
    found = segment(b"\x01", option)
    assert found.rehash_addr
    assert not found.init
    assert (found.rehash_addr.old, found.rehash_addr.new, found.source) == ("198.18.0.1", "198.18.0.2", "198.18.0.2")


def test_old_address_does_not_make_rehash_addr_of_init() -> None:
    """A control header that is right decides."""
    assert segment(changed(INIT_OPTION, 8, 10)).init


def test_text_names_the_options() -> None:
    """After what every segment tells of itself."""
    text = str(segment(ADDR_OPTION))
    assert text.startswith("#1 from 198.18.0.2:")
    assert text.endswith("REHASH-ADDR nonce 0x00000007 old 198.18.0.1 new 198.18.0.2")


def test_sack_blocks_are_read() -> None:
    """As pairs of edges; none without the option."""
    blocks = b"\x01\x01\x05\x12" + b"".join(number.to_bytes(4, "big") for number in (1, 2, 3, 4))
    assert segment(blocks, INIT_OPTION).sack == [(1, 2), (3, 4)]
    assert segment(INIT_OPTION).sack == []


def test_length_is_kept_as_it_stands() -> None:
    """An option that is too long is told from one that is cut off."""
    longer = segment(changed(INIT_OPTION, 1, 18) + b"\0\0")
    assert longer.init
    assert longer.init.length == 18
    assert segment(changed(INIT_OPTION, 1, 60)).options[-1].fault


def test_other_options_are_none_of_rehash() -> None:
    """Timestamps, SACK with as many blocks as there are, and no-operations."""
    assert not segment(b"\x01\x01\x08\x0a" + bytes(8), b"\x01\x01\x05\x1a" + bytes(24)).rehash


def test_frames_of_others_are_no_segments() -> None:
    """What the tester sent, ARP, and other protocols."""
    udp = bytes(Ether() / IP(proto=17) / b"data")
    assert RehashSegment.read(Frame(1, 0, False, udp), IPV4) is None
    assert RehashSegment.read(Frame(1, 0, False, b"\xff" * 12 + b"\x08\x06" + bytes(28)), IPV4) is None
    assert RehashSegment.read(Frame(1, 0, True, bytes(Ether() / IP() / TCP())), IPV4) is None
