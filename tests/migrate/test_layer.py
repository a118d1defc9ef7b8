# SPDX-License-Identifier: GPL-2.0-or-later
"""The TCP Migrate options beyond their bytes: the hashes, and the key that two options share."""

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.fields import RawVal
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether

from layers import samples
from layers.migrate import (
    NO_KEY,
    MigrateOption,
    MigratePermittedOption,
    padded,
    permitted_key,
    put_permitted,
    request,
    token,
)
from layers.migrate.samples import PUBLIC_KEY
from layers.tcp_options import TimestampOption, get_option, put_option
from tests.layers import wireshark
from tests.layers.strict import strict_dissection as strict_dissection

pytestmark = pytest.mark.usefixtures("strict_dissection")

SYN = TCP(sport=1027, dport=80, flags="S", options=[("MSS", 1460), ("NOP", None), ("WScale", 7)])
KEY = bytes(range(100, 125))


def test_a_token_may_be_wrong() -> None:
    assert bytes(MigrateOption(token=RawVal(b"longer than eight")))[3:20] == b"longer than eight"


def test_token_and_request_are_the_hashes_of_the_draft() -> None:
    ni, na, sequence, key = 0x01020304, 0xFFFFFFFE, 0x80000000, bytes(range(25))
    start = b"\x01\x02\x03\x04\xff\xff\xff\xfe"
    assert token(ni, na, key) == hashlib.sha1(start + key).digest()[:8]
    assert token(ni, na) == hashlib.sha1(start + bytes(25)).digest()[:8]
    assert request(ni, na, key, sequence, 7) == hashlib.sha1(start + key + b"\x80\0\0\0\x07").digest()[:8]


def test_the_key_of_the_insecure_variant_is_two_hundred_zero_bits() -> None:
    """By sha1sum: printf '\\0\\0\\0\\1\\0\\0\\0\\2' and 25 zero bytes; the same, 3 in four bytes and a 4."""
    assert bytes(25) == NO_KEY
    assert token(1, 2).hex() == "9eb5834d93479e6a"
    assert request(1, 2, NO_KEY, 3, 4).hex() == "d35a2e56e3d13621"


def test_a_secret_is_padded_on_the_left() -> None:
    assert padded(bytes(range(1, 25))) == bytes(range(25))


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


@given(key=st.binary(min_size=25, max_size=25))
def test_split_key_comes_back(key: bytes) -> None:
    assert permitted_key(TCP(bytes(put_permitted(TCP(), 1, key)))) == key


@wireshark.needed
def test_wireshark_joins_the_split_key(tmp_path: Path) -> None:
    frame = Ether(bytes(samples.frames()["migrate-permitted-key"]))
    assert permitted_key(frame) == PUBLIC_KEY
    decoded = wireshark.decode({"key": frame}, tmp_path / "key.pcap")
    assert wireshark.shown(decoded["key"], "permitted.public_key") == [PUBLIC_KEY.hex()]
