# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 6.2, REHASH-ADDR exchange: the host that has moved and has no answer yet. Every case has its own device."""

import pytest

from conformance.rehash.dut.host import DutHost
from conformance.rehash.tester.host import RehashHost
from testbed import exclusive, inopportune, requirement, valid, waits
from testbed.case.case import Case
from testbed.case.verdict import require, require_none
from testbed.device.application import Application

pytestmark = exclusive

MANY, FEW, MOVES = 20, 3, 10


@pytest.mark.parametrize(
    "field",
    [
        pytest.param("nonce", marks=requirement("REHASH-6.2-02")),
        pytest.param("old", marks=requirement("REHASH-6.2-03")),
        pytest.param("new", marks=requirement("REHASH-6.2-04")),
    ],
)
@valid
@requirement(case=2)
@waits(1)
def test_field_of_every_repeat(node: RehashHost, dut: DutHost, app: Application, field: str) -> None:
    """REHASH-ADDR that nobody answers says the same each time, on segments with and without data."""
    connection = node.connect_to(app)
    announced = dut.move_with_data(connection)
    second = dut.await_repeat(connection, announced.segment)
    dut.await_repeat(connection, second)
    for segment in dut.segments(connection.local, announced.move.mark):
        if segment.rehash_addr:
            expected = {"nonce": connection.state.nonce, "old": announced.move.old, "new": segment.source}[field]
            seen = getattr(segment.rehash_addr, field)
            require(seen == expected, f"{field} of REHASH-ADDR", expected, seen, segment.frame)


@valid
@requirement("REHASH-6.2-02", case=3)
def test_nonce_zero_is_a_nonce(node: RehashHost, dut: DutHost, app: Application) -> None:
    """A peer whose nonce is 0 is told of the move, with that nonce."""
    connection = node.connect_to(app, options=[node.new_state(nonce=0)])
    move = dut.move()
    connection.socket.send(b"I have moved")
    segment, option = dut.announces(move, connection.local)
    require(option.nonce == 0, "nonce of REHASH-ADDR", 0, option.nonce, segment.frame)


@valid
@requirement("REHASH-6.2-01", case=3)
def test_many_connections_are_announced(node: RehashHost, dut: DutHost, app: Application) -> None:
    """A host that moves sends REHASH-ADDR on each of many connections, whichever side has opened them."""
    connections = node.as_many_as_open(lambda: node.connect_to(app), MANY)
    connections += node.as_many_as_open(lambda: node.accept_from(app), FEW)
    move = dut.move()
    for connection in connections:
        connection.socket.send(b"I have moved")
    for connection in connections:
        dut.announces(move, connection.local)
        node.follow_move(connection, move)
    for connection in connections:
        dut.retransmits(connection, b"I have moved")


@pytest.mark.parametrize("opener", ["tester", "device"])
@inopportune
@requirement("REHASH-6.1-09", case=2)
def test_connection_without_init_is_silent_at_the_new_address(
    node: RehashHost, dut: DutHost, app: Application, opener: str
) -> None:
    """A connection on which the peer sent no REHASH-INIT sends nothing from the new address."""
    plain = node.connect_to(app, init=False) if opener == "tester" else node.accept_plainly(app)
    rehashing = node.connect_to(app)
    dut.serves(plain)
    move = dut.move()
    plain.socket.try_send(b"is there anybody")
    rehashing.socket.send(b"I have moved")
    dut.await_rehash_addr(move, rehashing.local)
    node.follow_move(rehashing, move)
    dut.retransmits(rehashing, b"I have moved")
    dut.expect_silence(plain.local, move.mark, source=move.new)


@inopportune
@requirement("REHASH-6.2-36", case=1)
@waits(5)
def test_second_move_after_a_lost_init(node: RehashHost, dut: DutHost, app: Application) -> None:
    """A host that moves on while its REHASH-INIT is lost comes to name the address that the peer has served."""
    connection = node.connect_to(app)
    announced = dut.move_with_data(connection)
    first, second = announced.move, dut.move()
    dut.names(connection, second, first.new)
    node.follow_move(connection, second)
    dut.retransmits(connection, announced.data)
    dut.serves(connection)


