# SPDX-License-Identifier: GPL-2.0-or-later
"""What a field refuses, how it says so, and how a violation still gets on the wire."""

from collections.abc import Callable
from typing import Any

import pytest
from scapy.fields import RawVal
from scapy.layers.inet import TCP
from scapy.packet import fuzz

from layers.fields import address_to_int, address_to_str, embedded_ipv4
from layers.ipff import IPFF
from layers.migrate import MigrateOption, MigratePermittedOption, put_permitted
from layers.mops import FAILED, MOPSMigrate, MOPSNATAck
from layers.msocks import Socks5Greeting, Socks5Request
from layers.rehash import RehashOption
from layers.sacip import SACIP
from tests.layers.vectors import VECTORS

REFUSED: list[tuple[Callable[[], Any], str]] = [
    (lambda: MOPSMigrate(code=256), "field code: 256 is outside 0..255"),
    (lambda: MOPSMigrate(code=-1), "field code: -1 is outside 0..255"),
    (lambda: MOPSMigrate(protocol=1 << 14), "field protocol: 16384 is outside 0..16383"),
    (lambda: MOPSMigrate(protocol="sctp"), "field protocol: 'sctp' is none of .*0..16383"),
    (lambda: MOPSMigrate(count=1.5), "field count: 'float' object"),
    (lambda: MOPSMigrate(code=[0, 256]), "field code: 256 is outside"),
    (lambda: MOPSMigrate(previous_source="525.8.78.3.1024"), "field previous_source: .* part 1024 outside 0..1023"),
    (lambda: MOPSMigrate(previous_source=(1, 2, 3, 4, -5)), "field previous_source: .* part -5 outside 0..1023"),
    (lambda: MOPSMigrate(previous_source=1 << 50), "field previous_source: 1125899906842624 is outside"),
    (lambda: MOPSMigrate(previous_source="198.18.0.256"), "field previous_source: .* part 256 outside 0..255"),
    (lambda: MOPSMigrate(previous_source="8.8.8"), "field previous_source: '8.8.8' has 3 parts, not 5"),
    (lambda: MOPSMigrate(previous_source="server.example.com"), "field previous_source: .* is not 5 numbers"),
    (lambda: MOPSMigrate(previous_source="8.8.8.8.٣"), "field previous_source: .* is not 5 numbers"),
    (lambda: MOPSMigrate(entries=[(1, 2)]), r"field entries: entry 0 is \(1, 2\), not \(previous_port, migrated"),
    (lambda: MOPSMigrate(entries=[(1, 2, 3), (1, 65536, 3)]), "migrated_port of entry 1 is 65536, outside 0..65535"),
    (lambda: MOPSMigrate(entries=[(1, 2, "x")]), "identifier of entry 0 is 'x', outside 0..4294967295"),
    (lambda: bytes(MOPSNATAck(entries=[(1, 2)] * 16384)), "field count: 16384 is outside 0..16383"),
    (lambda: bytes(IPFF() / bytes(65536)), "field payload_length: 65536 is outside 0..65535"),
    (lambda: RehashOption(new="host.example"), "field new: 'host.example' is not 4 numbers"),
    (lambda: SACIP(new_address="192.168.1.256"), "field new_address: .* part 256 outside 0..255"),
    (lambda: SACIP(byte_order="little"), "field byte_order: 'little' is neither"),
    (lambda: MigrateOption(token=b"short"), "field token: 5 bytes, where exactly 8 are allowed"),
    (lambda: MigrateOption(token="12345678"), "field token: '12345678' is not bytes"),
    (lambda: MigratePermittedOption(key=bytes(16)), "field key: .* is neither empty nor 17 bytes"),
    (lambda: put_permitted(TCP(), public_key=bytes(24)), "public_key: 24 bytes, where 0 or 25 are allowed"),
    (lambda: Socks5Greeting(methods=[256]), "field method: 256 is outside 0..255"),
    (lambda: bytes(Socks5Greeting(methods=[0] * 256)), "field nmethods: 256 is outside 0..255"),
    (lambda: Socks5Request(address="x" * 256), "field address: .* is no domain address"),
    (lambda: bytes(Socks5Request(address_type=4, address="198.18.0.1")), "field address: .* is no ipv6 address"),
]


@pytest.mark.parametrize(("make", "message"), REFUSED)
def test_value_out_of_range_is_refused_by_name(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_value_set_later_is_refused_too() -> None:
    packet = MOPSMigrate()
    with pytest.raises(ValueError, match=r"field reserved: 65536 is outside 0\.\.65535"):
        packet.reserved = 65536
    packet.fields["reserved"] = 65536
    with pytest.raises(ValueError, match=r"field reserved: 65536 is outside 0\.\.65535"):
        bytes(packet)


def test_violations_are_one_argument_away() -> None:
    assert bytes(MOPSMigrate(version=RawVal(b"\1\2"), checksum=0))[4:6] == b"\1\2"
    assert bytes(MOPSMigrate(checksum=0xBEEF))[2:4] == b"\xbe\xef"
    assert bytes(MOPSMigrate(count=3, entries=[(1, 2, 3)]))[16:18] == (3 << 2).to_bytes(2)
    assert bytes(MOPSMigrate(entries=RawVal(b"12345678" * 2 + b"123")))[16:18] == (2 << 2).to_bytes(2)
    assert bytes(IPFF(payload_length=9) / b"x")[4:6] == b"\0\x09"
    assert bytes(IPFF(protocol=RawVal(b""), src=RawVal(b"\xff" * 8)))[8:16] == b"\xff" * 8
    assert bytes(RehashOption(length=3))[1] == 3
    assert bytes(MigrateOption(token=RawVal(b"longer than eight")))[3:20] == b"longer than eight"


def test_names_stand_for_numbers() -> None:
    assert bytes(MOPSMigrate(code="failed", protocol="udp"))[5:10] == bytes([FAILED, 0, 0, 17 >> 6, 17 << 2 & 0xFF])


@pytest.mark.parametrize("same", ["525.8.78.3.9", (525, 8, 78, 3, 9), 525 << 40 | 8 << 30 | 78 << 20 | 3 << 10 | 9])
def test_address_has_three_spellings(same: Any) -> None:
    assert MOPSMigrate(previous_source=same).previous_source == "525.8.78.3.9"
    assert IPFF(src=same).getfieldval("src") == address_to_int("525.8.78.3.9")


def test_ipv4_address_is_embedded_behind_a_zero() -> None:
    assert address_to_str("198.18.0.1") == "0.198.18.0.1"
    assert embedded_ipv4("0.198.18.0.1") == "198.18.0.1"
    for foreign in ("1.198.18.0.1", "0.256.18.0.1"):
        with pytest.raises(ValueError, match="stands for no IPv4 address"):
            embedded_ipv4(foreign)


def test_a_list_is_a_set_of_packets() -> None:
    packets = list(IPFF(src=["1.2.3.4.5", "5.4.3.2.1"], hop_limit=[1, 2]))
    assert {(packet.src, packet.hop_limit) for packet in packets} == {
        (src, hops) for src in ("1.2.3.4.5", "5.4.3.2.1") for hops in (1, 2)
    }


@pytest.mark.parametrize("cls", {vector.cls: None for vector in VECTORS}, ids=lambda cls: cls.__name__)
def test_scapy_can_fuzz_it(cls: Any) -> None:
    for _ in range(5):
        assert bytes(fuzz(cls()))
