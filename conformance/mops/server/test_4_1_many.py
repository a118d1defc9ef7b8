# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.1: many connections in one message, of several services."""

import pytest

from conformance.mops.dut.server import Server
from conformance.mops.dut.sockets import listen_mobile
from conformance.mops.tester.mobile_node import MobileNode
from conformance.mops.tester.numbers import wrong_number
from layers.mops import FAILED, MIGRATE, MIGRATE_ATOMIC
from testbed import invalid, requirement, valid
from testbed.case.case import Case
from testbed.case.verdict import require
from testbed.device.application import Application

BOTH_CODES = pytest.mark.parametrize("code", [MIGRATE, MIGRATE_ATOMIC], ids=["best-effort", "atomic"])
MANY = 64


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
