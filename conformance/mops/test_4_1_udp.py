# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.1, Mobile UDP: migration by Unique ID, at a server and at a mobile node."""

import pytest

from conformance.mops.dut.application import Application, needs
from conformance.mops.dut.mobile_node import Device
from conformance.mops.dut.server import Server
from conformance.mops.tester.mobile_node import MobileNode
from conformance.mops.tester.server import Correspondent
from conformance.mops.tester.sessions import listed
from layers.mops import SUCCESS
from testbed import exclusive, invalid, requirement, role, valid
from testbed.case.case import Case
from testbed.case.verdict import require

UNIQUE_ID = 0x51AC0FFE
at_server = role("server")
at_node = role("mobile node")


@at_server
@valid
@requirement("MOPS-4.1-87", case=1)
def test_udp_socket_migrates_by_its_unique_id(node: MobileNode, server: Server, application: Application) -> None:
    """A UDP socket with a Unique ID goes on at the new tuple when the entry carries it, and leaves the old one."""
    conversation = application.serves_udp(node, mobile_allowed=True, unique_id=UNIQUE_ID)
    node.moves()
    request, end = application.udp_migrate(node, conversation, UNIQUE_ID)
    server.answers(request, SUCCESS)
    application.goes_on(conversation, end)


@pytest.mark.parametrize("identifier", [0, 1, 0xFFFFFFFF], ids=["0", "1", "0xffffffff"])
@at_server
@invalid
@requirement("MOPS-4.1-88", case=1)
def test_udp_socket_without_unique_id_stays(
    node: MobileNode, server: Server, application: Application, identifier: int
) -> None:
    """A UDP socket that was given no Unique ID is not moved by any value."""
    conversation = application.serves_udp(node, mobile_allowed=True)
    node.moves()
    request, _ = application.udp_migrate(node, conversation, identifier)
    server.hears_out(request)
    application.goes_on(conversation, conversation.end)


@exclusive
@at_node
@valid
@requirement("MOPS-4.1-105", case=1)
def test_one_migrate_for_each_protocol(case: Case, device: Device, correspondent: Correspondent) -> None:
    """TCP and UDP sockets to one server are asked for in Migrates of their own protocol."""
    needs(case, "unique_id")
    session = device.connects(correspondent)
    talk = device.talks(correspondent, mobile_allowed=True, unique_id=UNIQUE_ID)
    move = device.moves()
    for one, protocol in ((session, 6), (talk, 17)):
        request = device.asks(move, one)
        require(request.message.protocol == protocol, "protocol", protocol, request.message.protocol, request.frame)
        both = {session.previous_port, talk.previous_port} <= {previous for previous, _, _ in request.entries}
        require(not both, "ports listed", "those of one protocol", request.entries, request.frame)


@exclusive
@at_node
@valid
@requirement("MOPS-4.1-120", case=1)
def test_node_asks_for_a_udp_socket_with_its_unique_id(device: Device, correspondent: Correspondent) -> None:
    """The entry of a UDP socket with a Unique ID carries it."""
    talk = device.talks(correspondent, mobile_allowed=True, unique_id=UNIQUE_ID)
    request = device.migrates(device.moves(), talk)
    said = listed(request, talk)[2]
    require(said == UNIQUE_ID, "identifier", UNIQUE_ID, said, request.frame)


@exclusive
@at_node
@valid
@requirement("MOPS-4.1-121", case=1)
def test_node_asks_for_no_udp_socket_without_unique_id(device: Device, correspondent: Correspondent) -> None:
    """A UDP socket with MOBILE_ALLOWED and without a Unique ID is listed in no Migrate."""
    session, talk = device.connects(correspondent), device.talks(correspondent, mobile_allowed=True)
    move = device.moves()
    device.asks(move, session)
    device.lists_nowhere(talk, move.mark)
