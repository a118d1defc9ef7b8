# SPDX-License-Identifier: GPL-2.0-or-later
"""Appendix C: MOBILE_CAPABLE on the SYN-ACK of a server."""

from conformance.mops.capable import carries, mobile_capable
from conformance.mops.dut.server import Server
from conformance.mops.tester.mobile_node import MobileNode
from testbed import requirement, valid
from testbed.case.case import Case
from testbed.case.verdict import require
from testbed.peers.connection import connect


@valid
@requirement("MOPS-C-02", case=1)
def test_syn_ack_carries_mobile_capable(case: Case, node: MobileNode, server: Server) -> None:
    """The SYN-ACK to a SYN with MOBILE_CAPABLE carries it too."""
    peer = connect(case, node.station, option=mobile_capable(case))
    frame, _, tcp = server.segments_to(peer, 0)[0]
    require(carries(case, tcp), "MOBILE_CAPABLE on the SYN-ACK", "present", "absent", frame)
