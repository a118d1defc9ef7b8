# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.1: Migrate messages that name something that is not there, or that another connection has."""

from collections.abc import Callable
from typing import Any

import pytest

from conformance.mops.dut.server import Server
from conformance.mops.tester.mobile_node import Connection, MobileNode
from layers.mops import FAILED
from testbed import inopportune, invalid, requirement, valid, waits
from testbed.case.case import Case
from testbed.case.expect import preamble
from testbed.device.application import Application
from testbed.peers.connection import half_open
from testbed.peers.sequence import SEQUENCE_SPACE
from testbed.peers.tcp import TcpPeer
from testbed.wire.headers import UDP_PROTOCOL

A_NEW_CLOCK = 10_000_000
"""How far the first number of a new connection lies above the last one of the tuple before (RFC 9293, 3.4.1)."""


@invalid
@requirement("MOPS-4.1-40", case=1)
def test_wrong_previous_address_is_refused(node: MobileNode, dut: Server, case: Case) -> None:
    """Right port and sequence number with another previous address: refused, nothing moves."""
    connection = node.connect()
    node.move()
    dut.refuses(node.send_migrate(connection, previous_source=case.station().address), connection)


@waits(6)
@invalid
@requirement("MOPS-4.1-40", case=11)
def test_tuple_that_was_left_names_a_connection_no_more(node: MobileNode, dut: Server) -> None:
    """The tuple that a connection had before it migrated, and the right number: refused, it stays where it is."""
    connection = node.connect()
    left = connection.local.port
    node.migrate(connection)
    node.rest()
    node.move()
    entry = node.entry(connection, previous_port=left)
    request = node.send_migrate(connection, previous_source=node.home.address, entries=[entry])
    dut.refuses(request, connection)


@pytest.mark.parametrize("offset", [1, -1, 256])
@invalid
@requirement("MOPS-4.1-41", case=1)
def test_wrong_previous_port_is_refused(node: MobileNode, dut: Server, offset: int) -> None:
    """Right address and sequence number with another previous port: refused, nothing moves."""
    connection = node.connect()
    node.move()
    entry = node.entry(connection, previous_port=connection.local.port + offset)
    dut.refuses(node.send_migrate(connection, entries=[entry]), connection)


@invalid
@requirement("MOPS-4.1-42", case=2)
def test_protocol_of_another_socket_is_refused(node: MobileNode, dut: Server) -> None:
    """UDP instead of TCP: refused, nothing moves."""
    connection = node.connect()
    node.move()
    dut.refuses(node.send_migrate(connection, protocol=UDP_PROTOCOL), connection)


@pytest.mark.parametrize("protocol", [0, 5, 7, 132, 6 + 256, 0x3FFF])
@invalid
@requirement("MOPS-4.1-204", case=1)
def test_unknown_protocol_remaps_nothing(node: MobileNode, dut: Server, protocol: int) -> None:
    """A protocol that the host need not have: nothing moves, whatever is answered."""
    connection = node.connect()
    node.move()
    request = node.send_migrate(connection, protocol=protocol)
    dut.collect_replies(request.mark)
    dut.leaves_alone(request, connection)


@pytest.mark.parametrize("end", ["reset", "closed by both"])
@inopportune
@requirement("MOPS-4.1-43", case=1)
def test_closed_connection_is_refused(node: MobileNode, dut: Server, end: str) -> None:
    """An entry for a connection that has ended is refused."""
    connection = node.connect()
    if end == "reset":
        connection.local.reset()
    else:
        with preamble():
            dut.closes(connection.local, connection.local.finish().ns)
    dut.barrier()
    node.move()
    request = node.send_migrate(connection)
    dut.answers(request, FAILED)
    dut.new_tuple_is_dead(connection, node.station, request.entries[0][1])


@inopportune
@requirement("MOPS-4.1-94", case=2)
def test_half_open_connection_is_refused(node: MobileNode, dut: Server, case: Case) -> None:
    """An entry for a connection whose handshake is not complete is refused, and the handshake can be completed."""
    dut.refuses_until_it_is_open(node, Connection(half_open(case, node.new_peer())))


@inopportune
@requirement("MOPS-4.1-44", case=1)
def test_migrated_tuple_in_use_is_refused(node: MobileNode, dut: Server) -> None:
    """An entry to a tuple that another connection has is refused, and both connections continue."""
    connection = node.connect()
    node.move()
    other = node.connect()
    entry = node.entry(connection, migrated_port=other.local.port)
    dut.answers(node.send_migrate(connection, entries=[entry]), FAILED)
    dut.serves(connection)
    dut.serves(other)


