# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 2, "so that the old connection can be continued": errors, other traffic and many peers beside a migration."""

import pytest

from conformance.applicability import needs_peers
from conformance.migrate.dut.mobile_node import DutNode
from conformance.migrate.tester.connection import Connection
from conformance.migrate.tester.host import MigrateHost
from testbed import exclusive, inopportune, requirement, valid
from testbed.case.case import Case
from testbed.peers.icmp import IcmpPeer, error_about

UNREACHABLE = 3
SOFT = pytest.mark.parametrize("code", [0, 1, 5], ids=["network", "host", "source-route"])
HARD = pytest.mark.parametrize("code", [2, 3], ids=["protocol", "port"])


@SOFT
@inopportune
@requirement("MIGRATE-2-30", case=1)
def test_soft_error_aborts_nothing(node: MigrateHost, dut: DutNode, case: Case, code: int) -> None:
    """A soft error about the connection, before the migration and after it, aborts nothing."""
    connection, router = node.connect(), IcmpPeer(case.station())
    node.exchange(connection)
    router.send(error_about(connection.local, UNREACHABLE, code))
    dut.barrier()
    node.move()
    sent = node.send_migrate(connection)
    with dut.control():
        node.complete(connection, sent, dut.answers(node, sent))
        router.send(error_about(connection.local, UNREACHABLE, code))
        dut.barrier()
        dut.serves(connection)


@HARD
@inopportune
@requirement("MIGRATE-2-31", case=1)
def test_error_about_the_old_tuple_is_nobodys(node: MigrateHost, dut: DutNode, case: Case, code: int) -> None:
    """An error that quotes the tuple that was left touches nothing."""
    connection, router = node.connect(), IcmpPeer(case.station())
    node.exchange(connection)
    error = error_about(connection.local, UNREACHABLE, code)
    node.migrate(connection)
    dut.serves(connection)
    router.send(error)
    dut.barrier()
    dut.serves(connection)


@valid
@requirement("MIGRATE-2-32", case=1)
def test_other_traffic_is_as_before(node: MigrateHost, dut: DutNode) -> None:
    """Echo, a connection that cannot migrate and new connections are served at both addresses of the peer."""
    connection, plain = node.connect(), node.connect_plainly()
    node.exchange(connection, plain)
    old = node.station
    was_answered = dut.answers_echo(old)
    node.migrate(connection)
    if was_answered:
        dut.must_answer_echo(old)
        dut.must_answer_echo(node.station)
    dut.serves(plain, connection)
    new, node.station = node.station, old
    dut.accepts_new_connection(node.new_peer())
    node.station = new
    dut.accepts_new_connection(node.new_peer())


@pytest.mark.parametrize("count", [64, 300])
@exclusive("it opens as many connections as the device takes")
@valid
@requirement("MIGRATE-2-33", case=1)
def test_connections_of_many_peers_migrate(node: MigrateHost, dut: DutNode, case: Case, count: int) -> None:
    """The connections of 64 and of 300 peers migrate, each to an address of its own, or as many as there can be."""
    needs_peers(case, 2 * count)
    dut.moves_an_ordinary_connection()

    def connect() -> Connection:
        node.move()
        return node.connect()

    connections = node.as_many_as_open(connect, count)
    for connection in connections:
        node.move()
        sent = node.send_migrate(connection)
        node.complete(connection, sent, dut.answers(node, sent))
    dut.serves(connections[0], connections[-1])
