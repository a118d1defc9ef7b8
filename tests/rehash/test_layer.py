# SPDX-License-Identifier: GPL-2.0-or-later
"""The TCP Rehash option beyond its bytes."""

import pytest
from scapy.fields import RawVal
from scapy.layers.inet import TCP

from layers.rehash import ADDR, INIT, RehashOption
from layers.tcp_options import get_option, put_option
from tests.layers.strict import strict_dissection as strict_dissection

pytestmark = pytest.mark.usefixtures("strict_dissection")


def test_short_option_is_none_and_long_option_keeps_its_tail() -> None:
    short = TCP(dataofs=6, options=RawVal(b"\xfd\x04\x00\x01"))
    assert get_option(short, RehashOption) is None
    long = put_option(TCP(), RehashOption(length=18) / b"xy")
    assert bytes(get_option(long, RehashOption))[16:] == b"xy"


def test_a_length_may_be_wrong() -> None:
    assert bytes(RehashOption(length=3))[1] == 3


def test_rehash_init_answers_init_and_addr() -> None:
    assert RehashOption(control=INIT).answers(RehashOption(control=ADDR))
    assert RehashOption(control=INIT).answers(RehashOption(control=INIT))
    assert not RehashOption(control=ADDR).answers(RehashOption(control=INIT))
    assert not RehashOption(control=INIT).answers(RehashOption(control=0x0100))
