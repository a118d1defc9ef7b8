# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 6.2: streams across a move of the peer: openers, numbers, windows, bulk, order, and what follows later."""

from typing import Any

import pytest

from conformance.rehash.dut.host import DutHost
from conformance.rehash.tester.connection import Connection
from conformance.rehash.tester.host import RehashHost
from conformance.rehash.tester.state import rehash_addr
from testbed import inopportune, requirement, valid, waits
from testbed.case.case import Case
from testbed.device.application import Application
from testbed.peers.sequence import SEQUENCE_SPACE

BULK = bytes(range(251)) * 160
"""About 40 kB: many initial windows."""

MANY, MOVES = 20, 10
PIECES, PIECE = 50, 400
FIRST, SECOND = b"the first of two, ", b"the second"
HANDSHAKE_AND_HELLO = 6
"""Numbers that the tester's SYN and its first data take."""


@valid
@requirement("REHASH-6.2-16", case=4)
def test_bulk_follows_the_move(node: RehashHost, dut: DutHost, app: Application) -> None:
    """A transfer of many windows that begins after the peer has moved is complete."""
    connection = node.connect_to(app)
    node.rehash(connection)
    sending = connection.socket.begin_send(BULK)
    dut.completes(connection, BULK)
    sending.result()
    dut.serves(connection)


@valid
@requirement("REHASH-6.2-16", case=5)
@waits(1)
def test_bulk_in_flight_at_the_move(node: RehashHost, dut: DutHost, app: Application) -> None:
    """A transfer of which everything in flight is lost at the old address is complete at the new one."""
    connection = node.connect_to(app)
    dut.serves(connection)
    connection.local.drop_incoming()
    sending = connection.socket.begin_send(BULK)
    dut.barrier()
    node.rehash(connection)
    dut.completes(connection, BULK)
    sending.result()
    dut.serves(connection)


@valid
@requirement("REHASH-6.2-16", case=6)
def test_connection_that_the_device_opened_moves(node: RehashHost, dut: DutHost, app: Application) -> None:
    """A connection that the device has opened follows its peer, twice."""
    connection = node.accept_from(app)
    dut.serves(connection)
    for _ in range(2):
        node.move()
        dut.continues(connection, node.send_rehash_addr(connection))


@valid
@requirement("REHASH-6.2-16", case=7)
def test_many_connections_move(node: RehashHost, dut: DutHost) -> None:
    """Each of many connections of one peer follows it."""
    connections = node.as_many_as_open(node.connect, MANY)
    node.move()
    for connection in connections:
        dut.rehashes(connection, node.send_rehash_addr(connection))
    dut.serves(*connections)


@valid
@requirement("REHASH-6.2-16", case=12)
def test_many_small_exchanges_follow_the_move(node: RehashHost, dut: DutHost) -> None:
    """A connection that has moved carries small pieces both ways, each acknowledged in full, beyond any window."""
    connection = node.connect()
    node.rehash(connection)
    for number in range(PIECES):
        dut.serves(connection, data=bytes([number]) * PIECE)


@pytest.mark.parametrize("before", [b"", b"1", b"hello"], ids=["nothing", "a byte", "more"])
@valid
@requirement("REHASH-6.2-16", case=13)
@waits(1)
def test_first_flight_at_the_new_address_is_lost(
    node: RehashHost, dut: DutHost, app: Application, before: bytes
) -> None:
    """A transfer whose first flight to the new address is lost is complete, whatever was sent before the move."""
    connection = node.connect_to(app)
    if before:
        dut.serves(connection, data=before)
        connection.local.acknowledge()
    node.rehash(connection)
    sending = connection.socket.begin_send(BULK)
    lose_flight(dut, connection)
    dut.completes(connection, BULK)
    sending.result()


def lose_flight(dut: DutHost, connection: Connection) -> None:
    """All that the device sends at once is lost on the way."""
    dut.quiesce()
    connection.local.drop_unread()


