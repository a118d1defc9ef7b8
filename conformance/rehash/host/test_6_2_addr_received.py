# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 6.2, REHASH-ADDR exchange: the host whose peer has moved."""

import pytest

from conformance.rehash.dut.host import DutHost
from conformance.rehash.tester.host import INITIAL_WINDOW, RehashHost
from conformance.rehash.tester.state import rehash_addr
from testbed import exclusive, inopportune, invalid, requirement, valid
from testbed.case.case import Case
from testbed.case.expect import preamble
from testbed.case.verdict import require, require_none
from testbed.device.application import Application
from testbed.peers.flight import open_window
from testbed.peers.sequence import SEQUENCE_SPACE
from testbed.peers.stream import fitting
from testbed.wire.clock import NANO

LONGEST_TIMER_S = 0.5
"""Data that is not acknowledged is retransmitted before this, or before twice the time it has waited already."""

MEANWHILE = 12
"""Segments of the peer's own."""

CARRIERS = pytest.mark.parametrize("data", [b"", b"with REHASH-ADDR"], ids=["acknowledgement", "data"])


@CARRIERS
@valid
@requirement("REHASH-6.2-16", case=1)
def test_connection_continues_at_the_new_address(node: RehashHost, dut: DutHost, data: bytes) -> None:
    """After REHASH-ADDR with the right Old address and nonce the connection carries data at the New address."""
    connection = node.connect()
    node.exchange(connection)
    node.move()
    dut.continues(connection, node.send_rehash_addr(connection, data))


@valid
@requirement("REHASH-6.2-16", case=2)
def test_nothing_is_sent_to_the_old_address(node: RehashHost, dut: DutHost, case: Case) -> None:
    """After the rehash no segment of the connection is sent to the old address."""
    connection = node.connect()
    node.rehash(connection)
    mark = case.mark()
    connection.local.send(b"echo this at the new address")
    dut.expect_silence(connection.previous[0], mark, resets=False)


@valid
@requirement("REHASH-6.2-16", case=3)
def test_unacknowledged_data_is_retransmitted_to_the_new_address(node: RehashHost, dut: DutHost) -> None:
    """Data that the device sent to the old address, lost there, arrives at the new one."""
    connection = node.connect()
    data = (bytes(range(256)) * 4)[: fitting(connection.local)]
    connection.local.drop_incoming()
    connection.local.send(data)
    dut.barrier()
    node.rehash(connection)
    dut.retransmits(connection, data)


@valid
@requirement("REHASH-6.2-17", case=1)
def test_data_with_rehash_addr_is_taken(node: RehashHost, dut: DutHost) -> None:
    """The data of the segment that carried REHASH-ADDR is taken, and need not be retransmitted."""
    connection = node.connect()
    node.move()
    sent = node.send_rehash_addr(connection, b"with REHASH-ADDR")
    connection.rebind(sent)
    with dut.rehash_control():
        dut.delivers_on(connection, sent.data, sent.ns)


@valid
@requirement("REHASH-6.2-17", case=2)
def test_acknowledgement_with_rehash_addr_is_taken(node: RehashHost, dut: DutHost, case: Case) -> None:
    """Data that the segment with REHASH-ADDR acknowledges is not retransmitted."""
    connection = node.connect()
    sent_ns = node.receive_without_ack(connection, b"echo this")
    node.move()
    sent = node.send_rehash_addr(connection)
    node.await_init(sent)
    dut.barrier()
    mark = case.mark()
    case.wait_until(case.deadline(max(LONGEST_TIMER_S, 2 * (case.clock.now_ns() - sent_ns) / NANO)).end_ns)
    frames = [one.frame for one in dut.segments(sent.end, mark) if one.data]
    require_none("segments that repeat data", frames)


@CARRIERS
@valid
@requirement("REHASH-6.2-18", case=1)
def test_rehash_addr_is_acknowledged_with_init(node: RehashHost, dut: DutHost, data: bytes) -> None:
    """A REHASH-ADDR that has moved the connection is answered with REHASH-INIT."""
    connection = node.connect()
    node.move()
    sent = node.send_rehash_addr(connection, data)
    with preamble("REHASH-ADDR did not move the connection"):
        dut.continues(connection, sent)
    dut.acknowledges(sent)


