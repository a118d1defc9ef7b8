# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 6.2: REHASH-ADDR from where a connection is, and segments without it from where none is."""

import pytest

from conformance.rehash.dut.host import DutHost
from conformance.rehash.tester.host import RehashHost
from conformance.rehash.tester.state import rehash_addr
from testbed import inopportune, invalid, requirement, valid
from testbed.case.verdict import require
from testbed.device.application import Application

CARRIERS = pytest.mark.parametrize("data", [b"", b"with REHASH-ADDR"], ids=["acknowledgement", "data"])
MOVED = pytest.mark.parametrize("moves", [0, 1], ids=["never-moved", "moved-before"])


@CARRIERS
@MOVED
@invalid
@requirement("REHASH-6.2-35", case=1)
def test_rehash_addr_from_the_tuple_with_a_wrong_nonce(node: RehashHost, dut: DutHost, moves: int, data: bytes) -> None:
    """REHASH-ADDR with a wrong nonce from where the connection is draws no REHASH-INIT and leaves it there."""
    connection = node.connect()
    for _ in range(moves):
        node.rehash(connection)
    node.exchange(connection)
    dut.quiesce()
    end = connection.local
    option = rehash_addr(end, connection.address, nonce=connection.device_nonce() ^ 1)
    sent = node.transmitted(end, end.segment("PA" if data else "A", data, [option]))
    dut.draws_no_init(sent)
    connection.local.send_lost(data)
    dut.takes_again(connection, data)
    dut.moves_an_ordinary_connection()


@CARRIERS
@invalid
@requirement("REHASH-6.2-35", case=2)
def test_rehash_addr_from_the_tuple_to_a_third_address(node: RehashHost, dut: DutHost, data: bytes) -> None:
    """REHASH-ADDR with the right nonce from where the connection is does not move it to a third address."""
    connection = node.connect()
    node.exchange(connection)
    home = node.station
    node.move()
    third, node.station = node.station, home
    end = connection.local
    sent = node.transmitted(
        end, end.segment("PA" if data else "A", data, [rehash_addr(end, connection.address, new=third.address)])
    )
    at_third = node.transmitted(end.at(third), end.at(third).segment("A"))
    dut.refuses_move(connection, at_third)
    connection.local.send_lost(data)
    dut.takes_again(connection, data)
    dut.expect_silence(at_third.end, sent.mark)
    dut.moves_an_ordinary_connection()


@CARRIERS
@inopportune
@requirement("REHASH-6.2-23", case=3)
def test_rehash_addr_from_a_tuple_without_init_exchange(
    node: RehashHost, dut: DutHost, app: Application, data: bytes
) -> None:
    """A segment with REHASH-ADDR of a connection without an init exchange is an ordinary one: its data is taken."""
    connection = node.connect_to(app, init=False)
    end = connection.local
    node.send(end, "PA" if data else "A", data, [rehash_addr(end, connection.address)])
    if data:
        dut.application_reads(connection.socket, data)
    dut.serves(connection)


@valid
@requirement("REHASH-6.2-25", case=3)
def test_every_repeat_of_rehash_addr_is_answered(node: RehashHost, dut: DutHost) -> None:
    """REHASH-ADDR that is repeated on an acknowledgement is answered with REHASH-INIT each time."""
    connection = node.connect()
    old = connection.address
    node.rehash(connection)
    for _ in range(3):
        dut.quiesce()
        dut.acknowledges(node.send(connection.local, "A", options=[rehash_addr(connection.local, old)]))
    dut.serves(connection)


@pytest.mark.parametrize("moves", [0, 1], ids=["never-moved", "moved-before"])
@inopportune
@requirement("REHASH-6.2-44", case=1)
def test_unannounced_tuple_has_no_connection(node: RehashHost, dut: DutHost, moves: int) -> None:
    """Data with the right numbers from an address that was never announced reaches nothing; the connection stays."""
    connection = node.connect()
    for _ in range(moves):
        node.rehash(connection)
    node.exchange(connection)
    node.move()
    dut.is_dead_at(connection.local.at(node.station), connection)
    dut.serves(connection, data=b"these bytes have the same numbers")
    dut.moves_an_ordinary_connection()


@invalid
@requirement("REHASH-6.2-21", case=4)
def test_right_nonce_counts_after_wrong_ones(node: RehashHost, dut: DutHost) -> None:
    """After REHASH-ADDRs with wrong nonces the connection moves with the right one."""
    connection = node.connect()
    node.exchange(connection)
    for flip in (1, 2, 4, 8, 1 << 31):
        node.move()
        sent = node.send_rehash_addr(connection, nonce=connection.device_nonce() ^ flip)
        dut.refuses_move(connection, sent)
    dut.rehashes(connection, node.send_rehash_addr(connection))


@inopportune
@requirement("REHASH-6.1-24", case=1)
def test_nonce_of_an_earlier_connection(node: RehashHost, dut: DutHost) -> None:
    """The nonce of an earlier connection on the same tuple does not move the one that is there now."""
    first = node.connect()
    nonce, port = first.device_nonce(), first.local.port
    first.local.reset()
    dut.barrier()
    connection = node.connect(port=port)
    frames = [one.frame for one in dut.segments(connection.local) if one.init]
    require(
        connection.device_nonce() != nonce, "nonce of a later connection on the tuple", "another", "the same", *frames
    )
    node.exchange(connection)
    node.move()
    dut.does_not_rehash(connection, node.send_rehash_addr(connection, nonce=nonce))
