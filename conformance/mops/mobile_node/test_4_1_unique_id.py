# SPDX-License-Identifier: GPL-2.0-or-later
"""Sections 4.1 and 7: Unique IDs of TCP sockets, at a mobile node."""

import pytest

from conformance.mops.dut.mobile_node import Applications, MobileNode
from conformance.mops.migrate import next_unique_id
from conformance.mops.tester.server import Correspondent
from testbed import exclusive, requirement, valid
from testbed.case.expect import preamble
from testbed.case.verdict import require

UNIQUE_ID = 0x51AC0FFE


@exclusive
@valid
@requirement("MOPS-4.1-118", case=1)
def test_entry_carries_the_unique_id(dut: MobileNode, app: Applications, correspondent: Correspondent) -> None:
    """The entry of a TCP socket with a Unique ID carries it."""
    connection = app.connect(correspondent, unique_id=UNIQUE_ID)
    request = dut.request(dut.move(), connection)
    identifier = request.entry(connection)[2]
    require(identifier == UNIQUE_ID, "identifier", UNIQUE_ID, identifier, request.frame)


@pytest.mark.parametrize("unique_id", [0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
@exclusive
@valid
@requirement("MOPS-4.1-187", case=1)
def test_unique_id_is_sent_as_it_was_given(
    dut: MobileNode, app: Applications, correspondent: Correspondent, unique_id: int
) -> None:
    """A Unique ID at the edges of its 32 bits is an identifier like any other."""
    connection = app.connect(correspondent, unique_id=unique_id)
    request = dut.request(dut.move(), connection)
    identifier = request.entry(connection)[2]
    require(identifier == unique_id, "identifier", unique_id, identifier, request.frame)


@exclusive
@valid
@requirement("MOPS-4.1-122", case=1)
def test_entry_carries_the_next_one_time_unique_id(
    dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """The Migrate after a successful migration carries the next Unique ID of the sequence."""
    connection = app.connect(correspondent, unique_id=UNIQUE_ID, one_time=True)
    first = dut.complete_move(connection)
    request = dut.request(first, connection)
    used = request.entry(connection)[2]
    with preamble():
        require(used == UNIQUE_ID, "identifier", UNIQUE_ID, used, request.frame)
    request = dut.request(dut.move(), connection)
    identifier, expected = request.entry(connection)[2], next_unique_id(UNIQUE_ID)
    require(identifier == expected, "identifier", expected, identifier, request.frame)


@exclusive
@valid
@requirement("MOPS-7-05", case=2)
def test_entries_carry_the_unique_ids_that_the_application_gave(
    dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """Two sockets of a node are listed with the Unique ID that each was given."""
    connections = [app.connect(correspondent, unique_id=unique_id) for unique_id in (7, UNIQUE_ID)]
    move = dut.move()
    requests = [dut.request(move, connection) for connection in connections]
    for connection, request in zip(connections, requests, strict=True):
        identifier = request.entry(connection)[2]
        require(identifier == connection.unique_id, "identifier", connection.unique_id, identifier, request.frame)
    dut.complete_move(*connections)
