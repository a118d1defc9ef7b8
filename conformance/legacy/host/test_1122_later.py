# SPDX-License-Identifier: GPL-2.0-or-later
"""RFC 1122, 3.2.2 and 4.2.3.9: connections of every kind, some time after a message, and after soft ICMP errors."""

import pytest

from conformance.legacy.dut.host import LegacyHost
from conformance.legacy.tester.messages import ONE_OF_EACH, SOFT_ERRORS, Message
from conformance.legacy.tester.node import Node
from testbed import inopportune, requirement, waits
from testbed.case.case import LATER_S, Case
from testbed.device.application import Application

MESSAGES = pytest.mark.parametrize("message", ONE_OF_EACH, ids=str)
ERRORS = pytest.mark.parametrize("error", SOFT_ERRORS, ids=str)


@MESSAGES
@inopportune
@requirement("LEGACY-1122.3.2.2-04", case=1)
@waits(LATER_S)
def test_connection_continues_half_a_second_later(node: Node, dut: LegacyHost, case: Case, message: Message) -> None:
    """Half a second after a message for it, sent from old and new address, a connection continues."""
    peer = node.connect()
    node.send_message(message, peer)
    node.send_message(message, peer, node.elsewhere)
    case.watch(LATER_S)
    dut.serves(peer)


@MESSAGES
@inopportune
@requirement("LEGACY-1122.3.2.2-04", case=2)
def test_connection_that_the_dut_has_opened_continues(
    node: Node, dut: LegacyHost, app: Application, message: Message
) -> None:
    """A connection that the device has opened continues after a message for it."""
    connecting, peer, syn = node.await_syn(app)
    peer.accept(syn)
    socket = dut.connects(connecting)
    peer.read()
    node.send_message(message, peer)
    dut.barrier()
    data = b"hello from the device"
    dut.delivers(peer, data, dut.application_takes(socket, data))


@MESSAGES
@inopportune
@requirement("LEGACY-1122.3.2.2-04", case=3)
def test_half_closed_connection_continues(node: Node, dut: LegacyHost, app: Application, message: Message) -> None:
    """A connection whose peer has closed continues to bring data after a message for it."""
    connecting, peer, syn = node.await_syn(app)
    peer.accept(syn)
    socket = dut.connects(connecting)
    peer.read()
    peer.finish()
    dut.barrier()
    node.send_message(message, peer)
    dut.barrier()
    data = b"the other direction is open"
    dut.delivers(peer, data, dut.application_takes(socket, data))


@MESSAGES
@inopportune
@requirement("LEGACY-1122.3.2.2-04", case=4)
def test_new_connections_open_after_many_messages(node: Node, dut: LegacyHost, message: Message) -> None:
    """New connections of a peer and of others open after ten messages for a connection."""
    peer = node.connect()
    for _ in range(10):
        node.send_message(message, peer)
    dut.accepts_new_connection(node.peer())
    dut.accepts_new_connection(node.peer(node.elsewhere))
    dut.serves(peer)


@ERRORS
@inopportune
@requirement("LEGACY-1122.4.2.3.9-01", case=1)
def test_soft_error_aborts_nothing(node: Node, dut: LegacyHost, error: Message) -> None:
    """A soft ICMP error about a connection with data in flight does not abort it."""
    peer, other = node.connect(), node.connect()
    node.exchange(peer, other)
    node.receive_without_ack(peer, b"in flight")
    node.send_message(error, peer)
    dut.barrier()
    dut.serves(peer, other)
