# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.1, the mobile node's Migrate: when it is sent, to whom, and what its fields say."""

from collections.abc import Callable

import pytest

from conformance.mops.dut.mobile_node import Applications, MobileNode
from conformance.mops.migrate import ENTRY, HEADER, ReceivedMigrate, in_mops
from conformance.mops.tester.server import Connection, Correspondent
from testbed import exclusive, requirement, valid
from testbed.case.case import Case
from testbed.case.expect import preamble
from testbed.case.verdict import require
from testbed.peers.host import Move
from testbed.peers.sequence import after
from testbed.wire.capture import BEGINNING
from testbed.wire.clock import NANO
from testbed.wire.headers import TCP_PROTOCOL

FEWEST_HOPS = 32

Values = tuple[object, object]
"""What is expected, and what is seen."""

FIELDS: dict[str, Callable[[ReceivedMigrate, Move, Connection], Values]] = {
    "checksum": lambda request, move, connection: (
        request.right_checksum % 0xFFFF,
        request.message.checksum % 0xFFFF,
    ),
    "reserved": lambda request, move, connection: (0, request.message.reserved),
    "protocol": lambda request, move, connection: (TCP_PROTOCOL, request.message.protocol),
    "previous address": lambda request, move, connection: (in_mops(move.old), request.address("previous_source")),
    "previous port": lambda request, move, connection: (connection.previous_port, request.entry(connection)[0]),
    "migrated address, source of the packet": lambda request, move, connection: (
        (in_mops(move.new), move.new),
        (request.address("migrated_source"), request.packet.src),
    ),
    "sequence number": lambda request, move, connection: (connection.local.rcv_nxt, request.entry(connection)[2]),
}


ONE_FIELD = pytest.mark.parametrize(
    "field",
    [
        pytest.param("checksum", marks=requirement("MOPS-4.1-102")),
        pytest.param("reserved", marks=requirement("MOPS-4.1-103")),
        pytest.param("protocol", marks=requirement("MOPS-4.1-104")),
        pytest.param("previous address", marks=requirement("MOPS-4.1-106")),
        pytest.param("previous port", marks=requirement("MOPS-4.1-108")),
        pytest.param(
            "migrated address, source of the packet", id="migrated address", marks=requirement("MOPS-4.1-110")
        ),
        pytest.param("sequence number", marks=requirement("MOPS-4.1-116")),
    ],
)


@ONE_FIELD
@exclusive
@valid
@requirement(case=1)
def test_field_of_the_migrate(dut: MobileNode, app: Applications, correspondent: Correspondent, field: str) -> None:
    """A field of the Migrate for one TCP connection has the value that follows from the connection and the move."""
    connection = app.connect(correspondent)
    move = dut.move()
    request = dut.request(move, connection)
    expected, seen = FIELDS[field](request, move, connection)
    require(seen == expected, field, expected, seen, request.frame)


@ONE_FIELD
@exclusive
@valid
@requirement(case=11)
def test_field_of_the_second_migrate(
    dut: MobileNode, app: Applications, correspondent: Correspondent, field: str
) -> None:
    """At a second move each field of the Migrate is as right as at the first."""
    connection = app.connect(correspondent)
    dut.complete_move(connection)
    move = dut.move()
    request = dut.request(move, connection)
    expected, seen = FIELDS[field](request, move, connection)
    require(seen == expected, field, expected, seen, request.frame)


