# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.1 and appendix A: many connections at a move, accepted ones, and identifiers that are each one's own."""

from collections.abc import Iterable

import pytest

from conformance.mops.dut.mobile_node import Applications, MobileNode
from conformance.mops.migrate import ENTRY, HEADER, ReceivedMigrate
from conformance.mops.tester.server import Connection, Correspondent
from testbed import exclusive, requirement, valid, waits
from testbed.case.case import Case
from testbed.case.expect import preamble
from testbed.case.verdict import require
from testbed.interruptions import Inconclusive
from testbed.peers.host import Move
from testbed.wire.capture import Sent

MOST_TRIED = 40
"""Of so many connections one in 10^12 runs has no sequence number in each half of the sequence space."""


def require_sound(request: ReceivedMigrate) -> None:
    """Checksum and Count are right, and each port is listed once."""
    ports = [previous for previous, _, _ in request.entries]
    entries = (len(request.octets) - HEADER) / ENTRY.size
    require(request.is_intact, "checksum", "right", "wrong", request.frame)
    require(request.message.count == entries, "count", entries, request.message.count, request.frame)
    require(len(set(ports)) == len(ports), "ports listed", "each once", len(ports) - len(set(ports)), request.frame)


def serve(case: Case, dut: MobileNode, move: Move, connections: Iterable[Connection]) -> None:
    """Reply success to each Migrate once, as it comes; the connections are expected at their migrated tuples."""
    waiting = {(one.server.address, one.previous_port): one for one in connections}
    mark, server = move.mark, next(iter(waiting.values())).server
    replies: list[tuple[ReceivedMigrate, Sent]] = []
    while waiting:
        mark, since = case.mark(), mark
        servers = {one.server.address: one.server for one in waiting.values()}
        requests = [request for server in servers.values() for request in server.requests(since)]
        for request in requests:
            keys = [(request.packet.dst, previous) for previous, _, _ in request.entries]
            served = [waiting.pop(key) for key in keys if key in waiting]
            if served:
                require_sound(request)
                replies.append((request, servers[request.packet.dst].reply(request)))
            for connection in served:
                connection.expect_at(request)
        if waiting and not requests:
            missing = next(iter(waiting.values()))
            request = dut.migrates(move, missing)
            ports, came_since = [port for port, _, _ in request.entries], request.frame in case.trace.received(mark)
            require(came_since, "ports listed", f"{missing.previous_port} too", ports, request.frame)
    for request, sent in replies:
        server.check_in_time(request, sent)


@pytest.mark.parametrize(("number", "servers"), [(64, 2), (300, 1)])
@exclusive
@valid
@requirement("MOPS-4.1-114", case=2)
@waits(2)
def test_many_connections_are_all_migrated(
    case: Case, dut: MobileNode, app: Applications, number: int, servers: int
) -> None:
    """All of 64 connections to two servers, or 300 to one, are listed and continue, after a second move, too."""
    correspondents = [Correspondent(case) for _ in range(servers)]
    connections = [app.connect(correspondents[index % servers]) for index in range(number)]
    for _ in range(2):
        serve(case, dut, dut.move(), connections)
        for connection in connections[:: max(1, number // 16)]:
            dut.continues(connection)
    dut.continues(connections[-1])


@exclusive
@valid
@requirement("MOPS-4.1-186", case=1)
def test_each_entry_carries_its_own_identifier(
    dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """Each connection's sequence number stands in its own entry, from both halves of the sequence space."""
    connections: list[Connection] = []
    while {one.local.rcv_nxt >> 31 for one in connections} != {0, 1} or len(connections) < 4:
        if len(connections) == MOST_TRIED:
            raise Inconclusive("preamble: the device chose no sequence number in one half of the sequence space")
        connections.append(app.connect(correspondent))
    connections[1].local.acknowledge()
    move = dut.move()
    for connection in connections:
        request = dut.request(move, connection)
        number = request.entry(connection)[2]
        require(number == connection.local.rcv_nxt, "identifier", connection.local.rcv_nxt, number, request.frame)


@exclusive
@valid
@requirement("MOPS-4.1-186", case=2)
def test_identifier_follows_the_data_between_two_moves(
    dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """The second Migrate carries the number that data sent since the first has led to."""
    connection = app.connect(correspondent)
    dut.complete_move(connection)
    dut.continues(connection, b"between two moves")
    request = dut.request(dut.move(), connection)
    number = request.entry(connection)[2]
    require(number == connection.local.rcv_nxt, "identifier", connection.local.rcv_nxt, number, request.frame)


@exclusive
@valid
@requirement("MOPS-A-22", case=1)
def test_accepted_connections_migrate(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """Three connections that one listening socket has accepted, two of them from one host, migrate and continue."""
    listener = app.listen()
    elsewhere = Correspondent(case)
    connections = [app.accept(correspondent, listener, shares_port=True) for _ in range(2)]
    connections.append(app.accept(elsewhere, listener))
    move = dut.move()
    for connection in connections:
        request = dut.migrates(move, connection)
        connection.server.reply_in_time(request)
        connection.expect_at(request)
    for connection in connections:
        dut.continues(connection)


@exclusive
@valid
@requirement("MOPS-4.1-114", case=3)
def test_opened_and_accepted_connections_to_several_ports(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """Connections to several ports of one server are all listed and continue, one of them idle since it was opened."""
    connections = [app.connect(correspondent) for _ in range(5)]
    idle = correspondent.accept(app.begin_connect(correspondent))
    dut.barrier()
    serve(case, dut, dut.move(), [*connections, idle])
    with preamble():
        dut.continues(connections[0])
    for connection in [*connections[1:], idle]:
        dut.continues(connection)
