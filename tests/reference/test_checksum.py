# SPDX-License-Identifier: GPL-2.0-or-later
"""Checksums against the definition of RFC 1071, word by word."""

import random

import pytest

from reference.bump.checksum import adjust, checksum, is_intact, words_sum
from reference.system.addresses import KERNEL_PREFIX
from tests.lab.wire import internet_checksum


@pytest.mark.parametrize(
    "data",
    [b"", b"\0\0", b"\xff\xff", b"\xff\xff" * 9, b"\x01", b"abc", bytes(1500), b"\x00\x01\xf2\x03\xf4\xf5\xf6\xf7"],
)
def test_checksum_is_that_of_rfc_1071(data: bytes) -> None:
    assert checksum(data) == internet_checksum(data)


def test_random_data() -> None:
    chance = random.Random(1)
    for _ in range(500):
        data = bytearray(chance.randbytes(chance.randrange(4, 100)))
        data[2:4] = b"\0\0"
        field = checksum(data)
        assert field == internet_checksum(bytes(data))
        data[2:4] = field.to_bytes(2, "big")
        assert is_intact(data)
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        assert not is_intact(data)


def test_adjusting_keeps_right_right_and_wrong_wrong() -> None:
    chance = random.Random(2)
    for _ in range(500):
        data = bytearray(chance.randbytes(40))
        data[10:12] = b"\0\0"
        spoilt = chance.choice((0, 0, 0x0100))
        field = checksum(data) ^ spoilt
        new = chance.choice((bytes(4), b"\xff" * 4, chance.randbytes(4)))
        delta = (words_sum(new) - words_sum(data[20:24])) % 0xFFFF
        data[20:24] = new
        data[10:12] = adjust(field, delta).to_bytes(2, "big")
        assert is_intact(data) == (not spoilt)


def test_the_prefix_of_kernel_addresses_is_neutral() -> None:
    assert words_sum(KERNEL_PREFIX) == 0
