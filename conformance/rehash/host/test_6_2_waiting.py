# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 6.2, REHASH-ADDR exchange: the host that has moved and has no answer yet. Every case has its own device."""

import pytest

from conformance.rehash.dut.host import DutHost
from conformance.rehash.tester.host import RehashHost
from testbed import exclusive, inopportune, requirement, valid, waits
from testbed.case.case import Case
from testbed.case.verdict import require
from testbed.device.application import Application

pytestmark = exclusive

MANY = 20


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
    connections = [node.connect_to(app) if number % 4 else node.accept_from(app) for number in range(MANY)]
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
    require(not frames, "REHASH-ADDR after a reset", "none", len(frames), *frames)
    node.follow_move(other, move)
    dut.serves(other)
