# SPDX-License-Identifier: GPL-2.0-or-later
"""Sections 4.1 and 7: Unique IDs of TCP sockets, at a mobile node."""

from conformance.mops.dut.application import next_unique_id
from conformance.mops.dut.mobile_node import Device
from conformance.mops.tester.server import Correspondent
from conformance.mops.tester.sessions import listed
from testbed import exclusive, requirement, valid
from testbed.case.verdict import require

UNIQUE_ID = 0x51AC0FFE


@exclusive
@valid
@requirement("MOPS-4.1-118", case=1)
def test_node_gives_the_unique_id(device: Device, correspondent: Correspondent) -> None:
    """The entry of a TCP socket with a Unique ID carries it."""
    session = device.connects(correspondent, unique_id=UNIQUE_ID)
    request = device.asks(device.moves(), session)
    said = listed(request, session)[2]
    require(said == UNIQUE_ID, "identifier", UNIQUE_ID, said, request.frame)


@exclusive
@valid
@requirement("MOPS-4.1-122", case=1)
def test_node_gives_the_next_one_time_unique_id(device: Device, correspondent: Correspondent) -> None:
    """The Migrate after a successful migration carries the next Unique ID of the sequence."""
    session = device.connects(correspondent, unique_id=UNIQUE_ID, one_time=True)
    first = device.has_migrated(session)
    used = listed(device.asks(first, session), session)[2]
    device.preamble(lambda: require(used == UNIQUE_ID, "identifier", UNIQUE_ID, used))
    request = device.asks(device.moves(), session)
    said, expected = listed(request, session)[2], next_unique_id(UNIQUE_ID)
    require(said == expected, "identifier", expected, said, request.frame)


@exclusive
@valid
@requirement("MOPS-7-05", case=2)
def test_node_migrates_by_what_the_application_gave(device: Device, correspondent: Correspondent) -> None:
    """Two sockets of a node are asked for with the Unique ID that each was given, and both go on."""
    sessions = [device.connects(correspondent, unique_id=unique_id) for unique_id in (7, UNIQUE_ID)]
    move = device.moves()
    requests = [device.asks(move, session) for session in sessions]
    for session, request in zip(sessions, requests, strict=True):
        said = listed(request, session)[2]
        require(said == session.unique_id, "identifier", session.unique_id, said, request.frame)
