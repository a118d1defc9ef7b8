# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 6.2, REHASH-ADDR exchange: a REHASH-ADDR that moves nothing."""

import pytest

from conformance.rehash.dut.endpoint import SILENCE
from conformance.rehash.dut.host import DutHost
from conformance.rehash.tester.connection import Connection
from conformance.rehash.tester.host import RehashHost
from conformance.rehash.tester.state import rehash_addr
from testbed import inopportune, invalid, requirement
from testbed.case.case import Case
from testbed.case.verdict import require
from testbed.device.application import Application
from testbed.interruptions import NotApplicable

WRONG = pytest.mark.parametrize("flip", [1, 1 << 31, 0xFFFFFFFF], ids=["last-bit", "first-bit", "all-bits"])
"""Bits of the nonce that are wrong."""

MOVED = pytest.mark.parametrize("moves", [0, 2], ids=["never-moved", "moved-before"])
"""Twice: a device that moves a connection once only is judged elsewhere."""


@WRONG
@MOVED
@invalid
@requirement("REHASH-6.2-20", case=1)
def test_wrong_nonce_is_silently_discarded(node: RehashHost, dut: DutHost, moves: int, flip: int) -> None:
    """REHASH-ADDR with a wrong nonce is silently discarded: no reset, no acknowledgement at either address."""
    connection = node.connect()
    for _ in range(moves):
        node.rehash(connection)
    dut.quiesce()
    node.move()
    sent = node.send_rehash_addr(connection, nonce=connection.device_nonce() ^ flip)
    dut.stays_silent(sent)
    dut.expect_silence(connection.local, sent.mark, resets=False)
    dut.moves_an_ordinary_connection()


@invalid
@requirement("REHASH-6.2-20", case=2)
def test_data_with_a_wrong_nonce_is_not_taken(node: RehashHost, dut: DutHost) -> None:
    """Data of a segment with a wrong nonce is not taken: other bytes with the same numbers are, later."""
    connection = node.connect()
    node.move()
    sent = node.send_rehash_addr(connection, b"forged bytes", nonce=connection.device_nonce() ^ 1)
    dut.does_not_rehash(connection, sent, b"right bytes!")


@WRONG
@MOVED
@invalid
@requirement("REHASH-6.2-21", case=1)
def test_wrong_nonce_does_not_move(node: RehashHost, dut: DutHost, moves: int, flip: int) -> None:
    """After REHASH-ADDR with a wrong nonce the connection continues at its old address, wherever it was before."""
    connection = node.connect()
    for _ in range(moves):
        node.rehash(connection)
    node.move()
    dut.does_not_rehash(connection, node.send_rehash_addr(connection, nonce=connection.device_nonce() ^ flip))


def nonce_of(whose: str, node: RehashHost, connection: Connection) -> int:
    """A nonce that the tester knows and that is not the one of the connection's REHASH-ADDR."""
    if whose == "tester":
        return connection.state.nonce
    nonce = node.connect().device_nonce()
    if nonce == connection.device_nonce():
        raise NotApplicable("both connections have one nonce, see REHASH-6.1-17")
    return nonce


@pytest.mark.parametrize(
    "whose",
    [
        pytest.param("tester", marks=requirement("REHASH-6.2-21", case=2)),
        pytest.param("another connection", marks=requirement("REHASH-6.2-21", case=3)),
    ],
)
@invalid
def test_nonce_of_something_else_does_not_move(node: RehashHost, dut: DutHost, whose: str) -> None:
    """REHASH-ADDR with the tester's nonce, or that of another connection, does not move the connection."""
    connection = node.connect()
    nonce = nonce_of(whose, node, connection)
    node.move()
    dut.does_not_rehash(connection, node.send_rehash_addr(connection, nonce=nonce))


@pytest.mark.parametrize("unknown", ["old address", "port"])
@inopportune
@requirement("REHASH-6.2-22", case=1)
def test_unknown_connection_is_ordinary_tcp(node: RehashHost, dut: DutHost, case: Case, unknown: str) -> None:
    """REHASH-ADDR for a connection that is not known is answered like the same segment without it, or not at all."""
    connection = node.connect()
    never_used = case.station().address
    node.move()
    end = connection.local.at(node.station, next(case.setup.source_ports) if unknown == "port" else 0)
    old = never_used if unknown == "old address" else connection.address
    ordinary = dut.response_to(node.send(end, "A"))
    sent = node.send(end, "A", options=[rehash_addr(end, old)])
    response = dut.response_to(sent)
    frames = [one.frame for one in dut.segments(end, sent.mark)]
    wanted = f"{ordinary} or {SILENCE}"
    require(response in (ordinary, SILENCE), "answer to REHASH-ADDR", wanted, response, sent.frame, *frames)
    dut.does_not_rehash(connection, sent)


@inopportune
@requirement("REHASH-6.2-22", case=2)
def test_closed_connection_is_not_known(node: RehashHost, dut: DutHost) -> None:
    """REHASH-ADDR for a connection that was reset moves nothing."""
    connection = node.connect()
    connection.local.reset()
    dut.barrier()
    node.move()
    dut.refuses_move(connection, node.send_rehash_addr(connection))
    dut.moves_an_ordinary_connection()


@inopportune
@requirement("REHASH-6.2-23", case=1)
def test_connection_without_init_exchange_is_not_moved(node: RehashHost, dut: DutHost) -> None:
    """REHASH-ADDR on a connection without an init exchange moves nothing."""
    connection = node.connect_plainly()
    node.exchange(connection)
    node.move()
    dut.does_not_rehash(connection, node.send_rehash_addr(connection))


@inopportune
@requirement("REHASH-6.2-23", "REHASH-6.1-08", case=2)
def test_own_init_alone_is_no_exchange(node: RehashHost, dut: DutHost, app: Application) -> None:
    """A nonce that the device has sent to a peer without an answer does not move the connection."""
    connection = node.accept_plainly(app)
    connection.device_nonce()
    node.move()
    dut.does_not_rehash(connection, node.send_rehash_addr(connection))
