# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.1: messages that count for nothing after a success, and long after they came; later moves of several."""

from typing import Any

import pytest

from conformance.mops.dut.server import Server
from conformance.mops.migrate import HEADER, Message, off_by_one, sealed
from conformance.mops.tester.mobile_node import Connection, MobileNode
from conformance.mops.tester.numbers import wrong_number
from layers.mops import FAILED, MIGRATE, MIGRATE_ATOMIC, SUCCESS
from testbed import inopportune, invalid, requirement, valid, waits
from testbed.case.case import LATER_S, Case
from testbed.peers.sequence import SEQUENCE_SPACE
from testbed.peers.stream import fitting

CUT = HEADER + 12
"""A whole entry and half of the next one."""

A_NEW_CLOCK = 10_000_000
"""How far the first number of a new connection lies above the last one of its tuple (RFC 9293, 3.4.1)."""

DATA = bytes(range(256)) * 4

FIELDS: dict[str, dict[str, Any]] = {
    "version": {"version": 2},
    "code": {"code": 4},
    "count": {"count": 2},
    "count 0": {"count": 0},
    "reply": {"code": SUCCESS},
}

KIND = pytest.mark.parametrize(
    "kind",
    [
        pytest.param("checksum", marks=requirement("MOPS-4.1-58")),
        pytest.param("version", marks=requirement("MOPS-4.1-59")),
        pytest.param("code", marks=requirement("MOPS-4.1-60")),
        pytest.param("count", marks=requirement("MOPS-4.1-62")),
        pytest.param("count 0", marks=requirement("MOPS-4.1-61")),
        pytest.param("reply", marks=requirement("MOPS-4.1-69")),
        pytest.param("cut", marks=requirement("MOPS-4.1-64")),
    ],
)


def spoilt(node: MobileNode, connection: Connection, kind: str) -> Message:
    """A Migrate of a connection that counts for nothing, all of it right but for one thing."""
    if kind == "checksum":
        return off_by_one(bytes(node.request(connection)))
    if kind == "cut":
        return sealed(bytes(node.request(connection, count=2, entries=[node.entry(connection)] * 2))[:CUT])
    return node.request(connection, **FIELDS[kind])


@KIND
@waits(6)
@invalid
@requirement(case=11)
def test_second_message_that_counts_for_nothing(node: MobileNode, dut: Server, kind: str) -> None:
    """After a Migrate that was carried out one that counts for nothing leaves the connection where it is."""
    connection = node.connect()
    node.migrate(connection)
    node.rest()
    node.move()
    request = node.send(spoilt(node, connection, kind))
    dut.collect_replies(request.mark)
    dut.leaves_alone(request, connection)


@KIND
@waits(1)
@invalid
@requirement(case=12)
def test_message_that_counts_for_nothing_is_not_carried_out_later(
    case: Case, node: MobileNode, dut: Server, kind: str
) -> None:
    """A while after a message that counts for nothing the connection is where it was, too."""
    connection = node.connect()
    node.move()
    request = node.send(spoilt(node, connection, kind))
    case.watch(LATER_S)
    dut.collect_replies(request.mark)
    dut.leaves_alone(request, connection)


@waits(6)
@valid
@requirement("MOPS-4.1-216", case=11)
def test_connection_stays_after_its_second_move(case: Case, node: MobileNode, dut: Server) -> None:
    """When the time for replies is over after a second move, it is still there and was told nothing else."""
    connection = node.connect()
    node.migrate(connection)
    node.rest()
    node.move()
    request = node.send_migrate(connection)
    dut.reply_to(request, SUCCESS)
    node.rebind(request, connection)
    dut.stays_silent(request, case.setup.profile.ixit.mops.reply_within_s)
    dut.sends_no_flags(connection, request.mark, "SFR")
    dut.serves(connection)
    dut.is_nowhere_else(connection)


@pytest.mark.parametrize("code", [MIGRATE, MIGRATE_ATOMIC], ids=["best-effort", "atomic"])
@waits(6)
@valid
@requirement("MOPS-4.1-28", case=11)
def test_several_connections_migrate_again(node: MobileNode, dut: Server, code: int) -> None:
    """A second Migrate moves each of three connections that have moved together before."""
    connections = [node.connect() for _ in range(3)]
    node.migrate(*connections, code=code)
    node.rest()
    node.move()
    dut.accepts_migrate(node, node.request(*connections, code=code), *connections)


