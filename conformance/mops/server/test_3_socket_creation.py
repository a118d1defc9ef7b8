# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 3: the choice that an application makes with MOBILE_ALLOWED, at a server."""

import pytest

from conformance.applicability import needs
from conformance.mops.dut.server import Server
from conformance.mops.dut.sockets import creates_socket
from conformance.mops.tester.mobile_node import MobileNode
from layers.mops import SUCCESS
from testbed import invalid, requirement, valid
from testbed.case.case import Case
from testbed.device.application import Application

UNIQUE_ID = 0x51AC0FFE


@invalid
@requirement("MOPS-3-01", case=2)
def test_socket_without_mobile_allowed_is_refused(node: MobileNode, dut: Server, app: Application) -> None:
    """A Migrate for a TCP socket created without MOBILE_ALLOWED is answered "failed" and moves nothing."""
    connection = node.connect(remote_port=app.listen(service="echo", mobile_allowed=False).port)
    node.move()
    dut.refuses(node.send_migrate(connection), connection)


@pytest.mark.parametrize("allowed", [True, False], ids=["set", "cleared"])
@pytest.mark.parametrize("protocol", ["tcp", "udp"])
@valid
@requirement("MOPS-3-03", case=1)
def test_application_can_choose_mobile_allowed(case: Case, app: Application, protocol: str, allowed: bool) -> None:
    """A listening socket can be created with MOBILE_ALLOWED set and with it cleared."""
    if protocol == "udp":
        needs(case, "mops.udp")
    with creates_socket():
        app.listen(service="echo", protocol=protocol, mobile_allowed=allowed)


@valid
@requirement("MOPS-3-05", case=1)
def test_tcp_socket_is_mobile_by_default(case: Case, node: MobileNode, dut: Server) -> None:
    """A TCP socket whose application did not choose migrates."""
    connection = node.connect(remote_port=case.setup.profile.ixit.services.echo)
    node.move()
    dut.accepts_migrate(node, node.request(connection), connection)


@invalid
@requirement("MOPS-3-04", case=3)
def test_udp_socket_is_not_mobile_by_default(case: Case, node: MobileNode, dut: Server, app: Application) -> None:
    """A UDP socket whose application did not choose stays where it is, even if it has a Unique ID."""
    needs(case, "mops.unique_id")
    flow = node.open_flow(app.listen(protocol="udp", unique_id=UNIQUE_ID))
    node.move()
    request = node.send_udp_migrate(flow, UNIQUE_ID)
    dut.collect_replies(request.mark)
    dut.leaves_flow_alone(request, flow)


@valid
@requirement("MOPS-3-06", case=1)
def test_udp_socket_with_mobile_allowed_and_unique_id_migrates(
    case: Case, node: MobileNode, dut: Server, app: Application
) -> None:
    """A UDP socket with MOBILE_ALLOWED and a Unique ID continues on the new tuple."""
    needs(case, "mops.unique_id")
    flow = node.open_flow(app.listen(protocol="udp", mobile_allowed=True, unique_id=UNIQUE_ID))
    node.move()
    request = node.send_udp_migrate(flow, UNIQUE_ID)
    dut.answers(request, SUCCESS)
    node.rebind(request, flow)
    dut.serves_flow(flow)


@valid
@requirement("MOPS-7-03", case=1)
def test_socket_with_mobile_allowed_migrates(node: MobileNode, dut: Server, app: Application) -> None:
    """A TCP socket that was opened with MOBILE_ALLOWED migrates."""
    connection = node.connect(remote_port=app.listen(service="echo", mobile_allowed=True).port)
    node.move()
    dut.accepts_migrate(node, node.request(connection), connection)