@pytest.mark.parametrize("field", ["nonce", "old", "new"])
@valid
@requirement("REHASH-6.2-19", case=1)
def test_acknowledging_init_is_an_ordinary_one(node: RehashHost, dut: DutHost, field: str) -> None:
    """The acknowledging REHASH-INIT carries the device's unchanged nonce, Old 0 and its own address as New."""
    connection = node.connect()
    node.move()
    segment = node.await_init(node.send_rehash_addr(connection))
    expected = {"nonce": connection.state.device_nonce, "old": "0.0.0.0", "new": dut.address}[field]
    seen = getattr(segment.init, field)
    require(seen == expected, f"{field} of the acknowledging REHASH-INIT", expected, seen, segment.frame)


@CARRIERS
@inopportune
@requirement("REHASH-6.2-24", case=1)
def test_segments_from_the_old_address_are_not_taken(node: RehashHost, dut: DutHost, data: bytes) -> None:
    """After the rehash a segment from the old address does not reach the connection, which continues."""
    connection = node.connect()
    node.exchange(connection)
    node.rehash(connection)
    late = node.send(connection.previous[0], "PA", data or b"from the old address")
    dut.expect_silence(late.end, late.mark)
    dut.serves(connection, data=b"these bytes have the same numbers")


@valid
@requirement("REHASH-6.2-25", case=1)
def test_repeated_rehash_addr_is_harmless(node: RehashHost, dut: DutHost) -> None:
    """REHASH-ADDR that is repeated with its data is answered again; the data is taken once."""
    connection = node.connect()
    node.move()
    old, data = connection.address, b"once only"
    sent = node.send_rehash_addr(connection, data)
    node.await_init(sent)
    connection.rebind(sent)
    with preamble():
        dut.delivers_on(connection, data, sent.ns)
    end = connection.local.at(node.station)
    seq = (end.snd_nxt - len(data)) % SEQUENCE_SPACE
    dut.acknowledges(node.send(end, "PA", data, [rehash_addr(end, old)], seq=seq))
    dut.serves(connection, data=b"the next bytes")


@valid
@requirement("REHASH-6.2-25", case=2)
def test_rehash_addr_on_every_segment_is_harmless(node: RehashHost, dut: DutHost) -> None:
    """REHASH-ADDR on every segment, because REHASH-INIT was lost, leaves the stream as it is."""
    connection = node.connect()
    old = connection.address
    node.rehash(connection)
    for number in range(4):
        data = bytes([number]) * 100
        sent = node.send(connection.local, "PA", data, [rehash_addr(connection.local, old)])
        dut.delivers_on(connection, data, sent.ns)
    dut.serves(connection)


@invalid
@requirement("REHASH-6.2-26", case=1)
def test_new_address_is_not_the_source(node: RehashHost, dut: DutHost, case: Case) -> None:
    """Reported: where a connection is moved by a REHASH-ADDR whose New address is not the packet's source."""
    connection = node.connect()
    third = case.station()
    node.move()
    sent = node.send_rehash_addr(connection, new=third.address)
    case.values["answer at the source"] = dut.response_to(sent)
    at_new = [one for one in dut.segments(connection.local.at(third), sent.mark) if one.init]
    case.values["REHASH-INIT at the New address"] = str(bool(at_new))
    case.values["connection still at the old address"] = str(dut.is_served(connection))


@valid
@requirement("REHASH-6.2-28", case=1)
def test_rehash_addr_on_a_fin(node: RehashHost, dut: DutHost) -> None:
    """REHASH-ADDR on a FIN moves the connection and closes that direction."""
    connection = node.connect()
    node.exchange(connection)
    node.move()
    sent = node.send_rehash_addr(connection, flags="FA")
    connection.rebind(sent)
    with dut.rehash_control():
        dut.closes(connection.local, sent.ns)


@invalid
@requirement("REHASH-6.2-28", case=2)
def test_rehash_addr_on_a_reset(node: RehashHost, dut: DutHost) -> None:
    """REHASH-ADDR on a reset moves nothing: the connection continues where it is, or is reset."""
    connection = node.connect()
    node.exchange(connection)
    node.move()
    dut.stays_or_ends(connection, node.send_rehash_addr(connection, flags="RA"))


