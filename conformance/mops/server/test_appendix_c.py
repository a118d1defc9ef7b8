# SPDX-License-Identifier: GPL-2.0-or-later
"""Appendix C: MOBILE_CAPABLE on the SYN-ACK of a server."""

import pytest

from conformance.mops.capable import carries_mobile_capable, mobile_capable
from conformance.mops.dut.server import Server
from conformance.mops.dut.sockets import mobile_echo
from conformance.mops.tester.mobile_node import MobileNode
from testbed import requirement, valid
from testbed.case.case import Case
from testbed.case.verdict import require
from testbed.interruptions import Inconclusive
from testbed.peers.connection import connect
from testbed.peers.segment import Segment


def syn_ack_of(case: Case, node: MobileNode, dut: Server, capable: bool = True) -> Segment:
    """The SYN-ACK to a SYN with MOBILE_CAPABLE, or to one without, of a connection that opens."""
    peer = connect(case, node.new_peer(remote_port=mobile_echo(case)), mobile_capable(case) if capable else None)
    return dut.segments(peer)[0]


@valid
@requirement("MOPS-C-02", case=1)
def test_syn_ack_carries_mobile_capable(case: Case, node: MobileNode, dut: Server) -> None:
    """The SYN-ACK to a SYN with MOBILE_CAPABLE carries it too."""
    syn_ack = syn_ack_of(case, node, dut)
    carried = carries_mobile_capable(case, syn_ack.tcp)
    require(carried, "MOBILE_CAPABLE on the SYN-ACK", "present", "absent", syn_ack.frame)


@pytest.mark.parametrize("capable", [True, False], ids=["with option", "without option"])
@valid
@requirement("MOPS-C-04", case=1)
def test_mobile_capable_does_not_hinder_a_connection(node: MobileNode, dut: Server, case: Case, capable: bool) -> None:
    """A SYN opens a connection with and without MOBILE_CAPABLE; without it the SYN-ACK does not carry it either."""
    syn_ack = syn_ack_of(case, node, dut, capable)
    carried = carries_mobile_capable(case, syn_ack.tcp)
    require(capable or not carried, "MOBILE_CAPABLE on the SYN-ACK", "absent", "present", syn_ack.frame)
    claimed = case.setup.profile.ics.mops.mobile_capable
    if claimed and not carries_mobile_capable(case, syn_ack_of(case, node, dut).tcp):
        raise Inconclusive("preamble: no SYN-ACK carries MOBILE_CAPABLE", repeat=False)
