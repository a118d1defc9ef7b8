# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.1 with RFC 9293, 3.1: segments that TCP drops say nothing of a connection that is to migrate."""

import pytest

from conformance.mops.dut.server import Server
from conformance.mops.tester.mobile_node import Connection, MobileNode
from testbed import invalid, requirement
from testbed.case.case import Case
from testbed.peers.connection import half_open
from testbed.peers.spoilt import transmit_spoilt


@pytest.mark.parametrize("flags", ["R", "FA"], ids=["reset", "FIN"])
@invalid
@requirement("MOPS-4.1-31", case=11)
def test_spoilt_end_of_a_connection_is_none(node: MobileNode, dut: Server, flags: str) -> None:
    """After a reset or a FIN whose checksum is wrong the connection is open, and migrates."""
    connection = node.connect()
    transmit_spoilt(connection.local, connection.local.segment(flags))
    dut.barrier()
    node.move()
    dut.accepts_migrate(node, node.request(connection), connection)


@pytest.mark.parametrize("words", [4, 15], ids=["shorter than a header", "longer than the segment"])
@invalid
@requirement("MOPS-4.1-31", case=12)
def test_reset_with_an_impossible_header_is_none(node: MobileNode, dut: Server, words: int) -> None:
    """After a reset whose header cannot be so long as it says the connection is open, and migrates."""
    connection = node.connect()
    connection.local.transmit(connection.local.segment("R", dataofs=words))
    dut.barrier()
    node.move()
    dut.accepts_migrate(node, node.request(connection), connection)


@invalid
@requirement("MOPS-4.1-94", case=11)
def test_spoilt_end_of_a_handshake_is_none(node: MobileNode, dut: Server, case: Case) -> None:
    """While of a handshake only an acknowledgement has come whose checksum is wrong, an entry for it is refused."""
    connection = Connection(half_open(case, node.new_peer()))
    transmit_spoilt(connection.local, connection.local.segment("A"))
    dut.barrier()
    dut.refuses_until_it_is_open(node, connection)
