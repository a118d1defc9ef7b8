# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.1, Mobile UDP: migration by Unique ID, at a mobile node."""

from conformance.applicability import needs
from conformance.mops.dut.mobile_node import Device
from conformance.mops.tester.server import Correspondent
from conformance.mops.tester.sessions import listed
from testbed import exclusive, requirement, valid
from testbed.case.case import Case
from testbed.case.verdict import require

UNIQUE_ID = 0x51AC0FFE


@exclusive
@valid
@requirement("MOPS-4.1-105", case=1)
def test_one_migrate_for_each_protocol(case: Case, device: Device, correspondent: Correspondent) -> None:
    """TCP and UDP sockets to one server are asked for in Migrates of their own protocol."""
    needs(case, "mops.unique_id")
    session = device.connects(correspondent)
    talk = device.talks(correspondent, mobile_allowed=True, unique_id=UNIQUE_ID)
    move = device.moves()
    for one, protocol in ((session, 6), (talk, 17)):
        request = device.asks(move, one)
        require(request.message.protocol == protocol, "protocol", protocol, request.message.protocol, request.frame)
        both = {session.previous_port, talk.previous_port} <= {previous for previous, _, _ in request.entries}
        require(not both, "ports listed", "those of one protocol", request.entries, request.frame)


@exclusive
@valid
@requirement("MOPS-4.1-120", case=1)
def test_node_asks_for_a_udp_socket_with_its_unique_id(device: Device, correspondent: Correspondent) -> None:
    """The entry of a UDP socket with a Unique ID carries it."""
    talk = device.talks(correspondent, mobile_allowed=True, unique_id=UNIQUE_ID)
    request = device.migrates(device.moves(), talk)
    said = listed(request, talk)[2]
    require(said == UNIQUE_ID, "identifier", UNIQUE_ID, said, request.frame)


@exclusive
@valid
@requirement("MOPS-4.1-121", case=1)
def test_node_asks_for_no_udp_socket_without_unique_id(device: Device, correspondent: Correspondent) -> None:
    """A UDP socket with MOBILE_ALLOWED and without a Unique ID is listed in no Migrate."""
    session, talk = device.connects(correspondent), device.talks(correspondent, mobile_allowed=True)
    move = device.moves()
    device.asks(move, session)
    device.lists_nowhere(talk, move.mark)
