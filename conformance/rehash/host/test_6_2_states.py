# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 6.2, REHASH-ADDR exchange: connections of which one side is closed, or both are closing (RFC 9293, 3.6)."""

import pytest

from conformance.rehash.dut.host import DutHost
from conformance.rehash.tester.closing import CLOSED, CLOSED_ON_ONE_SIDE, CLOSING, Closing, TcpState
from conformance.rehash.tester.host import RehashHost
from testbed import exclusive, inopportune, requirement, valid
from testbed.case.case import Case
from testbed.case.expect import preamble
from testbed.case.verdict import require
from testbed.device.application import Application
from testbed.peers.flight import BULK
from testbed.peers.sequence import after

HALF_CLOSED = pytest.mark.parametrize("state", CLOSED_ON_ONE_SIDE, ids=str)


@HALF_CLOSED
@inopportune
@requirement("REHASH-6.2-38", case=1)
def test_half_closed_connection_moves_with_its_peer(
    node: RehashHost, dut: DutHost, app: Application, state: Closing
) -> None:
    """REHASH-ADDR moves a connection of which one side is closed, and is answered with REHASH-INIT."""
    connection = node.connect_to(app)
    dut.serves(connection)
    state.reach(connection, dut)
    node.move()
    sent = node.send_rehash_addr(connection)
    with dut.rehash_control():
        dut.acknowledges(sent)
        state.continues_at(sent.end, connection, dut)


@pytest.mark.parametrize("state", [*CLOSED_ON_ONE_SIDE, *CLOSING], ids=str)
@inopportune
@requirement("REHASH-6.2-39", case=1)
def test_init_comes_where_a_closing_connection_has_moved(
    node: RehashHost, dut: DutHost, app: Application, case: Case, state: Closing
) -> None:
    """The rest of a closing connection is where REHASH-INIT says that it is: at the new address, or at the old one."""
    connection = node.connect_to(app)
    dut.serves(connection)
    state.reach(connection, dut)
    node.move()
    moved = dut.is_acknowledged(node, node.send_rehash_addr(connection))
    case.values["moved"] = str(bool(moved))
    end = moved.end if moved else connection.local
    state.continues_at(end, connection, dut)
    dut.moves_an_ordinary_connection()


@pytest.mark.parametrize("length", [0, 100])
@valid
@requirement("REHASH-6.2-28", case=3)
def test_fin_with_rehash_addr_and_data(node: RehashHost, dut: DutHost, app: Application, length: int) -> None:
    """The data of a FIN with REHASH-ADDR reaches the application, and then the end of the stream."""
    connection = node.connect_to(app)
    dut.serves(connection)
    node.move()
    sent = node.send_rehash_addr(connection, bytes(length), "FPA" if length else "FA")
    connection.rebind(sent)
    with dut.rehash_control():
        if length:
            dut.application_reads(connection.socket, bytes(length))
        dut.application_reads_the_end(connection.socket)
        data = b"this side is still open"
        dut.delivers_on(connection, data, connection.socket.send(data))


@valid
@requirement("REHASH-6.2-39", case=2)
def test_fin_lost_at_the_move_is_retransmitted(node: RehashHost, dut: DutHost, app: Application) -> None:
    """Data and FIN of the device that were lost at the old address are retransmitted to the new one."""
    connection = node.connect_to(app)
    dut.serves(connection)
    connection.local.drop_incoming()
    connection.socket.send(b"the final words")
    connection.socket.close()
    dut.barrier()
    with preamble("a half-closed connection does not move"):
        node.rehash(connection)
    dut.retransmits(connection, b"the final words")
    dut.sends_fin(connection)


@HALF_CLOSED
@exclusive
@inopportune
@requirement("REHASH-6.2-38", case=2)
def test_half_closed_connection_is_announced(node: RehashHost, dut: DutHost, app: Application, state: Closing) -> None:
    """A host that moves sends REHASH-ADDR on a connection of which one side is closed, and it continues."""
    connection, other = node.connect_to(app), node.connect_to(app)
    state.reach(connection, dut)
    move = dut.move()
    dut.await_rehash_addr(move, other.local)
    segment, _ = dut.announces(move, connection.local)
    require(segment.source == move.new, "source of REHASH-ADDR", move.new, segment.source, segment.frame)
    node.follow_move(connection, move)
    state.continues_at(connection.local, connection, dut)


@pytest.mark.parametrize("state", CLOSED, ids=str)
@exclusive
@inopportune
@requirement("REHASH-6.2-46", case=1)
def test_closed_connection_is_not_announced(node: RehashHost, dut: DutHost, app: Application, state: TcpState) -> None:
    """A host that moves sends nothing on a connection that both sides have closed, and REHASH-ADDR on another one."""
    connection, other = node.connect_to(app), node.connect_to(app)
    with preamble():
        state.reach(connection, dut)
    move = dut.move()
    dut.await_rehash_addr(move, other.local)
    dut.expect_silence(connection.local, move.mark, source=move.new)


@pytest.mark.parametrize("flags", ["R", "RA"], ids=["reset", "reset with an acknowledgement"])
@inopportune
@requirement("REHASH-6.2-47", case=1)
def test_reset_after_the_move_ends_the_stream(node: RehashHost, dut: DutHost, app: Application, flags: str) -> None:
    """A reset from the new address, while the window of slow start is full, ends the connection and its data."""
    connection = node.connect_to(app)
    dut.serves(connection)
    node.rehash(connection)
    connection.socket.begin_send(bytes(BULK))
    flight = dut.flight(connection.local, 1, BULK)
    end = connection.local
    reset = node.transmitted(end, end.segment(flags))
    dut.quiesce()
    for segment in dut.segments(end, reset.mark):
        is_known = after(segment.seq, end.rcv_nxt) < 0
        require(segment.is_reset or is_known, f"after {flight} bytes and a reset", "nothing", segment, segment.frame)
