# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.2, the anycast server: several connections with its two addresses, and the tuples that they leave."""

import pytest

from conformance.mops.dut.anycast_server import AnycastServer
from conformance.mops.dut.sockets import listen_mobile
from conformance.mops.tester.anycast_node import AnycastNode
from conformance.mops.tester.numbers import HALF_THE_SPACE, wrong_number
from layers.mops import FAILED, MIGRATE_ATOMIC, SUCCESS
from testbed import inopportune, invalid, requirement, valid
from testbed.case.case import Case
from testbed.device.application import Application
from testbed.wire import chance

MANY = 20


@valid
@requirement("MOPS-4.2-46", case=1)
def test_connections_with_both_addresses_move_together(node: AnycastNode, dut: AnycastServer) -> None:
    """One Migrate at the unicast address moves a connection with the anycast and one with the unicast address."""
    connections = [node.connect(), node.connect_to(node.unicast), node.connect()]
    node.move()
    dut.accepts_migrate(node, node.request(*connections), *connections)


@valid
@requirement("MOPS-4.2-46", case=2)
def test_many_connections_move_together(node: AnycastNode, dut: AnycastServer) -> None:
    """One Migrate moves twenty connections with the anycast address."""
    connections = [node.connect() for _ in range(MANY)]
    node.move()
    dut.accepts_migrate(node, node.request(*connections), *connections)


@pytest.mark.parametrize("bad", [0, 2], ids=["first fails", "last fails"])
@invalid
@requirement("MOPS-4.2-45", case=1)
def test_roll_back_restores_the_servers_address(case: Case, node: AnycastNode, dut: AnycastServer, bad: int) -> None:
    """After an atomic Migrate that fails in one entry each connection is where it was, with its own address."""
    connections = [node.connect(), node.connect_to(node.unicast), node.connect()]
    node.move()
    entries = [node.entry(connection) for connection in connections]
    entries[bad] = (*entries[bad][:2], wrong_number(case, connections[bad]))
    request = node.send_migrate(*connections, code=MIGRATE_ATOMIC, entries=entries)
    dut.reply_to(request, FAILED)
    dut.leaves_alone(request, *connections)


@valid
@requirement("MOPS-4.2-48", case=1)
def test_others_stay(node: AnycastNode, dut: AnycastServer, case: Case) -> None:
    """Other connections with the anycast address, of this node and of another, stay there."""
    moves, stays, others = node.connect(), node.connect(), AnycastNode(case).connect()
    node.migrate(moves)
    dut.serves(stays, others)


@valid
@requirement("MOPS-4.2-49", case=1)
def test_new_connection_at_the_tuple_that_was_left(case: Case, node: AnycastNode, dut: AnycastServer) -> None:
    """A new connection with the anycast address opens at the tuple that was left, beside the one that has moved."""
    connection = node.connect()
    node.migrate(connection)
    left = connection.previous[0]
    node.return_to(left.station)
    new = node.new_peer(left.port, connection.local.remote_port)
    dut.opens_at_the_anycast_address(new)
    dut.serves(connection, new)


@inopportune
@requirement("MOPS-4.2-50", case=1)
def test_tuple_in_use(node: AnycastNode, dut: AnycastServer) -> None:
    """A Migrate to a tuple where another connection lives is refused, and both stay where they are."""
    moves = node.connect()
    node.move()
    occupant = node.connect_to(node.continues_at, remote_port=moves.local.remote_port)
    entry = node.entry(moves, migrated_port=occupant.local.port)
    request = node.send_migrate(moves, entries=[entry])
    dut.answers(request, FAILED)
    dut.serves(moves, occupant)


@valid
@requirement("MOPS-4.2-51", case=1)
def test_unique_id_of_a_connection_with_the_anycast_address(
    node: AnycastNode, dut: AnycastServer, app: Application
) -> None:
    """It migrates by the Unique ID of its socket; its sequence number is refused."""
    unique_id = chance.randbits(32) | 1
    port = listen_mobile(node.case, app, service="echo", unique_id=unique_id).port
    by_number, by_id = node.connect(remote_port=port), node.connect(remote_port=port)
    node.move()
    dut.answers(node.send_migrate(by_number), FAILED)
    request = node.send_migrate(by_id, entries=[node.entry(by_id, identifier=unique_id)])
    dut.answers_from(node.unicast, request, SUCCESS)
    node.rebind(request, by_id)
    dut.serves(by_id, by_number)


@inopportune
@requirement("MOPS-4.2-56", case=1)
def test_one_client_tuple_with_both_addresses(node: AnycastNode, dut: AnycastServer) -> None:
    """Of two connections of one port of the node, one with each address, the Migrate's number says which one moves."""
    first = node.connect(initial_sequence=HALF_THE_SPACE // 2)
    second = node.connect_to(
        node.unicast, port=first.local.port, remote_port=first.local.remote_port, initial_sequence=HALF_THE_SPACE
    )
    node.move()
    dut.accepts_migrate(node, node.request(second), second)
    dut.serves(first)
