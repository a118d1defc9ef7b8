# SPDX-License-Identifier: GPL-2.0-or-later
"""Sections 4.1 and 7: Unique IDs of TCP sockets, at a server."""

from typing import Any

import pytest

from conformance.mops.dut.server import Server
from conformance.mops.dut.sockets import listen_mobile
from conformance.mops.migrate import SentMigrate, next_unique_id
from conformance.mops.tester.mobile_node import Connection, MobileNode
from conformance.mops.tester.numbers import HALF_THE_SPACE
from layers.mops import MIGRATE_ATOMIC, SUCCESS
from testbed import invalid, requirement, valid, waits
from testbed.device.application import Application
from testbed.peers.sequence import SEQUENCE_SPACE

UNIQUE_ID = 0x51AC0FFE
LOWEST, HIGHEST = 0, 0xFFFFFFFF


def connect(node: MobileNode, app: Application, unique_id: int, **choices: Any) -> Connection:
    """A connection whose socket is mobile and has a Unique ID."""
    return node.connect(remote_port=listen_mobile(node.case, app, service="echo", unique_id=unique_id, **choices).port)


def refuses(node: MobileNode, dut: Server, connection: Connection, identifier: int) -> SentMigrate:
    """The server answers "failed" to this identifier, and the connection is where it was alone; the request."""
    node.move()
    request = node.send_migrate(connection, entries=[node.entry(connection, identifier=identifier)])
    dut.refuses(request, connection)
    return request


def accepts(node: MobileNode, dut: Server, connection: Connection, identifier: int) -> None:
    """The server answers success to this identifier, and the connection continues on the new tuple."""
    node.move()
    message = node.request(connection, entries=[node.entry(connection, identifier=identifier)])
    dut.accepts_migrate(node, message, connection)


@valid
@requirement("MOPS-4.1-82", case=1)
def test_socket_migrates_by_its_unique_id(node: MobileNode, dut: Server, app: Application) -> None:
    """A TCP socket with a Unique ID migrates when the entry carries it."""
    accepts(node, dut, connect(node, app, UNIQUE_ID), UNIQUE_ID)


@invalid
@requirement("MOPS-4.1-83", case=1)
def test_right_sequence_number_is_no_unique_id(node: MobileNode, dut: Server, app: Application) -> None:
    """A socket with a Unique ID refuses the sequence number that it would have accepted without one."""
    connection = connect(node, app, UNIQUE_ID)
    refuses(node, dut, connection, connection.local.snd_nxt)


@pytest.mark.parametrize(
    "other",
    [UNIQUE_ID + 1, UNIQUE_ID - 1, UNIQUE_ID ^ 1 << 31, UNIQUE_ID & 0xFFFF, UNIQUE_ID & 0xFFFF0000, 0xFE0FAC51],
    ids=["one more", "one less", "first bit", "low half", "high half", "bytes reversed"],
)
@invalid
@requirement("MOPS-4.1-84", case=1)
def test_other_unique_id_is_refused(node: MobileNode, dut: Server, app: Application, other: int) -> None:
    """A Unique ID that differs anywhere in its 32 bits is refused."""
    refuses(node, dut, connect(node, app, UNIQUE_ID), other)


@pytest.mark.parametrize("edge", [LOWEST, HIGHEST], ids=["0", "0xffffffff"])
@invalid
@requirement("MOPS-4.1-85", case=1)
def test_no_unique_id_is_a_wildcard(node: MobileNode, dut: Server, app: Application, edge: int) -> None:
    """0 and 0xffffffff are refused where another Unique ID is required, and accepted where they are required."""
    refuses(node, dut, connect(node, app, UNIQUE_ID), edge)
    accepts(node, dut, connect(node, app, edge), edge)


@invalid
@requirement("MOPS-4.1-86", case=1)
def test_unique_id_of_another_socket_is_refused(node: MobileNode, dut: Server, app: Application) -> None:
    """A socket without a Unique ID refuses that of another socket of the same node."""
    plain = node.connect()
    # Far from the sequence number, so that it is refused for what it is.
    other = (plain.local.snd_nxt + HALF_THE_SPACE) % SEQUENCE_SPACE
    connect(node, app, other)
    refuses(node, dut, plain, other)


@valid
@requirement("MOPS-7-05", case=1)
def test_socket_migrates_by_the_unique_id_that_its_application_gave(
    node: MobileNode, dut: Server, app: Application
) -> None:
    """Two sockets with a Unique ID each migrate by their own."""
    connections = {one: connect(node, app, one) for one in (7, UNIQUE_ID)}
    for unique_id, connection in connections.items():
        accepts(node, dut, connection, unique_id)


def migrate_once(node: MobileNode, dut: Server, app: Application) -> Connection:
    """A connection with a one-time Unique ID that has been used."""
    connection = connect(node, app, UNIQUE_ID, one_time=True)
    node.move()
    request = node.send_migrate(connection, entries=[node.entry(connection, identifier=UNIQUE_ID)])
    dut.reply_to(request, SUCCESS)
    node.rebind(request, connection)
    node.rest()
    return connection


@waits(6)
@invalid
@requirement("MOPS-4.1-89", case=2)
def test_one_time_unique_id_is_refused_afterwards(node: MobileNode, dut: Server, app: Application) -> None:
    """After one success the same Unique ID is refused."""
    refuses(node, dut, migrate_once(node, dut, app), UNIQUE_ID)


@waits(6)
@valid
@requirement("MOPS-4.1-90", case=2)
def test_next_one_time_unique_id_is_accepted(node: MobileNode, dut: Server, app: Application) -> None:
    """After one success the next Unique ID of the sequence is accepted."""
    accepts(node, dut, migrate_once(node, dut, app), next_unique_id(UNIQUE_ID))


@waits(6)
@invalid
@requirement("MOPS-4.1-210", case=1)
def test_refused_attempt_does_not_use_a_one_time_unique_id_up(node: MobileNode, dut: Server, app: Application) -> None:
    """After an attempt that was refused the same one-time Unique ID is still the one that is accepted."""
    connection = connect(node, app, UNIQUE_ID, one_time=True)
    refuses(node, dut, connection, UNIQUE_ID + 1)
    node.rest()
    accepts(node, dut, connection, UNIQUE_ID)


@waits(6)
@invalid
@requirement("MOPS-4.1-210", case=2)
def test_rolled_back_entry_does_not_use_a_one_time_unique_id_up(
    node: MobileNode, dut: Server, app: Application
) -> None:
    """Nor does an entry that was rolled back because another one of the same message failed."""
    connection, other = connect(node, app, UNIQUE_ID, one_time=True), connect(node, app, UNIQUE_ID)
    node.move()
    entries = [node.entry(connection, identifier=UNIQUE_ID), node.entry(other, identifier=UNIQUE_ID + 1)]
    request = node.send_migrate(connection, other, code=MIGRATE_ATOMIC, entries=entries)
    dut.refuses(request, connection, other)
    node.rest()
    accepts(node, dut, connection, UNIQUE_ID)