@valid
@requirement("REHASH-6.2-29", case=1)
def test_rehash_addr_moves_its_own_connection_only(node: RehashHost, dut: DutHost) -> None:
    """Of two connections of one peer, REHASH-ADDR moves its own; the other stays until it has one of its own."""
    moved, other = node.connect(), node.connect()
    node.exchange(moved, other)
    node.rehash(moved)
    dut.serves(other, data=b"still at the old address")
    dut.rehashes(other, node.send_rehash_addr(other))
    dut.serves(moved)


@pytest.mark.parametrize("first", ["device", "tester"])
@exclusive
@valid
@requirement("REHASH-6.2-30", case=1)
def test_moves_of_both_sides_in_turn(node: RehashHost, dut: DutHost, app: Application, first: str) -> None:
    """A connection that was moved by one side is moved by the other afterwards."""
    connection = node.connect_to(app)
    for side in (first, "device" if first == "tester" else "tester"):
        if side == "tester":
            node.move()
            dut.rehashes(connection, node.send_rehash_addr(connection))
        else:
            move = dut.move()
            asked_ns = connection.socket.send(b"I have moved")
            node.follow_move(connection, move)
            dut.delivers_on(connection, b"I have moved", asked_ns)
            dut.serves(connection)


@inopportune
@requirement("REHASH-6.2-31", case=1)
def test_new_connection_on_the_old_tuple(node: RehashHost, dut: DutHost) -> None:
    """Another host at the old address and port opens a connection to the same service; both connections continue."""
    connection = node.connect()
    node.exchange(connection)
    node.rehash(connection)
    node.station = node.home
    new = dut.accepts_connection_of(node, port=connection.local.port)
    dut.serves(connection, data=b"the connection that moved")
    dut.serves(new, data=b"the new connection")
    dut.serves(connection, data=b"and again")


@inopportune
@requirement("REHASH-6.2-32", case=1)
def test_rehash_addr_to_a_tuple_in_use(node: RehashHost, dut: DutHost) -> None:
    """REHASH-ADDR to an address and port at which another connection is moves nothing, and both continue."""
    connection = node.connect()
    node.move()
    other = node.connect(port=connection.local.port)
    node.exchange(connection, other)
    node.send_rehash_addr(connection)
    dut.quiesce()
    other.local.read()
    dut.serves(connection, data=b"at the first address")
    dut.serves(other, data=b"at the second address")
    dut.moves_an_ordinary_connection()


@valid
@requirement("REHASH-6.2-33", case=1)
def test_slow_start_after_the_peer_has_moved(node: RehashHost, dut: DutHost, app: Application, case: Case) -> None:
    """The first flight of the host whose peer has moved is at most the initial window."""
    connection = node.connect_to(app)
    open_window(case, connection.local, connection.socket, 2 * INITIAL_WINDOW)
    node.rehash(connection)
    dut.starts_slowly(connection)


@valid
@requirement("REHASH-6.2-33", case=2)
def test_data_of_the_peer_that_has_moved_opens_no_window(
    node: RehashHost, dut: DutHost, app: Application, case: Case
) -> None:
    """Nor is it more where the peer sends data itself meanwhile, which acknowledges nothing of it."""
    connection = node.connect_to(app)
    open_window(case, connection.local, connection.socket, 2 * INITIAL_WINDOW)
    node.rehash(connection)
    dut.starts_slowly(connection, meanwhile=MEANWHILE)


@inopportune
@requirement("REHASH-6.2-33", case=3)
def test_acknowledgements_of_a_byte_open_no_more_than_a_segment(
    node: RehashHost, dut: DutHost, app: Application, case: Case
) -> None:
    """Slow start goes on as it began: each acknowledgement opens the window by a segment at most."""
    connection = node.connect_to(app)
    open_window(case, connection.local, connection.socket, 3 * INITIAL_WINDOW)
    node.rehash(connection)
    dut.starts_slowly(connection, acknowledged=MEANWHILE)
