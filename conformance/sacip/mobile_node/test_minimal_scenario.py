# SPDX-License-Identifier: GPL-2.0-or-later
"""Minimal scenario: an address is added, the primary one is deleted, a secondary becomes primary."""

from conformance.sacip.dut.mobile_node import MobileNode
from conformance.sacip.tester.node import Node
from testbed import exclusive, inopportune, requirement, valid, waits
from testbed.case.case import LATER_S, Case


@exclusive
@valid
@requirement("SACIP-minimal-01", case=1)
def test_connection_continues_in_the_subnet(node: Node, dut: MobileNode) -> None:
    """A change to another address of the same subnet keeps the connections."""
    peers = [node.connect() for _ in range(3)]
    dut.complete_change(*peers)
    dut.serves(*peers)


@exclusive
@valid
@requirement("SACIP-minimal-01", case=2)
@waits(LATER_S)
def test_connection_is_still_there_later(node: Node, dut: MobileNode, case: Case) -> None:
    """Half a second after the change the connection goes on at the new address."""
    peer = node.connect()
    dut.complete_change(peer)
    dut.serves(peer)
    case.watch(LATER_S)
    dut.serves(peer)


@exclusive
@valid
@requirement("SACIP-minimal-02", case=1)
def test_addition_is_not_told(node: Node, dut: MobileNode) -> None:
    """The further address is not told when it comes, but when the first one goes."""
    peer = node.connect()
    dut.add_address(further := dut.further_addresses(1)[0])
    dut.serves(peer)
    dut.notifies_nobody()
    dut.notifies(node.station, dut.delete_primary(further))


@exclusive
@inopportune
@requirement("SACIP-minimal-02", case=2)
@waits(LATER_S)
def test_nothing_is_told_without_a_change(node: Node, dut: MobileNode, case: Case) -> None:
    """Connections that open, carry data, rest and close are told of nothing."""
    peer, idle = node.connect(), node.connect()
    dut.serves(peer)
    dut.closes(peer, peer.finish().ns)
    case.watch(LATER_S)
    dut.serves(idle)
    dut.notifies_nobody()
    dut.notifies_an_ordinary_connection()


@exclusive
@inopportune
@requirement("SACIP-minimal-02", case=3)
def test_renewal_of_a_lease_is_not_told(node: Node, dut: MobileNode, case: Case) -> None:
    """Addresses that the device has and is given again, the first one and a further one, are told to nobody."""
    peer = node.connect()
    (further,) = dut.further_addresses(1)
    dut.add_address(further)
    for address in (dut.address, further):
        dut.renew_address(address)
    dut.notifies_nobody()
    dut.serves(peer)
    dut.follow(dut.delete_primary(further), peer)
    dut.quiesce()
    since = case.mark()
    dut.renew_address(further)
    dut.notifies_nobody(since)
    dut.serves(peer)
    dut.notifies_an_ordinary_connection()


@exclusive
@inopportune
@requirement("SACIP-minimal-04", case=1)
def test_deletion_of_a_secondary_is_not_told(node: Node, dut: MobileNode) -> None:
    """A further address that goes again is told to nobody, and the connections stay."""
    peer = node.connect()
    (further,) = dut.further_addresses(1)
    dut.add_address(further)
    dut.delete_address(further)
    dut.notifies_nobody()
    dut.serves(peer)
    dut.notifies_an_ordinary_connection()


@exclusive
@inopportune
@requirement("SACIP-minimal-04", case=2)
def test_deletion_of_a_secondary_with_a_connection_is_not_told(node: Node, other: Node, dut: MobileNode) -> None:
    """Nor is one that has a connection of its own, to that peer or to another."""
    peer = node.connect()
    (further,) = dut.further_addresses(1)
    dut.add_address(further)
    other.connect(remote=further)
    dut.delete_address(further)
    dut.notifies_nobody()
    dut.serves(peer)
    dut.notifies_an_ordinary_connection()


@exclusive
@valid
@requirement("SACIP-minimal-05", case=1)
def test_promoted_secondary_is_named(node: Node, dut: MobileNode) -> None:
    """Of two secondaries the one that becomes primary, which is the older one, is named."""
    peer = node.connect()
    older, younger = dut.further_addresses(2)
    dut.add_address(older)
    dut.add_address(younger)
    move = dut.delete_primary(older)
    dut.names(dut.await_notification(node.station, move), older)
    dut.goes_on(move, peer)
