# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.1: many connections in one message, of several services, opened by either side."""

import pytest

from conformance.mops.dut.server import Server
from conformance.mops.dut.sockets import listen_mobile
from conformance.mops.tester.mobile_node import Connection, MobileNode
from conformance.mops.tester.numbers import wrong_number
from layers.mops import FAILED, MIGRATE, MIGRATE_ATOMIC, SUCCESS
from testbed import invalid, requirement, valid
from testbed.case.case import Case
from testbed.case.verdict import require
from testbed.device.application import Application
from testbed.peers.connection import accept, await_syn, new_peer

BOTH_CODES = pytest.mark.parametrize("code", [MIGRATE, MIGRATE_ATOMIC], ids=["best-effort", "atomic"])
MANY = 64
PART = b"from the node"


@BOTH_CODES
@valid
@requirement("MOPS-4.1-221", case=1)
def test_one_message_migrates_many_connections(node: MobileNode, dut: Server, code: int) -> None:
    """One Migrate moves each of 64 connections."""
    connections = [node.connect() for _ in range(MANY)]
    node.move()
    dut.accepts_migrate(node, node.request(*connections, code=code), *connections)


@pytest.mark.parametrize("bad", [0, MANY - 1], ids=["first", "last"])
@invalid
@requirement("MOPS-4.1-221", case=2)
def test_one_of_many_rolls_all_back(node: MobileNode, dut: Server, case: Case, bad: int) -> None:
    """In an atomic Migrate of 64 connections a wrong entry, the first or the last, leaves all where they were."""
    connections = [node.connect() for _ in range(MANY)]
    node.move()
    entries = [node.entry(connection) for connection in connections]
    entries[bad] = (*entries[bad][:2], wrong_number(case, connections[bad], 2))
    request = node.send_migrate(*connections, code=MIGRATE_ATOMIC, entries=entries)
    dut.refuses(request, *connections)


@BOTH_CODES
@valid
@requirement("MOPS-4.1-236", case=1)
def test_connections_to_several_services_migrate(
    case: Case, node: MobileNode, dut: Server, app: Application, code: int
) -> None:
    """One Migrate moves connections that the node has to different services of the server."""
    services = [listen_mobile(case, app, service="echo").port for _ in range(2)]
    connections = [node.connect(), *(node.connect(remote_port=port) for port in services)]
    node.move()
    dut.accepts_migrate(node, node.request(*connections, code=code), *connections)


@valid
@requirement("MOPS-4.1-237", case=1)
def test_connection_that_the_server_has_opened_migrates(
    case: Case, node: MobileNode, dut: Server, app: Application
) -> None:
    """A connection that an application of the server opened to the node migrates like one that it accepted."""
    port, since = node.new_port(), case.mark()
    choices = {"mobile_allowed": True} if case.setup.profile.ics.mops.mobile_allowed else {}
    connecting = app.connect(node.address, port, **choices)
    syn = await_syn(case, node.station, port, since)
    peer = new_peer(case, node.station, port, syn.source_port, options=node.handshake_options())
    accept(case, peer, syn)
    socket = connecting.socket()
    connection = Connection(peer)
    node.move()
    request = node.send_migrate(connection)
    dut.answers(request, SUCCESS)
    node.rebind(request, connection)
    peer.send(PART)
    dut.application_reads(socket, PART)
    dut.delivers(peer, b"and back", socket.send(b"and back"))


@BOTH_CODES
@invalid
@requirement("MOPS-4.1-39", case=2)
def test_message_of_unknown_sockets_lists_all(node: MobileNode, dut: Server, code: int) -> None:
    """A full Migrate of which no entry names a socket is answered "failed" and lists every entry, in order."""
    node.move()
    message = node.full_request()
    message.code = code
    request = node.send(message)
    frame, reply = dut.answers(request, FAILED)
    require(reply.entries == request.entries, "entries", f"all {len(request.entries)}", len(reply.entries), frame)
