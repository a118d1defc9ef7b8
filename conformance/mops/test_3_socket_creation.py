# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 3: the choice that an application makes with MOBILE_ALLOWED, at a server and at a mobile node."""

import pytest

from conformance.mops.dut.application import Application, needs
from conformance.mops.dut.mobile_node import Device
from conformance.mops.dut.server import Server
from conformance.mops.tester.mobile_node import MobileNode
from conformance.mops.tester.server import Correspondent
from layers.mops import FAILED, SUCCESS
from testbed import exclusive, invalid, requirement, role, valid
from testbed.case.case import Case
from testbed.case.verdict import Broken, Finding
from testbed.device.upper_tester import OperationFailed

UNIQUE_ID = 0x51AC0FFE
at_server = role("server")
at_node = role("mobile node")
either = pytest.mark.parametrize("allowed", [True, False], ids=["set", "cleared"])


@at_server
@invalid
@requirement("MOPS-3-01", case=1)
def test_server_refuses_a_socket_that_is_not_mobile(node: MobileNode, server: Server, application: Application) -> None:
    """A Migrate for a TCP socket created without MOBILE_ALLOWED is answered "failed" and moves nothing."""
    session = application.serves_tcp(node, mobile_allowed=False)
    node.moves()
    entry = node.entry(session)
    server.answers(node.sends(node.migrate(session, entries=[entry])), FAILED)
    server.serves(session)
    server.is_not_at(session, node.station, entry[1])


@exclusive
@at_node
@valid
@requirement("MOPS-3-02", case=1)
def test_node_asks_for_no_socket_that_is_not_mobile(device: Device, correspondent: Correspondent) -> None:
    """A node that moves asks for its mobile connection and not for the one without MOBILE_ALLOWED."""
    mobile, immobile = device.connects(correspondent), device.connects(correspondent, mobile_allowed=False)
    move = device.moves()
    device.asks(move, mobile)
    device.lists_nowhere(immobile, move.mark)


@either
@pytest.mark.parametrize("protocol", ["tcp", "udp"])
@at_server
@valid
@requirement("MOPS-3-03", case=1)
def test_server_application_can_choose(case: Case, protocol: str, allowed: bool) -> None:
    """A listening socket can be created with MOBILE_ALLOWED set and with it cleared."""
    needs(case, *(["udp"] if protocol == "udp" else []))
    creates(case, "listen", port=0, service="echo", protocol=protocol, mobile_allowed=allowed)


@either
@at_node
@valid
@requirement("MOPS-3-03", case=2)
def test_node_application_can_choose(case: Case, correspondent: Correspondent, allowed: bool) -> None:
    """A UDP socket can be created with MOBILE_ALLOWED set and with it cleared."""
    needs(case, "udp")
    arguments = {"address": correspondent.address, "port": 9, "timeout_s": 1}
    creates(case, "connect", protocol="udp", mobile_allowed=allowed, **arguments)


def creates(case: Case, verb: str, **arguments: object) -> None:
    """The system creates the socket that the application asks for."""
    try:
        case.setup.dut.upper_tester().call(verb, **arguments)
    except OperationFailed as error:
        raise Broken(Finding("the application cannot choose MOBILE_ALLOWED", "a socket", error.reason)) from None


@at_server
@invalid
@requirement("MOPS-3-04", case=1)
def test_server_udp_socket_is_not_mobile_by_itself(
    case: Case, node: MobileNode, server: Server, application: Application
) -> None:
    """A UDP socket whose application did not choose stays where it is, even if it has a Unique ID."""
    needs(case, "unique_id")
    conversation = application.serves_udp(node, unique_id=UNIQUE_ID)
    node.moves()
    request, _ = application.udp_migrate(node, conversation, UNIQUE_ID)
    server.hears_out(request)
    application.goes_on(conversation, conversation.end)


@exclusive
@at_node
@valid
@requirement("MOPS-3-04", case=2)
def test_node_udp_socket_is_not_mobile_by_itself(case: Case, device: Device, correspondent: Correspondent) -> None:
    """A node does not ask for a UDP socket whose application did not choose, even if it has a Unique ID."""
    needs(case, "unique_id")
    mobile, talk = device.connects(correspondent), device.talks(correspondent, unique_id=UNIQUE_ID)
    move = device.moves()
    device.asks(move, mobile)
    device.lists_nowhere(talk, move.mark)


@at_server
@valid
@requirement("MOPS-3-06", case=1)
def test_server_udp_socket_with_flag_and_unique_id_migrates(
    case: Case, node: MobileNode, server: Server, application: Application
) -> None:
    """A UDP socket with MOBILE_ALLOWED and a Unique ID goes on at the new tuple."""
    needs(case, "unique_id")
    conversation = application.serves_udp(node, mobile_allowed=True, unique_id=UNIQUE_ID)
    node.moves()
    request, end = application.udp_migrate(node, conversation, UNIQUE_ID)
    server.answers(request, SUCCESS)
    application.goes_on(conversation, end)


@exclusive
@at_node
@valid
@requirement("MOPS-3-06", case=2)
def test_node_udp_socket_with_flag_and_unique_id_migrates(
    case: Case, device: Device, correspondent: Correspondent
) -> None:
    """A node's UDP socket with MOBILE_ALLOWED and a Unique ID is asked for and goes on at the new tuple."""
    needs(case, "unique_id")
    talk = device.talks(correspondent, mobile_allowed=True, unique_id=UNIQUE_ID)
    request = device.migrates(device.moves(), talk)
    device.is_told(request, talk)
    device.goes_on(talk)


@at_server
@valid
@requirement("MOPS-7-03", case=1)
def test_server_socket_with_the_flag_is_mobile(node: MobileNode, server: Server, application: Application) -> None:
    """A TCP socket that was opened with MOBILE_ALLOWED migrates."""
    session = application.serves_tcp(node, mobile_allowed=True)
    node.moves()
    server.goes_along(node, node.migrate(session), session)


@exclusive
@at_node
@valid
@requirement("MOPS-7-03", case=2)
def test_node_socket_with_the_flag_is_mobile(device: Device, correspondent: Correspondent) -> None:
    """A TCP socket that was opened with MOBILE_ALLOWED is asked for."""
    session = device.connects(correspondent, mobile_allowed=True)
    device.migrates(device.moves(), session)
