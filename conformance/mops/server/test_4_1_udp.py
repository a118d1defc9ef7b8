# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.1, Mobile UDP: migration by Unique ID, at a server."""

import pytest

from conformance.mops.dut.server import Server
from conformance.mops.tester.mobile_node import MobileNode
from layers.mops import SUCCESS
from testbed import invalid, requirement, valid
from testbed.device.application import Application

UNIQUE_ID = 0x51AC0FFE


@valid
@requirement("MOPS-4.1-87", case=1)
def test_udp_socket_migrates_by_its_unique_id(node: MobileNode, dut: Server, app: Application) -> None:
    """A UDP socket with a Unique ID continues on the new tuple when the entry carries it, and leaves the old one."""
    flow = node.open_flow(app.listen(protocol="udp", mobile_allowed=True, unique_id=UNIQUE_ID))
    node.move()
    request = node.send_udp_migrate(flow, UNIQUE_ID)
    dut.answers(request, SUCCESS)
    node.rebind(request, flow)
    dut.serves_flow(flow)


@pytest.mark.parametrize("identifier", [0, 1, 0xFFFFFFFF], ids=["0", "1", "0xffffffff"])
@invalid
@requirement("MOPS-4.1-88", case=1)
def test_udp_socket_without_unique_id_stays(node: MobileNode, dut: Server, app: Application, identifier: int) -> None:
    """A UDP socket that was given no Unique ID is not moved by any value."""
    flow = node.open_flow(app.listen(protocol="udp", mobile_allowed=True))
    node.move()
    dut.collect_replies(node.send_udp_migrate(flow, identifier).mark)
    dut.serves_flow(flow)