@inopportune
@requirement("REHASH-6.2-36", case=2)
@waits(5)
def test_second_move_that_nobody_has_heard_of(node: RehashHost, dut: DutHost, app: Application) -> None:
    """A host that moves on while its REHASH-ADDR is lost comes to name the address that the peer knows."""
    connection = node.connect_to(app)
    announced = dut.move_with_data(connection)
    second = dut.move()
    dut.names(connection, second, announced.move.old)
    node.follow_move(connection, second)
    dut.retransmits(connection, announced.data)
    dut.serves(connection)


@inopportune
@requirement("REHASH-6.2-37", case=1)
@waits(1)
def test_reset_answers_rehash_addr(node: RehashHost, dut: DutHost, app: Application, case: Case) -> None:
    """A reset from a peer that has no such connection any more ends the repeating of REHASH-ADDR."""
    connection, other = node.connect_to(app), node.connect_to(app)
    move = dut.move()
    dut.await_rehash_addr(move, connection.local)
    connection.local.follow_remote(move.new, move.mark)
    connection.local.read()
    connection.local.reset()
    dut.reports_the_end(connection)
    mark = case.mark()
    case.watch(1.0)
    frames = [one.frame for one in dut.segments(connection.local, mark) if one.rehash_addr]
    require_none("REHASH-ADDR after a reset", frames)
    node.follow_move(other, move)
    dut.serves(other)


@pytest.mark.parametrize("answered", [True, False], ids=["each acknowledged", "only the last acknowledged"])
@valid
@requirement("REHASH-6.2-41", case=3)
@waits(5)
def test_many_moves_of_the_device(node: RehashHost, dut: DutHost, app: Application, answered: bool) -> None:
    """After ten moves of the device in a row the connection continues at its last address."""
    connection = node.connect_to(app)
    for _ in range(MOVES - 1):
        move = dut.move()
        if answered:
            node.follow_move(connection, move)
            dut.serves(connection)
    last = dut.move()
    connection.socket.send(b"here I stay")
    dut.announces(last, connection.local)
    node.follow_move(connection, last)
    dut.retransmits(connection, b"here I stay")
    dut.serves(connection)


@inopportune
@requirement("REHASH-6.2-11", case=2)
def test_window_is_shut_when_the_device_moves(node: RehashHost, dut: DutHost, app: Application) -> None:
    """A device that moves while its peer's window is shut announces that, and its data comes when the window opens."""
    connection = node.connect_to(app)
    dut.serves(connection)
    connection.local.acknowledge(window=0)
    dut.barrier()
    connection.socket.send(b"waits for a window")
    move = dut.move()
    dut.announces(move, connection.local)
    node.follow_move(connection, move)
    connection.local.acknowledge()
    dut.retransmits(connection, b"waits for a window")
    dut.serves(connection)


@valid
@requirement("REHASH-6.2-11", case=3)
@waits(1)
def test_bulk_in_flight_when_the_device_moves(node: RehashHost, dut: DutHost, app: Application) -> None:
    """A transfer of which everything in flight is lost when the device moves is complete."""
    connection = node.connect_to(app)
    dut.serves(connection)
    connection.local.drop_incoming()
    data = bytes(range(251)) * 160
    sending = connection.socket.begin_send(data)
    dut.barrier()
    move = dut.move()
    dut.await_rehash_addr(move, connection.local)
    node.follow_move(connection, move)
    dut.completes(connection, data)
    sending.result()
    dut.serves(connection)


@valid
@requirement("REHASH-8-01", case=2)
def test_bound_listener_after_several_moves(node: RehashHost, dut: DutHost, app: Application) -> None:
    """A service bound to the old address accepts connections after a second move as after the first."""
    listener = app.listen(service="echo", address=dut.address)
    for _ in range(2):
        dut.move()
        dut.serves(dut.accepts_connection_of(node, remote_port=listener.port))
