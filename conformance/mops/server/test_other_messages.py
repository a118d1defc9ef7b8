# SPDX-License-Identifier: GPL-2.0-or-later
"""Sections 4.2 and 4.3: messages that a plain server does not send."""

from conformance.mops.capable import mobile_capable
from conformance.mops.claims import needs_plain_server
from conformance.mops.dut.server import Server
from conformance.mops.migrate import messages
from conformance.mops.tester.mobile_node import MobileNode
from layers.mops import SUCCESS, MOPSAnycastAck, MOPSNATAck
from testbed import requirement, valid
from testbed.case.case import Case
from testbed.case.verdict import require
from testbed.peers.connection import connect


@valid
@requirement("MOPS-4.2-15", case=1)
def test_plain_server_sends_no_anycast_acknowledgement(node: MobileNode, dut: Server, case: Case) -> None:
    """A server without an anycast address does not answer a MOBILE_CAPABLE SYN with an anycast acknowledgement."""
    needs_plain_server(case)
    connect(case, node.new_peer(), mobile_capable(case))
    dut.can_migrate()
    dut.quiesce()
    for frame, message in messages(case):
        require(not isinstance(message, MOPSAnycastAck), "message", "no anycast acknowledgement", message.name, frame)


@valid
@requirement("MOPS-4.3-27", case=1)
def test_host_sends_no_nat_acknowledgement(node: MobileNode, dut: Server, case: Case) -> None:
    """A host sends no NAT acknowledgement, neither for a SYN nor for a Migrate."""
    connection = node.connect()
    node.move()
    dut.reply_to(node.send_migrate(connection), SUCCESS)
    dut.quiesce()
    for frame, message in messages(case):
        require(not isinstance(message, MOPSNATAck), "message", "no NAT acknowledgement", message.name, frame)