def leave(node: MobileNode) -> tuple[Connection, TcpPeer]:
    """A connection that has migrated, and another one at its old tuple with larger sequence numbers."""
    connection = node.connect()
    port, following = connection.local.port, connection.local.snd_nxt + A_NEW_CLOCK
    node.migrate(connection)
    node.return_to(node.home)
    service = connection.local.remote_port
    return connection, node.new_peer(port, service, initial_sequence=following % SEQUENCE_SPACE)


@inopportune
@requirement("MOPS-4.1-45", case=2)
def test_new_connection_on_the_old_tuple_is_served(node: MobileNode, dut: Server) -> None:
    """Somebody else who gets the previous address and port opens a connection to the same service."""
    _, new = leave(node)
    dut.accepts_new_connection(new)


@inopportune
@requirement("MOPS-4.1-46", case=2)
def test_new_connection_on_the_old_tuple_and_migrated_one_are_kept_apart(node: MobileNode, dut: Server) -> None:
    """A new connection on the old tuple and the migrated one each get their own bytes, also after one has ended."""
    connection, new = leave(node)
    if not dut.takes_new_connection(new):  # the old tuple rests for a while, as in TIME-WAIT
        dut.serves(connection)
        return
    for number in range(3):
        dut.serves(connection, data=b"migrated %d" % number)
        dut.serves(new, data=b"new %d" % number)
    new.reset()
    dut.serves(connection, data=b"migrated, alone")


@valid
@requirement("MOPS-4.1-47", case=1)
def test_service_accepts_others_after_a_migration(node: MobileNode, dut: Server) -> None:
    """After a migration the service accepts connections from other addresses and ports."""
    connection = node.connect()
    node.migrate(connection)
    dut.accepts_new_connection(node.new_peer())
    node.move()
    dut.accepts_new_connection(node.new_peer())


@inopportune
@requirement("MOPS-4.1-48", case=1)
def test_one_source_port_with_two_services(node: MobileNode, dut: Server, app: Application, case: Case) -> None:
    """Reported: which of two connections from one address and port moves."""
    second_port = app.listen(service="echo").port
    first = node.connect()
    second = node.connect(port=first.local.port, remote_port=second_port)
    node.move()
    request = node.send_migrate(second)
    case.values["answer"] = dut.collect_replies(request.mark)
    case.values["first connection still at the old tuple"] = str(dut.is_served(first))
    case.values["second connection still at the old tuple"] = str(dut.is_served(second))


@inopportune
@requirement("MOPS-4.1-49", case=1)
def test_migrated_address_is_not_the_packets_source(node: MobileNode, dut: Server, case: Case) -> None:
    """Reported: whether a third party's address can be given, so that traffic is redirected to it."""
    connection = node.connect()
    node.move()
    third = case.station()
    request = node.send_migrate(connection, migrated_source=third.address)
    answer = dut.collect_replies(request.mark)
    case.values["answer"] = answer
    case.values["traffic can be redirected to a third party"] = "yes" if answer == "success" else "no"


def zero(case: Case) -> dict[str, Any]:
    return {"migrated_source": 0}


def own_address(case: Case) -> dict[str, Any]:
    return {"migrated_source": case.network.dut}


def all_ones(case: Case) -> dict[str, Any]:
    return {"migrated_source": (1 << 50) - 1 if case.network.name == "ipff" else "255.255.255.255"}


@pytest.mark.parametrize("address", [zero, own_address, all_ones], ids=["zero", "server's own", "all ones"])
@invalid
@requirement("MOPS-4.1-50", case=1)
def test_impossible_migrated_address(
    node: MobileNode, dut: Server, case: Case, address: Callable[[Case], dict[str, Any]]
) -> None:
    """Reported: the answer to a migrated address that no mobile node can have."""
    connection = node.connect()
    node.move()
    case.values["answer"] = dut.collect_replies(node.send_migrate(connection, **address(case)).mark)


@invalid
@requirement("MOPS-4.1-50", case=2)
def test_migrated_port_zero(node: MobileNode, dut: Server, case: Case) -> None:
    """Reported: the answer to migrated port 0."""
    connection = node.connect()
    node.move()
    entry = (connection.local.port, 0, connection.local.snd_nxt)
    case.values["answer"] = dut.collect_replies(node.send_migrate(connection, entries=[entry]).mark)


@inopportune
@requirement("MOPS-4.1-51", case=1)
def test_migrated_tuple_equals_the_previous_one(node: MobileNode, dut: Server, case: Case) -> None:
    """Reported: the answer to a Migrate that changes nothing."""
    connection = node.connect()
    entry = node.entry(connection, migrated_port=connection.local.port)
    case.values["answer"] = dut.collect_replies(node.send_migrate(connection, entries=[entry]).mark)
    case.values["connection alive"] = str(dut.is_served(connection))
