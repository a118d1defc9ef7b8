# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP options: the walker, get and put, and the two protocols that live in them."""

import hashlib

import pytest
from scapy.fields import RawVal
from scapy.layers.inet import IP, TCP

from layers.migrate import MigrateOption, MigratePermittedOption, permitted_key, put_permitted, request, token
from layers.rehash import ADDR, INIT, RehashOption
from layers.tcp_options import MobileCapableOption, TimestampOption, get_option, option_area, put_option, walk_options

SYN = TCP(sport=1027, dport=80, flags="S", options=[("MSS", 1460), ("NOP", None), ("WScale", 7)])
KEY = bytes(range(100, 125))


@pytest.mark.parametrize(
    ("area", "expected"),
    [
        ("", []),
        ("01", [(0, 1, "01", "")]),
        ("020405b4 01 fd02", [(0, 2, "020405b4", ""), (4, 1, "01", ""), (5, 253, "fd02", "")]),
        ("01 00 dead", [(0, 1, "01", ""), (1, 0, "00dead", "")]),
        ("fd", [(0, 253, "fd", "length missing")]),
        ("01 fd00 01", [(0, 1, "01", ""), (1, 253, "fd0001", "length 0 of option 253, with 3 bytes left")]),
        ("fd01", [(0, 253, "fd01", "length 1 of option 253, with 2 bytes left")]),
        ("fd05 0000", [(0, 253, "fd050000", "length 5 of option 253, with 4 bytes left")]),
    ],
)
def test_walk_tells_every_option_and_names_what_is_wrong(area: str, expected: list[tuple[int, int, str, str]]) -> None:
    walked = [(raw.offset, raw.kind, raw.raw.hex(), raw.fault) for raw in walk_options(bytes.fromhex(area))]
    assert walked == expected


def test_put_option_keeps_the_others_and_pads() -> None:
    packet = put_option(SYN, MobileCapableOption())
    assert option_area(packet).hex() == "020405b4 01 030307 fe044d4f".replace(" ", "")
    assert packet.options == [*SYN.options, (254, b"MO")]
    assert TCP(bytes(packet)).dataofs == 8
    assert SYN.options == [("MSS", 1460), ("NOP", None), ("WScale", 7)]


def test_put_option_replaces_its_like_in_place() -> None:
    packet = put_option(put_option(TCP(), RehashOption(nonce=1)), MobileCapableOption())
    changed = put_option(packet, RehashOption(nonce=2))
    assert get_option(changed, RehashOption).nonce == 2
    assert [raw.kind for raw in walk_options(option_area(changed))] == [253, 254]


def test_experiments_with_another_exid_are_not_its_like() -> None:
    packet = put_option(put_option(TCP(), MobileCapableOption(exid=0xF989)), MobileCapableOption())
    assert [raw.raw.hex() for raw in walk_options(option_area(packet))] == ["fe04f989", "fe044d4f"]
    assert get_option(packet, MobileCapableOption).exid == 0x4D4F
    assert get_option(packet, MobileCapableOption, exid=0xF989).exid == 0xF989
    assert get_option(packet, MobileCapableOption, kind=253) is None


def test_option_of_a_kind_of_its_own_goes_without_exid() -> None:
    packet = IP(bytes(IP(dst="198.18.0.1") / put_option(TCP(), MobileCapableOption(kind=77, length=2))))
    assert option_area(packet).hex() == "4d020000"
    assert get_option(packet, MobileCapableOption, kind=77, length=2)
    assert get_option(packet, MobileCapableOption, kind=77) is None


def test_put_option_with_a_wrong_length_goes_on_the_wire_as_it_is() -> None:
    for length in (0, 1, 3, 15, 17, 255):
        packet = put_option(SYN, RehashOption(length=length))
        header = bytes(packet)
        assert header[12] >> 4 == len(header) // 4 == 11
        assert header[28:30] == bytes([253, length])


def test_option_goes_ahead_of_what_cannot_be_read() -> None:
    broken = TCP(dataofs=6, options=RawVal(b"\xfd\x09\x00\x00"))
    packet = put_option(broken, MobileCapableOption())
    assert get_option(packet, MobileCapableOption)
    assert option_area(packet) == b"\xfe\x04MO\xfd\x09\x00\x00"


