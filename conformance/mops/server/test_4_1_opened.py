# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.1: connections that an application of the server has opened to the node."""

from collections.abc import Callable

import pytest

from conformance.mops.claims import needs_sequence_reading
from conformance.mops.dut.server import Server
from conformance.mops.tester.mobile_node import Connection, MobileNode
from conformance.mops.tester.numbers import EDGE, inside_window
from conformance.mops.tester.server import Attempt
from layers.mops import SUCCESS
from testbed import inopportune, requirement, valid
from testbed.case.case import Case
from testbed.device.application import Application, Socket
from testbed.interruptions import Inconclusive, NotApplicable
from testbed.peers.connection import await_syn_ack
from testbed.peers.sequence import SEQUENCE_SPACE

PART, BACK = b"from the node", b"and back"


def migrates(node: MobileNode, dut: Server, connection: Connection, socket: Socket, identifier: int) -> None:
    """A Migrate with this sequence number is answered "success", and data flows at the new tuple."""
    request = node.move_and_send(connection, identifier)
    dut.answers(request, SUCCESS)
    node.rebind(request, connection)
    connection.local.send(PART)
    dut.application_reads(socket, PART)
    dut.delivers(connection.local, BACK, socket.send(BACK))


@valid
@requirement("MOPS-4.1-237", case=1)
def test_connection_that_the_server_has_opened_migrates(node: MobileNode, dut: Server, app: Application) -> None:
    """A connection that an application of the server opened to the node migrates like one that it accepted."""
    connection, socket = node.accept(node.await_attempt(app))
    migrates(node, dut, connection, socket, connection.local.snd_nxt)


@pytest.mark.parametrize("offset", [1, EDGE])
@valid
@requirement("MOPS-4.1-32", case=3)
def test_number_inside_the_window_of_an_opened_connection(
    case: Case, node: MobileNode, dut: Server, app: Application, offset: int | str
) -> None:
    """A number inside the window that the server announces on a connection it has opened, its edge too, is accepted."""
    needs_sequence_reading(case, "window")
    connection, socket = node.accept(node.await_attempt(app))
    peer = connection.local
    migrates(node, dut, connection, socket, (peer.snd_una + inside_window(case, connection, offset)) % SEQUENCE_SPACE)


def resets_of_other_numbers(node: MobileNode, attempt: Attempt) -> tuple[Connection, Socket]:
    """Resets that do not acknowledge the SYN and nothing else come before the SYN-ACK: they are dropped."""
    peer = attempt.local
    for number in (0, attempt.syn.seq, attempt.syn.seq + 2):
        peer.transmit(peer.segment("RA", ack=number % SEQUENCE_SPACE))
    return node.accept(attempt)


def reset_without_acknowledgement(node: MobileNode, attempt: Attempt) -> tuple[Connection, Socket]:
    """A reset whose flag for the acknowledgement is not set comes before the SYN-ACK: it is dropped."""
    peer = attempt.local
    peer.transmit(peer.segment("R", ack=(attempt.syn.seq + 1) % SEQUENCE_SPACE))
    return node.accept(attempt)


def opened_by_both(node: MobileNode, attempt: Attempt) -> tuple[Connection, Socket]:
    """The node has begun to open the same connection: instead of a SYN-ACK its own SYN comes."""
    peer = attempt.local
    sent = peer.start()
    try:
        await_syn_ack(node.case, peer, node.case.deadline(since_ns=sent.ns))
    except Inconclusive:
        raise NotApplicable("the device opens no connection that its peer opens too") from None
    peer.acknowledge()
    return Connection(peer), attempt.connecting.socket()


@pytest.mark.parametrize(
    "opens",
    [resets_of_other_numbers, reset_without_acknowledgement, opened_by_both],
    ids=lambda opens: opens.__name__.replace("_", " "),
)
@inopportune
@requirement("MOPS-4.1-237", case=2)
def test_connection_that_was_opened_otherwise_migrates(
    node: MobileNode,
    dut: Server,
    app: Application,
    opens: Callable[[MobileNode, Attempt], tuple[Connection, Socket]],
) -> None:
    """A connection that the server has opened migrates whatever came before its handshake was complete."""
    connection, socket = opens(node, node.await_attempt(app))
    migrates(node, dut, connection, socket, connection.local.snd_nxt)