@exclusive
@valid
@requirement("MOPS-4.1-101", case=1)
def test_each_server_gets_a_migrate_after_a_move(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """After a move each server gets a Migrate, Version 1, Code 0 or 1."""
    connections = [app.connect(correspondent), app.connect(Correspondent(case))]
    move = dut.move()
    for connection in connections:
        request = dut.migrates(move, connection)
        require(request.message.version == 1, "version", 1, request.message.version, request.frame)
        require(request.message.code in (0, 1), "code", "0 or 1", request.message.code, request.frame)


@exclusive
@valid
@requirement("MOPS-4.1-111", case=1)
def test_connection_receives_at_the_migrated_port(
    dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """What the server sends to the migrated address and port reaches the application."""
    connection = app.connect(correspondent)
    correspondent.reply_success(dut.request(dut.move(), connection), connection)
    connection.local.send(b"to the migrated port")
    dut.application_reads(connection.socket, b"to the migrated port")
    with preamble("the connection does not continue there"):
        dut.continues(connection)


@exclusive
@valid
@requirement("MOPS-4.1-112", case=1)
def test_count_is_that_of_the_entries(dut: MobileNode, app: Applications, correspondent: Correspondent) -> None:
    """Count says how many entries the message carries."""
    connections = [app.connect(correspondent) for _ in range(2)]
    request = dut.request(dut.move(), connections[0])
    entries = (len(request.octets) - HEADER) / ENTRY.size
    require(request.message.count == entries >= 1, "count", entries, request.message.count, request.frame)


@exclusive
@valid
@requirement("MOPS-4.1-113", case=1)
def test_only_sockets_of_that_server_are_listed(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """A Migrate lists sockets connected to the server that it is sent to, each once, and no others."""
    servers = [correspondent, Correspondent(case)]
    connections = [app.connect(server) for server in servers for _ in range(2)]
    move = dut.move()
    dut.request(move, connections[0])
    dut.quiesce()
    known = {connection.previous_port for connection in connections}
    for server in servers:
        own = {connection.previous_port for connection in connections if connection.server is server}
        for request in server.requests(move.mark):
            ports = [previous for previous, _, _ in request.entries]
            with preamble():
                require(known.issuperset(ports), "ports", f"some of {known}", ports, request.frame)
            require(own.issuperset(ports), "ports listed", f"some of {sorted(own)}", ports, request.frame)
            require(len(set(ports)) == len(ports), "ports listed", "each once", ports, request.frame)


@exclusive
@valid
@requirement("MOPS-4.1-113", case=2)
def test_sockets_without_a_connection_are_not_listed(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """Neither a connection whose SYN has no answer nor one refused, reset or closed on both sides is listed."""
    kept = app.connect(correspondent)
    reset, closed = app.connect(correspondent), app.connect(correspondent)
    reset.local.reset()
    closed.local.finish()
    closed.socket.close()
    with preamble():
        dut.closes(closed.local, case.clock.now_ns())
    refused = app.begin_connect(correspondent)
    correspondent.refuse(refused)
    opening = app.begin_connect(correspondent)
    dut.barrier()
    dead = {one.local.remote_port for one in (reset, closed, refused, opening)}
    move = dut.move()
    dut.request(move, kept)
    dut.quiesce()
    for request in correspondent.requests(move.mark):
        listed = dead.intersection(previous for previous, _, _ in request.entries)
        require(not listed, "ports without a connection that are listed", "none", sorted(listed), request.frame)


@exclusive
@valid
@requirement("MOPS-4.1-114", case=1)
def test_every_connection_is_listed(dut: MobileNode, app: Applications, correspondent: Correspondent) -> None:
    """All connections to a server are listed, in one Migrate or several."""
    connections = [app.connect(correspondent) for _ in range(3)]
    move = dut.move()
    for connection in connections:
        dut.migrates(move, connection)


@exclusive
@valid
@requirement("MOPS-4.1-115", case=1)
def test_one_message_or_several(dut: MobileNode, app: Applications, correspondent: Correspondent, case: Case) -> None:
    """Reported: how many Migrates list three connections to one server."""
    connections = [app.connect(correspondent) for _ in range(3)]
    move = dut.move()
    requests = {dut.request(move, connection).frame.index for connection in connections}
    case.values["messages for 3 connections"] = str(len(requests))


@pytest.mark.parametrize(
    "expected",
    [
        pytest.param("between SND.UNA and SND.MAX", marks=requirement("MOPS-4.1-117")),
        pytest.param("SND.NXT", marks=requirement("MOPS-4.1-166")),
    ],
)
@exclusive
@valid
@requirement(case=1)
def test_identifier_with_unacknowledged_data(
    dut: MobileNode, app: Applications, correspondent: Correspondent, case: Case, expected: str
) -> None:
    """With data sent and not acknowledged the entry carries a number of what was sent, and it should be SND.NXT."""
    connection = app.connect(correspondent)
    oldest = connection.local.rcv_nxt
    data = b"sent and never acknowledged"
    deadline = case.deadline(2, connection.socket.send(data))
    with preamble():
        sent = dut.await_segment(connection.local, BEGINNING, lambda one: one.data == data, deadline)
        require(sent is not None, "data of the application", "sent", "none", deadline)
    request = dut.request(dut.move(), connection)
    number, ahead = request.entry(connection)[2], after(request.entry(connection)[2], oldest)
    right = ahead == len(data) if expected == "SND.NXT" else 0 <= ahead <= len(data)
    require(right, f"sequence number, SND.UNA being {oldest}", expected, number, request.frame)


@exclusive
@valid
@requirement("MOPS-4.1-119", case=1)
def test_entry_of_a_socket_without_unique_id_carries_its_sequence_number(
    dut: MobileNode, app: Applications, correspondent: Correspondent, case: Case
) -> None:
    """The entry of a socket without a Unique ID carries its sequence number, also beside a socket that has one."""
    if case.setup.profile.ics.mops.unique_id:
        app.connect(correspondent, unique_id=0x0BADCAFE)
    connection = app.connect(correspondent)
    request = dut.request(dut.move(), connection)
    number, expected = request.entry(connection)[2], connection.local.rcv_nxt
    require(number == expected, "sequence number", expected, number, request.frame)


@exclusive
@valid
@requirement("MOPS-4.1-183", case=1)
def test_hop_limit_reaches_a_far_server(
    dut: MobileNode, app: Applications, correspondent: Correspondent, case: Case
) -> None:
    """The hop limit of a Migrate is 32 at least."""
    connection = app.connect(correspondent)
    request = dut.request(dut.move(), connection)
    hops = request.packet.getfieldval(case.network.hops_field)
    require(hops >= FEWEST_HOPS, "hop limit", f"{FEWEST_HOPS} at least", hops, request.frame)


@exclusive
@valid
@requirement("MOPS-4.1-123", case=1)
def test_time_to_the_migrate_and_to_the_first_data(
    dut: MobileNode, app: Applications, correspondent: Correspondent, case: Case
) -> None:
    """Measured: from the command to move to the Migrate, and from the reply to data on the new tuple."""
    connection = app.connect(correspondent)
    move = dut.move()
    request = dut.request(move, connection)
    case.values["command to Migrate"] = f"{(request.frame.ns - move.ns) / NANO * 1000:.1f} ms"
    replied_ns = correspondent.reply_success(request, connection)
    with preamble():
        dut.continues(connection)
    first = dut.first_segment_from(move, connection, replied_ns)
    case.values["reply to first segment"] = f"{(first.ns - replied_ns) / NANO * 1000:.1f} ms"


@exclusive
@valid
@requirement("MOPS-A-03", case=1)
def test_migrated_ports_are_free_ports(dut: MobileNode, app: Applications, correspondent: Correspondent) -> None:
    """No migrated port is that of another socket that has moved towards the same server."""
    connections = [app.connect(correspondent) for _ in range(3)]
    move = dut.move()
    requests = [dut.request(move, connection) for connection in connections]
    ports = [request.entry(connection)[1] for request, connection in zip(requests, connections, strict=True)]
    require(len(set(ports)) == len(ports), "migrated ports", "each once", ports, *(one.frame for one in requests))
