# SPDX-License-Identifier: GPL-2.0-or-later
"""How the mobile node cases read a device's Migrate: what is meant is recognised also where a field is wrong."""

from types import SimpleNamespace
from typing import Any

import pytest
from scapy.layers.inet import IP

from conformance.mops.migrate import ReceivedMigrate, next_unique_id
from layers.mops import MOPSMigrate
from profiles import load
from testbed.wire.capture import Frame
from testbed.wire.network import networks
from tests.lab.host import ROOT

NETWORK = networks(load(ROOT / "profiles/reference.toml"), ["ipv4"], "link")["ipv4"]
ENTRIES = [(1027, 2098, 7), (1028, 2099, 8)]


def received(**fields: Any) -> ReceivedMigrate:
    """A Migrate of a device as the case reads it."""
    message = MOPSMigrate(**{"entries": ENTRIES, **fields})
    return ReceivedMigrate(Frame(1, 0, False, b""), IP() / message, bytes(message), NETWORK)


def connection(port: int, identifier: int, is_only: bool = False) -> Any:
    """A connection as far as it is looked at."""
    return SimpleNamespace(
        previous_port=port, identifier=identifier, is_only=is_only, shares_port=False, is_ruled_out=lambda _: False
    )


@pytest.mark.parametrize("count", [None, 0, 1, 9])
def test_entries_are_read_whatever_count_says(count: int | None) -> None:
    """The bytes decide, so that only the case about Count fails."""
    assert received(count=count).entries == ENTRIES


def test_address_is_read_in_the_notation_of_mops() -> None:
    """Over IPv4 as 0.a.b.c.d."""
    assert received(previous_source="198.18.0.1").address("previous_source") == "0.198.18.0.1"


@pytest.mark.parametrize(("port", "identifier", "place"), [(1028, 8, 1), (1028, 99, 1), (6050, 7, 0), (6050, 99, None)])
def test_entry_of_a_connection(port: int, identifier: int, place: int | None) -> None:
    """By port, else by identifier (the port is translated, or wrong), and with neither by no guess."""
    assert received().find_entry(connection(port, identifier)) == (None if place is None else ENTRIES[place])


def test_only_entry_of_the_only_connection() -> None:
    """With both wrong it still is the connection's, if there is no other."""
    one = received(entries=ENTRIES[:1])
    assert one.find_entry(connection(5, 5, is_only=True)) == ENTRIES[0]
    assert one.find_entry(connection(5, 5)) is None


def test_next_one_time_unique_id() -> None:
    """The first four bytes of SHA-256 over the four bytes 00 00 00 00, as any other program computes them."""
    assert next_unique_id(0) == 0xDF3F6198
