# SPDX-License-Identifier: GPL-2.0-or-later
"""Sections 3, 4 and 8: applications, listening sockets, peers without TCP Rehash, and both ends moving at once."""

from typing import Any

import pytest

from conformance.rehash.dut.host import DutHost
from conformance.rehash.tester.connection import Connection, SentSegment
from conformance.rehash.tester.host import RehashHost
from testbed import exclusive, inopportune, requirement, valid, waits
from testbed.case.case import Case
from testbed.case.verdict import Witness, require
from testbed.device.application import Application
from testbed.peers.connection import new_peer
from testbed.peers.host import Move
from testbed.peers.stream import fitting
from testbed.wire import chance

UNUSED_PORTS = range(30_000, 32_000)
"""Below those that the system gives to sockets; a device that has a service there does no harm either."""


@pytest.mark.parametrize("mover", ["device", "tester"])
@exclusive
@valid
@requirement("REHASH-3-01", case=1)
def test_application_keeps_its_socket(node: RehashHost, dut: DutHost, app: Application, mover: str) -> None:
    """The application reads and writes the same socket before and after two moves, without an error."""
    connection = node.connect_to(app)
    dut.serves(connection, data=b"before")
    for _ in range(2):
        if mover == "tester":
            node.rehash(connection)
        else:
            move = dut.move()
            require(connection.socket.entry(), "socket of the application", "open", "gone", Witness.APPLICATION)
            dut.application_takes(connection.socket, b"after")
            dut.await_first_segment(move, connection.local)
            node.follow_move(connection, move)
            dut.retransmits(connection, b"after")
        dut.serves(connection, data=b"after")
        require(connection.socket.entry(), "socket of the application", "open", "gone", Witness.APPLICATION)


@pytest.mark.parametrize("carries", ["REHASH-INIT", "no option"])
@inopportune
@requirement("REHASH-3-01", case=2)
def test_syn_to_a_port_without_service_harms_no_connection(
    node: RehashHost, dut: DutHost, case: Case, carries: str
) -> None:
    """A SYN, with REHASH-INIT or without, to a port without service is no concern of other connections."""
    connection = node.connect()
    node.exchange(connection)
    port = UNUSED_PORTS[chance.randbelow(len(UNUSED_PORTS))]
    peer = node.new_peer(remote_port=port) if carries == "REHASH-INIT" else new_peer(case, node.station, 0, port)
    peer.start()
    dut.quiesce()
    dut.serves(connection)
    node.move()
    dut.rehashes(connection, node.send_rehash_addr(connection))
    node.exchange(node.connect())


@pytest.mark.parametrize(
    "listening",
    [
        pytest.param("bound", marks=requirement("REHASH-8-01", case=1)),
        pytest.param("unbound", marks=requirement("REHASH-8-02", case=1)),
    ],
)
@exclusive
@valid
def test_listener_accepts_connections_after_a_move(
    node: RehashHost, dut: DutHost, app: Application, listening: str
) -> None:
    """A service bound to the old address, or to any address, accepts connections at the new one after a move."""
    address: dict[str, Any] = {"address": dut.address} if listening == "bound" else {}
    listener = app.listen(service="echo", **address)
    node.exchange(node.connect(remote_port=listener.port))
    dut.move()
    dut.serves(dut.accepts_connection_of(node, remote_port=listener.port))


@pytest.mark.parametrize("opener", ["tester", "device"])
@valid
@requirement("REHASH-8-03", case=1)
def test_peer_without_rehash(node: RehashHost, dut: DutHost, opener: str) -> None:
    """With a peer that neither sends nor answers Rehash options a connection carries data and closes."""
    connection = node.connect_plainly() if opener == "tester" else dut.establishes(node, node.await_syn(dut.app))
    for size in (1, 100, 1400):
        dut.serves(connection, data=bytes(size))
    dut.serves(connection, data=b"final bytes")
    if opener == "device":
        connection.socket.close()
        dut.sends_fin(connection)
    else:
        dut.closes(connection.local, connection.local.finish().ns)
    dut.moves_an_ordinary_connection()


@valid
@requirement("REHASH-8-03", case=2)
@waits(1.5)
def test_peer_without_rehash_and_losses(node: RehashHost, dut: DutHost) -> None:
    """Data for a peer without Rehash that is lost is retransmitted."""
    connection = node.connect_plainly()
    half = fitting(connection.local) // 2
    data = (bytes(range(251)) * 6)[: 2 * half]
    connection.local.send(data[:half])
    dut.barrier()
    connection.local.drop_unread()
    connection.local.send(data[half:])
    dut.retransmits(connection, data)
    dut.moves_an_ordinary_connection()


def move_both(node: RehashHost, dut: DutHost, connection: Connection) -> tuple[Move, SentSegment]:
    """Move the tester and the device at once: each REHASH-ADDR goes to an address that its peer has left."""
    node.move()
    move = dut.move()
    connection.socket.send(b"both have moved")
    return move, node.send_rehash_addr(connection)


@exclusive
@inopportune
@requirement("REHASH-4-01", case=1)
def test_both_ends_move_at_once(node: RehashHost, dut: DutHost, app: Application, case: Case) -> None:
    """Reported: what becomes of a connection whose two ends move at the same time."""
    connection = node.connect_to(app)
    move, sent = move_both(node, dut, connection)
    case.values["answer to the tester's REHASH-ADDR"] = dut.response_to(sent)
    repeated = [one for one in dut.segments(connection.local, move.mark) if one.rehash_addr]
    case.values["REHASH-ADDR to where the tester was"] = str(len(repeated))
    case.values["socket of the application afterwards"] = str(connection.socket.entry().get("state", "gone"))


@exclusive
@inopportune
@requirement("REHASH-4-02", case=1)
@waits(15)
def test_connection_lost_by_two_moves_is_closed(node: RehashHost, dut: DutHost, app: Application) -> None:
    """A connection that neither end can find any more is closed in the end, and another one continues."""
    dut.max_retries()
    lost, other = node.connect_to(app), node.connect_to(app)
    move, _ = move_both(node, dut, lost)
    dut.await_rehash_addr(move, lost.local)
    asked_ns = other.socket.send(b"I have moved")
    node.follow_move(other, move)
    dut.delivers_on(other, b"I have moved", asked_ns)
    dut.gives_up(lost)
    dut.serves(other)
