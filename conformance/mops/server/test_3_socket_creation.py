# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 3: the choice that an application makes with MOBILE_ALLOWED, at a server."""

import pytest

from conformance.applicability import needs
from conformance.mops.dut.application import Application, creates
from conformance.mops.dut.server import Server
from conformance.mops.tester.mobile_node import MobileNode
from layers.mops import FAILED, SUCCESS
from testbed import invalid, requirement, valid
from testbed.case.case import Case

UNIQUE_ID = 0x51AC0FFE
either = pytest.mark.parametrize("allowed", [True, False], ids=["set", "cleared"])


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


@either
@pytest.mark.parametrize("protocol", ["tcp", "udp"])
@valid
@requirement("MOPS-3-03", case=1)
def test_server_application_can_choose(case: Case, protocol: str, allowed: bool) -> None:
    """A listening socket can be created with MOBILE_ALLOWED set and with it cleared."""
    needs(case, *(["mops.udp"] if protocol == "udp" else []))
    creates(case, "listen", port=0, service="echo", protocol=protocol, mobile_allowed=allowed)


@invalid
@requirement("MOPS-3-04", case=1)
def test_server_udp_socket_is_not_mobile_by_itself(
    case: Case, node: MobileNode, server: Server, application: Application
) -> None:
    """A UDP socket whose application did not choose stays where it is, even if it has a Unique ID."""
    needs(case, "mops.unique_id")
    conversation = application.serves_udp(node, unique_id=UNIQUE_ID)
    node.moves()
    request, _ = application.udp_migrate(node, conversation, UNIQUE_ID)
    server.hears_out(request)
    application.goes_on(conversation, conversation.end)


@valid
@requirement("MOPS-3-06", case=1)
def test_server_udp_socket_with_flag_and_unique_id_migrates(
    case: Case, node: MobileNode, server: Server, application: Application
) -> None:
    """A UDP socket with MOBILE_ALLOWED and a Unique ID goes on at the new tuple."""
    needs(case, "mops.unique_id")
    conversation = application.serves_udp(node, mobile_allowed=True, unique_id=UNIQUE_ID)
    node.moves()
    request, end = application.udp_migrate(node, conversation, UNIQUE_ID)
    server.answers(request, SUCCESS)
    application.goes_on(conversation, end)


@valid
@requirement("MOPS-7-03", case=1)
def test_server_socket_with_the_flag_is_mobile(node: MobileNode, server: Server, application: Application) -> None:
    """A TCP socket that was opened with MOBILE_ALLOWED migrates."""
    session = application.serves_tcp(node, mobile_allowed=True)
    node.moves()
    server.goes_along(node, node.migrate(session), session)
