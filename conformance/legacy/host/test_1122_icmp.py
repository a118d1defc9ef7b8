# SPDX-License-Identifier: GPL-2.0-or-later
"""RFC 1122, 3.2.2: messages of unknown type are silently discarded, whole or damaged."""

import pytest

from conformance.legacy.dut.host import LegacyHost
from conformance.legacy.tester.messages import DAMAGES, MOPS, NOTIFICATIONS, ONE_OF_EACH, Damage, Message
from conformance.legacy.tester.node import Node
from testbed import inopportune, invalid, requirement, valid

MESSAGES = pytest.mark.parametrize("message", MOPS, ids=str)
NOTICES = pytest.mark.parametrize("notice", NOTIFICATIONS, ids=str)
DAMAGED = pytest.mark.parametrize("damage", DAMAGES, ids=str)
WHICH = pytest.mark.parametrize("message", ONE_OF_EACH, ids=str)


@MESSAGES
@valid
@requirement("LEGACY-1122.3.2.2-01", case=1)
def test_mops_message_elicits_no_message(node: Node, dut: LegacyHost, message: Message) -> None:
    """A MOPS message for a connection, from its new address, elicits Protocol Unreachable or nothing."""
    sent = node.send_message(message, node.connect(), node.elsewhere)
    dut.stays_silent(sent, node.station, node.elsewhere, unreachable=True)


@MESSAGES
@valid
@requirement("LEGACY-1122.3.2.2-01", case=2)
def test_connection_continues_after_a_mops_message(node: Node, dut: LegacyHost, message: Message) -> None:
    """The connection that a MOPS message from the new address is about continues at the old one."""
    peer = node.connect()
    node.send_message(message, peer, node.elsewhere)
    dut.barrier()
    dut.serves(peer)


@NOTICES
@valid
@requirement("LEGACY-1122.3.2.2-02", case=1)
def test_sacip_elicits_no_message(node: Node, dut: LegacyHost, notice: Message) -> None:
    """A SACIP notification from the peer of a connection elicits no message, at the old address or at the new one."""
    sent = node.send_message(notice, node.connect())
    dut.stays_silent(sent, node.station, node.elsewhere)


@NOTICES
@inopportune
@requirement("LEGACY-1122.3.2.2-02", case=2)
def test_sacip_without_a_connection_elicits_no_message(node: Node, dut: LegacyHost, notice: Message) -> None:
    """A SACIP notification from an address without any connection elicits no message."""
    node.resolve_neighbour(node.station)
    sent = node.send_message(notice, node.peer())
    dut.stays_silent(sent, node.station, node.elsewhere)


@NOTICES
@valid
@requirement("LEGACY-1122.3.2.2-02", case=3)
def test_connections_continue_at_the_old_address(node: Node, dut: LegacyHost, notice: Message) -> None:
    """All connections of the peer that has sent a SACIP notification continue at its old address."""
    peers = [node.connect() for _ in range(3)]
    node.send_message(notice, peers[0])
    dut.barrier()
    dut.serves(*peers)


@NOTICES
@valid
@requirement("LEGACY-1122.3.2.2-02", case=4)
def test_new_address_in_sacip_receives_nothing(node: Node, dut: LegacyHost, notice: Message) -> None:
    """Data that a connection carries after a SACIP notification does not go to the new address."""
    peer = node.connect()
    sent = node.send_message(notice, peer)
    peer.send(b"where does the answer go")
    dut.stays_silent_at(node.elsewhere, sent)


@WHICH
@DAMAGED
@invalid
@requirement("LEGACY-1122.3.2.2-03", case=1)
def test_connection_continues_after_a_damaged_message(
    node: Node, dut: LegacyHost, message: Message, damage: Damage
) -> None:
    """A connection continues after a message that is cut short, has a wrong checksum or is as long as can be."""
    peer = node.connect()
    node.send_message(message, peer, damage=damage)
    dut.serves(peer)


@WHICH
@DAMAGED
@invalid
@requirement("LEGACY-1122.3.2.2-03", case=2)
def test_new_connection_opens_after_a_damaged_message(
    node: Node, dut: LegacyHost, message: Message, damage: Damage
) -> None:
    """A new connection of the same peer opens after such a message."""
    node.send_message(message, node.connect(), damage=damage)
    dut.accepts_new_connection(node.peer())