@pytest.mark.parametrize("following", [0, 4, 100], ids=["at 0", "in the data", "later"])
@valid
@requirement("REHASH-6.2-16", case=8)
def test_sequence_numbers_wrap_at_the_move(node: RehashHost, dut: DutHost, following: int) -> None:
    """REHASH-ADDR moves a connection whose sequence numbers pass 2^32 with it, in its data, or soon afterwards."""
    first = (SEQUENCE_SPACE - HANDSHAKE_AND_HELLO - following) % SEQUENCE_SPACE
    connection = node.connect(initial_sequence=first)
    node.exchange(connection)
    node.move()
    dut.continues(connection, node.send_rehash_addr(connection, b"across zero"))
    dut.serves(connection, data=bytes(200))


@pytest.mark.parametrize("window", [0, 1])
@pytest.mark.parametrize("opens", ["with REHASH-ADDR", "later"])
@inopportune
@requirement("REHASH-6.2-16", case=9)
def test_window_is_shut_at_the_move(node: RehashHost, dut: DutHost, app: Application, window: int, opens: str) -> None:
    """Data that waits for the peer's window at the move comes to the new address when the window opens there."""
    connection = node.connect_to(app)
    dut.serves(connection)
    connection.local.acknowledge(window=window)
    dut.barrier()
    connection.local.drop_incoming()
    connection.socket.send(b"waits for a window")
    dut.barrier()
    node.move()
    end = connection.local.at(node.station)
    shut: dict[str, Any] = {"window": window} if opens == "later" else {}
    sent = node.send(end, "A", options=[rehash_addr(end, connection.address)], **shut)
    node.await_init(sent)
    connection.rebind(sent)
    connection.local.acknowledge()
    dut.retransmits(connection, b"waits for a window")
    dut.serves(connection)


@inopportune
@requirement("REHASH-6.2-39", case=3)
def test_data_out_of_order_at_the_move(node: RehashHost, dut: DutHost, app: Application) -> None:
    """Data out of order before the move, and the gap in front of it after it, are delivered once and in order."""
    connection = node.connect_to(app)
    connection.local.send_out_of_window(SECOND, len(FIRST))
    dut.barrier()
    node.rehash(connection)
    connection.local.send(FIRST)
    connection.local.send(SECOND)
    dut.application_reads(connection.socket, FIRST + SECOND)
    dut.serves(connection)


@valid
@requirement("REHASH-6.2-16", case=10)
@waits(0.6)
def test_nothing_follows_later(node: RehashHost, dut: DutHost, app: Application, case: Case) -> None:
    """Half a second after REHASH-INIT, and after a second move, the connection is where it has moved to."""
    connection = node.connect_to(app)
    for _ in range(2):
        node.rehash(connection)
        mark = case.mark()
        case.watch(0.6)
        dut.serves(connection)
        dut.expect_silence(connection.previous[-1], mark)


@valid
@requirement("REHASH-6.2-29", case=2)
def test_one_source_port_to_two_services(node: RehashHost, dut: DutHost, app: Application) -> None:
    """Of two connections with one source port to two services, REHASH-ADDR moves its own."""
    listener = app.listen(service="echo")
    moved = node.connect()
    other = node.connect(port=moved.local.port, remote_port=listener.port)
    node.exchange(moved, other)
    node.rehash(moved)
    dut.serves(other, data=b"still at the old address")
    dut.rehashes(other, node.send_rehash_addr(other))
    dut.serves(moved)


@valid
@requirement("REHASH-6.2-41", case=1)
def test_many_moves_of_the_peer(node: RehashHost, dut: DutHost) -> None:
    """After ten moves of the peer in a row the connection continues where it is last."""
    connection = node.connect()
    for _ in range(MOVES):
        node.move()
        dut.rehashes(connection, node.send_rehash_addr(connection))
    dut.is_dead_at(connection.previous[0], connection)
    dut.serves(connection, data=b"these bytes have the same numbers")


@inopportune
@requirement("REHASH-6.2-41", case=2)
def test_return_home(node: RehashHost, dut: DutHost) -> None:
    """A peer that returns to its first address, and leaves again, is followed."""
    connection = node.connect()
    home = node.home
    for _ in range(2):
        node.rehash(connection)
        dut.serves(connection, data=b"away")
        node.station = home
        sent = node.send_rehash_addr(connection)
        dut.rehashes(connection, sent, b"at home")
