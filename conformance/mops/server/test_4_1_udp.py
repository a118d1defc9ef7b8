# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.1, Mobile UDP: migration by Unique ID, at a server."""

import pytest

from conformance.mops.dut.application import Application
from conformance.mops.dut.server import Server
from conformance.mops.tester.mobile_node import MobileNode
from layers.mops import SUCCESS
from testbed import invalid, requirement, valid

UNIQUE_ID = 0x51AC0FFE


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
