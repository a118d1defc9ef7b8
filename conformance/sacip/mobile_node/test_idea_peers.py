# SPDX-License-Identifier: GPL-2.0-or-later
"""General idea: whoever has a connection of the address that goes is told."""

import pytest

from conformance.applicability import needs_peers
from conformance.sacip.dut.mobile_node import MobileNode
from conformance.sacip.tester.node import Node
from testbed import exclusive, requirement, valid
from testbed.case.case import Case
from testbed.device.application import Application


@exclusive
@valid
@requirement("SACIP-idea-01", case=1)
def test_every_peer_is_told(node: Node, other: Node, dut: MobileNode, case: Case, app: Application) -> None:
    """A peer that has exchanged data, one that has been silent, and one that the device has connected to are told."""
    silent, connected = other, Node(case)
    node.exchange(node.connect())
    silent.connect()
    connected.accept_from(app)
    move = dut.change_address()
    for peer in (node, silent, connected):
        dut.notifies(peer.station, move)


@exclusive
@valid
@requirement("SACIP-idea-01", case=2)
def test_peers_are_told_of_each_change(node: Node, other: Node, dut: MobileNode) -> None:
    """So are both peers of a second change, the one that has opened its connection since the first among them."""
    first = node.connect()
    move = dut.complete_change(first)
    other.connect(remote=move.new)
    later = dut.change_address()
    for peer in (node, other):
        dut.notifies(peer.station, later)


@pytest.mark.parametrize("count", [64, 300])
@exclusive
@valid
@requirement("SACIP-idea-04", case=1)
def test_many_peers_are_told(dut: MobileNode, case: Case, node: Node, count: int) -> None:
    """However many peers there are, each is told, in spite of limits on messages of ICMP, and goes on."""
    needs_peers(case, count)
    nodes = [node, *(Node(case) for _ in range(count - 1))]
    peers = [one.connect() for one in nodes]
    move = dut.change_address()
    dut.notifies_each([one.station for one in nodes], move)
    dut.goes_on(move, peers[0], peers[-1])
