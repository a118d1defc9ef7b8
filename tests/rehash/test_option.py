# SPDX-License-Identifier: GPL-2.0-or-later
"""The Rehash option among others, and the window of slow start."""

import random

from reference.bump.slow_start import ENOUGH, SlowStart, initial_window
from reference.bump.tcp import MAXIMUM_OPTIONS as MAXIMUM
from reference.bump.tcp import maximum_segment_size, split, timestamps
from reference.rehash.option import (
    ADDR,
    INIT,
    Option,
    unpack,
    with_option,
    with_segment_size_less,
    without_kind,
)

STAMPS = bytes.fromhex("0101080a0000000500000007")
ONE = Option(ADDR, 0xDEADBEEF, 0x01020304, 0x05060708)


def sack(blocks: int) -> bytes:
    return bytes((1, 1, 5, 2 + 8 * blocks)) + bytes(range(8 * blocks))


def test_sixteen_bytes_as_they_stand_in_the_draft() -> None:
    assert ONE.pack(253).hex() == "fd100010deadbeef0102030405060708"
    assert unpack(ONE.pack(253)) == ONE
    assert Option(INIT, 1, 0, 2).pack(254).hex() == "fe100001000000010000000000000002"


def test_sack_blocks_give_way() -> None:
    option = ONE.pack(253)
    for options, kept in (
        (b"", b""),
        (STAMPS, STAMPS),
        (STAMPS + sack(1), STAMPS + sack(1)),
        (STAMPS + sack(2), STAMPS + sack(1)),
        (STAMPS + sack(3), STAMPS + sack(1)),
        (sack(2), sack(2)),
        (sack(4), sack(2)),
    ):
        found = with_option(options, option)
        assert found is not None
        assert len(found) <= MAXIMUM
        assert len(found) % 4 == 0
        assert [whole for kind, whole in split(found) if kind != 1] == [
            whole for kind, whole in split(kept + option) if kind != 1
        ]
    assert with_option(bytes((19, 18)) + bytes(16) + bytes((30, 12)) + bytes(10), option) is None


def test_the_option_is_taken_out_wherever_it_stands() -> None:
    option = ONE.pack(253)
    for options in (option + STAMPS, STAMPS + option, b"\1\1" + option + b"\1\1" + STAMPS):
        left = without_kind(options, 253)
        assert len(left) % 4 == 0
        assert timestamps(left) == STAMPS[2:]
        assert [kind for kind, _ in split(left) if kind != 1] == [8]


def test_a_smaller_segment_size_is_passed_on() -> None:
    assert maximum_segment_size(with_segment_size_less(bytes.fromhex("020405b4"), 16)) == 1444
    assert maximum_segment_size(with_segment_size_less(bytes.fromhex("04020101"), 16)) == 520
    assert maximum_segment_size(with_segment_size_less(bytes.fromhex("02040020"), 16)) == 64


def test_any_bytes_are_survived() -> None:
    chance = random.Random(5)
    for _ in range(3000):
        options = chance.randbytes(4 * chance.randrange(11))
        assert sum(len(whole) for _, whole in split(options)) <= len(options)
        for changed in (with_option(options, ONE.pack(253)), without_kind(options, 253)):
            assert changed is None or (len(changed) <= MAXIMUM and len(changed) % 4 == 0)
        assert len(with_segment_size_less(options, 16)) <= MAXIMUM


def test_the_initial_window_is_that_of_rfc_5681() -> None:
    assert [initial_window(size) for size in (536, 1095, 1096, 1444, 2191)] == [2144, 4380, 3288, 4332, 4382]


def test_slow_start_holds_releases_and_ends() -> None:
    path = SlowStart(1000, 1000)
    sent = [number for number in range(1000, 11000, 1000) if path.admits(number, 1000)]
    assert len(sent) == 10, "nothing has been sent"
    waiting = []
    for number in range(1000, 11000, 1000):
        if path.admits(number, 1000):
            path.sent(number, 1000)
        else:
            path.hold(number, bytes(1000))
            waiting.append(number)
    assert waiting == [5000, 6000, 7000, 8000, 9000, 10000]
    assert path.flush() is None
    path.acknowledge(2000, 1000)
    assert path.window == 5000
    for number in (5000, 6000):
        assert path.flush() is not None
        path.sent(number, 1000)
    assert path.flush() is None
    assert path.admits(2000, 1000), "what the peer waits for"
    path.sent(2000, 1000)
    path.sent(2000, 1000)
    assert path.outstanding == 1000, "the kernel has found the rest lost"
    path.held.clear()
    path.window = ENOUGH
    assert path.is_over
