# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 2, "so that the old connection can be continued": what is beside a move, and many peers of it."""

import pytest

from conformance.applicability import needs_peers
from conformance.migrate.dut.mobile_node import DutNode
from conformance.migrate.tester.connection import Connection
from conformance.migrate.tester.host import MigrateHost
from testbed import exclusive, inopportune, requirement, valid
from testbed.case.case import Case
from testbed.case.verdict import Broken
from testbed.device.application import Application
from testbed.peers.icmp import IcmpPeer, error_about

UNREACHABLE, PORT = 3, 3
SOFT = (0, 1, 5)
"""Codes of errors that abort no connection: network and host unreachable, source route failed."""


@exclusive
@inopportune
@requirement("MIGRATE-2-30", case=11)
def test_soft_errors_abort_nothing(node: MigrateHost, dut: DutNode, app: Application, case: Case) -> None:
    """Soft errors about the connection, before the move, in the middle of it and after it, abort nothing."""
    connection, router = node.connect_to(app), IcmpPeer(case.station())

    def errors() -> None:
        router.remote = connection.local.remote
        for code in SOFT:
            router.send(error_about(connection.local, UNREACHABLE, code))
        dut.barrier()

    errors()
    move = dut.move()
    syn, _ = dut.await_request(connection, move)
    connection.local.follow_remote(move.new, move.mark)
    errors()
    dut.resumes(node, connection, move, syn)
    errors()
    dut.serves(connection)


@exclusive
@inopportune
@requirement("MIGRATE-2-31", case=11)
def test_error_about_the_old_tuple_is_nobodys(node: MigrateHost, dut: DutNode, app: Application, case: Case) -> None:
    """An error that quotes the tuple that was left touches nothing, whichever address it is sent to."""
    connection, router = node.connect_to(app), IcmpPeer(case.station())
    old = router.remote
    error = error_about(connection.local, UNREACHABLE, PORT)
    dut.complete_move(node, connection)
    for router.remote in (old, dut.address):
        router.send(error)
    dut.barrier()
    dut.serves(connection)


@exclusive
@valid
@requirement("MIGRATE-2-32", case=11)
def test_other_traffic_is_as_before(node: MigrateHost, dut: DutNode, app: Application, case: Case) -> None:
    """At its new address the device answers echo as before, and takes new connections, of peers old and new."""
    was_answered = dut.answers_echo(node.station)
    connection = node.connect_to(app)
    dut.complete_move(node, connection)
    if was_answered:
        dut.must_answer_echo(node.station)
    for one in (node, MigrateHost(case)):
        dut.accepts_new_connection(one.new_peer())
    dut.serves(connection)


@pytest.mark.parametrize("count", [64, 300])
@exclusive
@valid
@requirement("MIGRATE-2-33", case=11)
def test_connections_of_many_peers_are_asked_for(node: MigrateHost, dut: DutNode, case: Case, count: int) -> None:
    """Each of 64 and of 300 peers, or of as many as there can be, gets a Migrate SYN; the last one's goes on."""
    needs_peers(case, count)
    nodes: list[MigrateHost] = []

    def connect() -> Connection:
        nodes.append(MigrateHost(case))
        return nodes[-1].connect()

    connections = node.as_many_as_open(connect, count)
    move = dut.move()
    last = connections[-1]
    syn, _ = dut.requests(last, move)
    dut.resumes(nodes[len(connections) - 1], last, move, syn)
    dut.requests_each(connections, move)


@exclusive
@inopportune
@requirement("MIGRATE-2-34", case=1)
def test_reported_crossing_migrations(node: MigrateHost, dut: DutNode, app: Application, case: Case) -> None:
    """What becomes of a connection when both ends migrate at once, and the device's SYN comes to the left address."""
    connection = node.connect_to(app)
    dut.serves(connection)
    move = dut.move()
    dut.await_request(connection, move)
    connection.local.follow_remote(move.new, move.mark)
    node.move()
    sent = node.send_migrate(connection)
    answer = node.find_syn_ack(sent)
    case.values["Migrate SYN that crosses the device's"] = "served" if answer else "not served"
    if answer is not None:
        node.complete(connection, sent, answer)
        try:
            dut.serves(connection)
        except Broken:
            case.values["data after it"] = "not served"
