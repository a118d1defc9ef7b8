# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 5, Communication model: regular TCP around a move: ICMP errors, and what is not the connection's."""

import pytest

from conformance.rehash.dut.host import DutHost
from conformance.rehash.tester.errors import ANY, SOFT, TOO_BIG, IcmpError
from conformance.rehash.tester.host import RehashHost
from testbed import exclusive, inopportune, requirement, valid
from testbed.case.case import Case
from testbed.device.application import Application

SOFT_ERRORS = pytest.mark.parametrize("error", SOFT, ids=str)
ERRORS = pytest.mark.parametrize("error", ANY, ids=str)


@pytest.mark.parametrize("when", ["before the move", "old tuple after it", "new tuple after it"])
@SOFT_ERRORS
@inopportune
@requirement("REHASH-5-10", case=1)
def test_soft_error_around_a_move_of_the_peer(
    node: RehashHost, dut: DutHost, app: Application, case: Case, error: IcmpError, when: str
) -> None:
    """A soft ICMP error about a connection before or after its peer moves aborts nothing."""
    connection = node.connect_to(app)
    dut.serves(connection)
    if when == "before the move":
        connection.local.drop_incoming()
        connection.socket.send(b"did not arrive")
        error.send(case, connection.local, dut.address)
    node.rehash(connection)
    if when != "before the move":
        error.send(case, connection.previous[0] if "old" in when else connection.local, dut.address)
    else:
        dut.retransmits(connection, b"did not arrive")
    dut.quiesce()
    dut.serves(connection)


@pytest.mark.parametrize("when", ["before REHASH-INIT", "after it"])
@SOFT_ERRORS
@exclusive
@inopportune
@requirement("REHASH-5-10", case=2)
def test_soft_error_around_a_move_of_the_device(
    node: RehashHost, dut: DutHost, app: Application, case: Case, error: IcmpError, when: str
) -> None:
    """A soft ICMP error about the new tuple of a device that moves aborts nothing."""
    connection = node.connect_to(app)
    announced = dut.move_with_data(connection)
    if when == "before REHASH-INIT":
        error.send(case, connection.local, announced.move.new)
        dut.barrier()
    node.follow_move(connection, announced.move)
    dut.retransmits(connection, announced.data)
    if when == "after it":
        error.send(case, connection.local, announced.move.new)
        dut.barrier()
    dut.serves(connection)


@ERRORS
@inopportune
@requirement("REHASH-5-11", case=1)
def test_error_about_the_tuple_that_the_peer_has_left(
    node: RehashHost, dut: DutHost, app: Application, case: Case, error: IcmpError
) -> None:
    """An ICMP error of any kind that quotes the peer's old tuple does not touch the connection that has moved."""
    connection = node.connect_to(app)
    dut.serves(connection)
    node.rehash(connection)
    error.send(case, connection.previous[0], dut.address)
    dut.quiesce()
    dut.serves(connection)


@ERRORS
@exclusive
@inopportune
@requirement("REHASH-5-11", case=2)
def test_error_about_the_tuple_that_the_device_has_left(
    node: RehashHost, dut: DutHost, app: Application, case: Case, error: IcmpError
) -> None:
    """An ICMP error of any kind about the device's own old address, sent to the new one, does not touch it either."""
    connection = node.connect_to(app)
    move = dut.complete_move(node, connection).move
    error.send(case, connection.local, move.old)
    dut.quiesce()
    dut.serves(connection)


@pytest.mark.parametrize("when", ["before the move", "after it"])
@inopportune
@requirement("REHASH-5-13", case=1)
def test_packet_too_big_ends_nothing(node: RehashHost, dut: DutHost, app: Application, case: Case, when: str) -> None:
    """A router's word that a packet to the peer needs fragments aborts nothing, before a move of the peer or later."""
    connection = node.connect_to(app)
    dut.serves(connection)
    if when == "before the move":
        TOO_BIG.send(case, connection.local, dut.address)
        dut.quiesce()
        node.move()
        dut.rehashes(connection, node.send_rehash_addr(connection))
    else:
        node.rehash(connection)
        TOO_BIG.send(case, connection.local, dut.address)
        dut.quiesce()
    dut.serves(connection, data=bytes(1200))


@pytest.mark.parametrize("address", ["old", "new"])
@valid
@requirement("REHASH-5-12", case=1)
def test_other_traffic_of_the_peer(node: RehashHost, dut: DutHost, address: str) -> None:
    """After a move other connections and echo requests of the peer's old and new address are served as before."""
    moved, other = node.connect(), node.connect()
    was_answered = dut.answers_echo(node.home)
    node.exchange(moved, other)
    node.rehash(moved)
    station = node.home if address == "old" else node.station
    if was_answered:
        dut.must_answer_echo(station)
    node.station = station
    dut.serves(dut.accepts_connection_of(node))
    dut.serves(other, data=b"still at the old address")
    dut.serves(moved)


@exclusive
@valid
@requirement("REHASH-5-12", case=2)
def test_other_traffic_with_a_device_that_has_moved(node: RehashHost, dut: DutHost, app: Application) -> None:
    """A device that has moved answers echo requests if it did before, and takes connections at its new address."""
    connection = node.connect_to(app)
    was_answered = dut.answers_echo(node.station)
    dut.complete_move(node, connection)
    if was_answered:
        dut.must_answer_echo(node.station)
    dut.serves(dut.accepts_connection_of(node))
    dut.serves(connection)


@inopportune
@requirement("REHASH-6.2-40", case=1)
def test_no_rehash_addr_without_a_move(node: RehashHost, dut: DutHost, app: Application, case: Case) -> None:
    """A device that stays where it is sends no REHASH-ADDR, on idle connections and on others."""
    connections = [node.connect_to(app), node.accept_from(app)]
    dut.serves(*connections)
    case.watch(1.0)
    dut.serves(*connections)
    dut.announces_nothing(*connections)
    dut.moves_an_ordinary_connection()


@exclusive
@inopportune
@requirement("REHASH-6.2-40", case=2)
def test_no_rehash_addr_for_a_further_address(node: RehashHost, dut: DutHost, app: Application, case: Case) -> None:
    """A device that gets a further address and keeps its own one sends no REHASH-ADDR."""
    connection = node.connect_to(app)
    dut.serves(connection)
    dut.add_address(dut.next_address())
    case.watch(1.0)
    dut.serves(connection)
    dut.announces_nothing(connection)
