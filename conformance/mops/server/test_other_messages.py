# SPDX-License-Identifier: GPL-2.0-or-later
"""Sections 4.2, 4.3 and Appendix C: what a plain server does not send, and options that it has to bear."""

import pytest

from conformance.mops.capable import carries, mobile_capable
from conformance.mops.dut.server import Server
from conformance.mops.tester.mobile_node import MobileNode
from layers.mops import SUCCESS, MOPSAnycastAck, MOPSNATAck
from testbed import requirement, valid
from testbed.case.case import Case
from testbed.case.verdict import require
from testbed.peers.connection import connect


@valid
@requirement("MOPS-4.2-15", case=1)
def test_plain_server_sends_no_anycast_acknowledgement(node: MobileNode, server: Server, case: Case) -> None:
    """A server without an anycast address does not answer a MOBILE_CAPABLE SYN with an anycast acknowledgement."""
    connect(case, node.station, option=mobile_capable(case))
    server.has_gone_on()
    case.watch(case.setup.profile.ixit.silence_s)
    for frame, message in case.messages():
        require(not isinstance(message, MOPSAnycastAck), "message", "no anycast acknowledgement", message.name, frame)


@valid
@requirement("MOPS-4.3-27", case=1)
def test_host_sends_no_nat_acknowledgement(node: MobileNode, server: Server, case: Case) -> None:
    """A host sends no NAT acknowledgement, neither for a SYN nor for a Migrate."""
    session = node.connects()
    node.moves()
    server.replies(node.sends(node.migrate(session)), SUCCESS)
    server.has_gone_on()
    case.watch(case.setup.profile.ixit.silence_s)
    for frame, message in case.messages():
        require(not isinstance(message, MOPSNATAck), "message", "no NAT acknowledgement", message.name, frame)


@pytest.mark.parametrize("capable", [True, False], ids=["with option", "without option"])
@valid
@requirement("MOPS-C-04", case=1)
def test_mobile_capable_does_not_hinder_a_connection(
    node: MobileNode, server: Server, case: Case, capable: bool
) -> None:
    """A SYN opens a connection with and without MOBILE_CAPABLE; without it the SYN-ACK does not carry it either."""
    peer = connect(case, node.station, option=mobile_capable(case) if capable else None)
    segments = server.segments_to(peer, 0)
    require(bool(segments), "SYN-ACK", "one", "none")
    frame, _, tcp = segments[0]
    carried = carries(case, tcp)
    require(capable or not carried, "MOBILE_CAPABLE on the SYN-ACK", "absent", "present", frame)