@waits(6)
@valid
@requirement("MOPS-4.1-25", case=11)
def test_data_in_flight_at_the_second_move(node: MobileNode, dut: Server) -> None:
    """Data that the server sent to the tuple of the first move, lost there, arrives at that of the second."""
    connection = node.connect()
    node.migrate(connection)
    node.rest()
    connection.local.drop_incoming()
    data = DATA[: fitting(connection.local)]
    sent = connection.local.send(data)
    dut.barrier()
    request = node.migrate(connection, use=False)
    dut.delivers(connection.local, data, request.sent.ns, unanswered_since_ns=sent.ns)


@waits(6)
@inopportune
@requirement("MOPS-4.1-72", case=12)
def test_second_interval_holds_like_the_first(node: MobileNode, dut: Server, case: Case) -> None:
    """An attempt after the first interval begins a second one, inside which a command is discarded as well."""
    connection = node.connect()
    node.move()
    for row in range(2):
        wrong = node.entry(connection, identifier=wrong_number(case, connection, row))
        attempt = node.send_migrate(connection, entries=[wrong])
        dut.reply_to(attempt, FAILED)
        if row == 0:
            node.rest()
    last = node.send_migrate(connection)
    node.check_in_time(last, attempt, 1)
    dut.discards(last, connection)


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param("address", marks=requirement("MOPS-4.1-40")),
        pytest.param("port", marks=requirement("MOPS-4.1-41")),
    ],
)
@waits(6)
@invalid
@requirement(case=11)
def test_wrong_previous_tuple_of_a_second_move_is_refused(
    case: Case, node: MobileNode, dut: Server, wrong: str
) -> None:
    """The right number of a connection that has migrated, with another previous address or port, moves nothing."""
    connection = node.connect()
    node.migrate(connection)
    node.rest()
    previous = case.station().address if wrong == "address" else connection.local.station.address
    port = connection.local.port + (wrong == "port")
    node.move()
    entries = [node.entry(connection, previous_port=port)]
    request = node.send_migrate(connection, previous_source=previous, entries=entries)
    dut.answers(request, FAILED)
    dut.leaves_alone(request, connection, migrated=[entries[0][1]])


@waits(6)
@inopportune
@requirement("MOPS-4.1-46", case=11)
def test_new_connection_at_the_first_tuple_after_two_moves(node: MobileNode, dut: Server) -> None:
    """A new connection at the first tuple of one that has moved twice gets its own bytes, if it is let in."""
    connection = node.connect()
    port, service, above = connection.local.port, connection.local.remote_port, connection.local.snd_nxt + A_NEW_CLOCK
    node.migrate(connection)
    node.rest()
    node.migrate(connection)
    node.return_to(node.home)
    new = node.new_peer(port, service, above % SEQUENCE_SPACE)
    if dut.takes_new_connection(new):
        dut.serves(new, data=b"new")
    dut.serves(connection, data=b"migrated twice")


@valid
@requirement("MOPS-4.1-18", case=12)
def test_tuple_before_an_atomic_move_is_dead(node: MobileNode, dut: Server) -> None:
    """After a Migrate of code 1 as well, data from the previous tuple does not reach the connection."""
    connection = node.connect()
    node.migrate(connection, code=MIGRATE_ATOMIC)
    dut.old_tuple_is_dead(connection)
    dut.serves(connection)


@valid
@requirement("MOPS-4.1-28", case=12)
def test_several_connections_with_data_in_flight(node: MobileNode, dut: Server) -> None:
    """What the server has sent on each of three connections, all of it lost, comes to the new tuple of each."""
    connections = [node.connect() for _ in range(3)]
    sent = []
    for connection in connections:
        connection.local.drop_incoming()
        sent.append(connection.local.send(DATA))
    dut.barrier()
    request = node.migrate(*connections, use=False)
    for connection, one in zip(connections, sent, strict=True):
        dut.delivers(connection.local, DATA, request.sent.ns, unanswered_since_ns=one.ns)
