# SPDX-License-Identifier: GPL-2.0-or-later
"""How the mobile node cases read a device's Migrate: what is meant is recognised also where a field is wrong."""

from types import SimpleNamespace
from typing import Any

import pytest
from scapy.layers.inet import IP

from conformance.mops.dut.application import next_unique_id
from conformance.mops.tester.server import Asked
from conformance.mops.tester.sessions import entry_of
from layers.mops import MOPSMigrate
from testbed.wire.capture import Frame

ENTRIES = [(1027, 2098, 7), (1028, 2099, 8)]


def asked(**fields: Any) -> Asked:
    """A Migrate of a device as the case reads it."""
    message = MOPSMigrate(**{"entries": ENTRIES, **fields})
    return Asked(Frame(1, 0, False, b""), IP() / message, bytes(message))


def session(port: int, identifier: int, sessions: int = 2) -> Any:
    """A session as far as it is looked at."""
    return SimpleNamespace(previous_port=port, identifier=identifier, server=SimpleNamespace(sessions=sessions))


@pytest.mark.parametrize("count", [None, 0, 1, 9])
def test_entries_are_read_whatever_count_says(count: int | None) -> None:
    """The bytes decide, so that only the case about Count fails."""
    assert asked(count=count).entries == ENTRIES


def test_address_is_read_in_the_notation_of_mops() -> None:
    """Over IPv4 as 0.a.b.c.d."""
    assert asked(previous_source="198.18.0.1").address("previous_source") == "0.198.18.0.1"


@pytest.mark.parametrize(("port", "identifier", "place"), [(1028, 8, 1), (1028, 99, 1), (6050, 7, 0), (6050, 99, None)])
def test_entry_of_a_session(port: int, identifier: int, place: int | None) -> None:
    """By port, else by identifier (the port is translated, or wrong), and with neither by no guess."""
    assert entry_of(asked(), session(port, identifier)) == (None if place is None else ENTRIES[place])


def test_only_entry_of_the_only_session() -> None:
    """With both wrong it still is the session's, if there is no other."""
    one = asked(entries=ENTRIES[:1])
    assert entry_of(one, session(5, 5, sessions=1)) == ENTRIES[0]
    assert entry_of(one, session(5, 5, sessions=2)) is None


def test_next_one_time_unique_id() -> None:
    """The first four bytes of SHA-256 over the four bytes 00 00 00 00, as any other program computes them."""
    assert next_unique_id(0) == 0xDF3F6198