def test_options_beyond_forty_bytes_are_refused() -> None:
    packet = put_option(
        put_option(SYN, RehashOption()), MigrateOption(length=12, token=RawVal(b""), request=RawVal(b""))
    )
    with pytest.raises(ValueError, match="field options: 48 bytes, where a TCP header has room for 40"):
        put_option(packet, MigratePermittedOption(curve=1, key=bytes(17)))


def test_option_area_ends_where_the_header_says() -> None:
    packet = put_option(TCP(), MobileCapableOption())
    packet.dataofs = 5
    assert option_area(packet) == b""
    assert get_option(packet, MobileCapableOption) is None


def test_options_survive_a_segment_read_from_the_wire() -> None:
    segment = IP(bytes(IP(dst="198.18.0.1") / put_option(SYN, RehashOption(control=ADDR)) / b"data"))
    changed = put_option(segment, MobileCapableOption())
    del changed[TCP].chksum, changed.len, changed.chksum
    again = IP(bytes(changed))
    assert get_option(again, RehashOption).control == ADDR
    assert get_option(again, MobileCapableOption)
    assert again.load == b"data"


def test_short_option_is_none_and_long_option_keeps_its_tail() -> None:
    short = TCP(dataofs=6, options=RawVal(b"\xfd\x04\x00\x01"))
    assert get_option(short, RehashOption) is None
    long = put_option(TCP(), RehashOption(length=18) / b"xy")
    assert bytes(get_option(long, RehashOption))[16:] == b"xy"


def test_rehash_init_answers_init_and_addr() -> None:
    assert RehashOption(control=INIT).answers(RehashOption(control=ADDR))
    assert RehashOption(control=INIT).answers(RehashOption(control=INIT))
    assert not RehashOption(control=ADDR).answers(RehashOption(control=INIT))
    assert not RehashOption(control=INIT).answers(RehashOption(control=0x0100))


def test_token_and_request_are_the_hashes_of_the_paper() -> None:
    ni, nj, sequence, key = 0x01020304, 0xFFFFFFFE, 0x80000000, bytes(range(24))
    start = b"\x01\x02\x03\x04\xff\xff\xff\xfe"
    assert token(ni, nj, key) == hashlib.sha1(start + key).digest()[:8]
    assert token(ni, nj, b"") == hashlib.sha1(start).digest()[:8]
    assert request(ni, nj, key, sequence, 7) == hashlib.sha1(start + key + b"\x80\0\0\0\x07").digest()[:8]
    assert token(1, 2, b"").hex() == "594bafa4c0ec2ebd"
    assert request(1, 2, b"", 3, 4).hex() == "f3d5452906f9b55a"


def test_key_is_split_over_the_timestamp() -> None:
    packet = IP(bytes(IP(dst="198.18.0.1") / put_permitted(SYN, curve=1, public_key=KEY)))
    permitted, timestamp = get_option(packet, MigratePermittedOption), get_option(packet, TimestampOption)
    assert (permitted.length, permitted.curve, permitted.key) == (20, 1, KEY[:17])
    assert (timestamp.tsval, timestamp.tsecr) == (int.from_bytes(KEY[17:21]), int.from_bytes(KEY[21:]))
    assert permitted_key(packet) == KEY


def test_key_is_empty_when_insecure_and_none_when_not_whole() -> None:
    assert permitted_key(put_permitted(SYN)) == b""
    assert permitted_key(SYN) is None
    assert permitted_key(put_option(SYN, MigratePermittedOption(curve=1, key=KEY[:17]))) is None
    half = put_option(put_option(TCP(), TimestampOption()), MigratePermittedOption(length=11, key=RawVal(KEY[:8])))
    assert permitted_key(half) is None


def test_permission_answers_the_same_curve() -> None:
    assert MigratePermittedOption(curve=1).answers(MigratePermittedOption(curve=1))
    assert not MigratePermittedOption(curve=1).answers(MigratePermittedOption(curve=0))
