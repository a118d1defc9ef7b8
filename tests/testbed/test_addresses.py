# SPDX-License-Identifier: GPL-2.0-or-later
"""The pool of addresses: each is given once, the one unused for longest is next."""

import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from profiles import load
from testbed.wire.clock import Clock, RunOver
from testbed.wire.machine import dropped_frames, overflows, read_dropped, read_overflows
from testbed.wire.network import Network, networks
from testbed.wire.pace import Pace
from testbed.wire.station import AddressPool

PROFILE = load(Path(__file__).parents[2] / "profiles/reference.toml")
IPV4 = networks(PROFILE, ["ipv4"], "link")["ipv4"]
SIX = replace(IPV4, last=IPV4.first + 5)


def address(number: int) -> str:
    return SIX.address(SIX.first + number)


def test_in_order_and_again() -> None:
    """All of the range first, then what came back, in the order in which it came."""
    pool = AddressPool(SIX, Clock())
    assert [pool.lease() for _ in range(3)] == [address(number) for number in range(3)]
    pool.give_back(address(1))
    pool.give_back(address(0))
    assert [pool.lease() for _ in range(5)] == [address(number) for number in (3, 4, 5, 1, 0)]


def test_ipff_addresses_with_a_field_above_999_are_never_given() -> None:
    """After 525.8.78.0.999 comes 525.8.78.1.0."""
    ipff = networks(PROFILE, ["ipff"], "link")["ipff"]
    three = replace(ipff, first=ipff.number("525.8.78.0.998"), last=ipff.number("525.8.78.1.1"))
    pool = AddressPool(three, Clock())
    assert pool.size == 4
    assert [pool.lease() for _ in range(4)] == ["525.8.78.0.998", "525.8.78.0.999", "525.8.78.1.0", "525.8.78.1.1"]


def test_reserved_and_most() -> None:
    """Reserved addresses nobody has, and of a longer range the first ones are used."""
    pool = AddressPool(SIX, Clock(), [address(1), address(3)], most=5)
    assert pool.size == 5
    assert [pool.lease() for _ in range(3)] == [address(0), address(2), address(4)]
    pool.give_back(address(2))
    assert pool.lease() == address(2)


def test_a_certain_address() -> None:
    """It is skipped when its turn comes, and given again when it has come back."""
    pool = AddressPool(SIX, Clock())
    pool.lease_this(address(1))
    assert [pool.lease() for _ in range(2)] == [address(0), address(2)]
    pool.give_back(address(1))
    pool.lease_this(address(1))
    pool.give_back(address(1))
    assert [pool.lease() for _ in range(4)] == [address(number) for number in (3, 4, 5, 1)]


@pytest.mark.parametrize("certain", [True, False])
def test_waits_until_one_is_free(certain: bool) -> None:
    """Whoever asks while all are taken gets the one that comes back."""
    pool = AddressPool(SIX, Clock())
    for _ in range(6):
        pool.lease()
    got: list[str] = []

    def ask() -> None:
        if certain:
            pool.lease_this(address(4))
        got.append(address(4) if certain else pool.lease())

    asking = threading.Thread(target=ask)
    asking.start()
    pool.give_back(address(4))
    asking.join(10)
    assert got == [address(4)]


def test_costs_nothing_to_make() -> None:
    """A range of any size: nothing is written down before it is given."""
    large = replace(IPV4, first=0, last=(1 << 50) - 1)
    pool = AddressPool(large, Clock())
    assert pool.size == 1 << 50
    assert isinstance(large, Network)
    assert pool.lease() == "0.0.0.0"


def test_pace() -> None:
    """When as many stations have appeared as the kernel remembers, the next case waits until it has forgotten one."""
    clock = Clock()
    pace = Pace(clock, processes=1000)
    assert pace.most == 1
    pace.wait()
    pool = AddressPool(SIX, clock, pace=pace)
    began = time.monotonic()
    pool.lease()
    pace.wait()
    assert 4.9 < time.monotonic() - began < 20
    pool.lease()
    threading.Timer(0.1, clock.stop).start()
    with pytest.raises(RunOver):
        pace.wait()


def test_pace_counts_who_is_asked_for() -> None:
    """Neighbours under IPFF are written down for the device: the kernel remembers none."""
    pace = Pace(Clock(), processes=1000)
    ipff = networks(PROFILE, ["ipff"], "link")["ipff"]
    AddressPool(ipff, Clock(), pace=pace).lease()
    began = time.monotonic()
    pace.wait()
    assert time.monotonic() - began < 1


@pytest.mark.parametrize(("refused", "waited"), [([7, 8, 8], True), ([7, 7, 7], False)])
def test_pace_waits_when_others_have_filled_the_table(
    refused: list[int], waited: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, and not because there are many entries, which the kernel makes room of."""
    told = iter([*refused, refused[-1], refused[-1]])
    monkeypatch.setattr("testbed.wire.pace.overflows", lambda: next(told))
    pace = Pace(Clock(), processes=1)
    pace.count()
    began = time.monotonic()
    pace.wait()
    assert (time.monotonic() - began > 4.9) is waited
    began = time.monotonic()
    pace.wait()
    assert time.monotonic() - began < 1


def test_the_machines_statistics_are_read_as_the_kernel_writes_them() -> None:
    text = "entries  allocs table_fulls\n0000000a 00193f96 000017d5\n0000000a 00188dd5 00000da6\n"
    assert read_overflows(text) == 0x17D5 + 0xDA6
    assert read_dropped("0ef93e3a 00000428 00000007\n0f1d640c 000001e3 00000009\n") == 0x428 + 0x1E3
    assert overflows() >= 0
    assert dropped_frames() >= 0
