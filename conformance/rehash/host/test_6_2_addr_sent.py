# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 6.2, REHASH-ADDR exchange: the host that moves. The device moves, so every case has one of its own."""

import pytest

from conformance.rehash.dut.host import DutHost
from conformance.rehash.segment import RehashSegment
from conformance.rehash.tester.connection import Connection
from conformance.rehash.tester.host import INITIAL_WINDOW, RehashHost
from testbed import exclusive, inopportune, requirement, valid, waits
from testbed.case.case import Case
from testbed.case.expect import preamble
from testbed.case.verdict import Witness, require
from testbed.device.application import END_OF_STREAM, Application
from testbed.peers.flight import open_window

pytestmark = exclusive

ROUNDS = 3
BURST = 16_000
MEANWHILE = 12
"""Segments of the peer's own data."""
MORE_THAN_THE_FIRST_FLIGHT = 24
"""Times 256 bytes: more than the initial window (RFC 5681) of four segments of 1460 bytes."""


@pytest.mark.parametrize("traffic", ["none", "data", "unacknowledged data"])
@valid
@requirement("REHASH-1-01", "REHASH-6.2-05", case=1)
def test_first_segment_from_the_new_address_carries_rehash_addr(
    node: RehashHost, dut: DutHost, app: Application, traffic: str
) -> None:
    """The first segment of a connection from the new address carries REHASH-ADDR, whatever there is to send."""
    connection = node.connect_to(app)
    if traffic == "unacknowledged data":
        connection.socket.send(b"not acknowledged yet")
    move = dut.move()
    if traffic == "data":
        connection.socket.send(b"sent after the move")
    first = dut.await_first_segment(move, connection.local)
    require(first.rehash_addr, "first segment from the new address", "REHASH-ADDR", first, first.frame)


@valid
@requirement("REHASH-6.2-01", case=1)
def test_every_connection_is_announced(node: RehashHost, dut: DutHost, app: Application) -> None:
    """A host that moves sends REHASH-ADDR on every connection with a completed exchange, of different peers too."""
    connections = [node.connect_to(app), node.connect_to(app)]
    node.move()
    connections.append(node.connect_to(app))
    move = dut.move()
    for connection in connections:
        connection.socket.send(b"I have moved")
    for connection in connections:
        dut.announces(move, connection.local)


@valid
@requirement("REHASH-6.2-01", case=2)
def test_connection_that_the_device_opened_is_announced(node: RehashHost, dut: DutHost, app: Application) -> None:
    """A host that moves sends REHASH-ADDR on a connection that it has opened itself."""
    connection = node.accept_from(app)
    move = dut.move()
    connection.socket.send(b"I have moved")
    dut.announces(move, connection.local)


@pytest.mark.parametrize(
    "field",
    [
        pytest.param("nonce", marks=requirement("REHASH-6.2-02", "REHASH-7-08")),
        pytest.param("old", marks=requirement("REHASH-6.2-03")),
        pytest.param("new", marks=requirement("REHASH-6.2-04")),
    ],
)
@valid
@requirement(case=1)
def test_field_of_rehash_addr(node: RehashHost, dut: DutHost, app: Application, field: str) -> None:
    """REHASH-ADDR carries the nonce that the tester sent, the address before the move and the one after it."""
    connections = [node.connect_to(app), node.connect_to(app)]
    move = dut.move()
    for connection in connections:
        connection.socket.send(b"I have moved")
        segment, option = dut.await_rehash_addr(move, connection.local)
        expected = {"nonce": connection.state.nonce, "old": move.old, "new": segment.source}[field]
        seen = getattr(option, field)
        require(seen == expected, f"{field} of REHASH-ADDR", expected, seen, segment.frame)


def expect_rehash_addr_on_all(dut: DutHost, connection: Connection, first: RehashSegment, case: Case) -> None:
    """From the first REHASH-ADDR on every segment carries it while there is no answer."""
    case.watch(1.0)
    for segment in dut.segments(connection.local, case.trace.mark_at(first.frame), first.source):
        if not segment.is_reset:
            require(segment.rehash_addr, "segment before REHASH-INIT", "REHASH-ADDR", segment, segment.frame)


@valid
@requirement("REHASH-6.2-06", case=1)
def test_every_segment_carries_rehash_addr_until_init_comes(
    node: RehashHost, dut: DutHost, app: Application, case: Case
) -> None:
    """Until REHASH-INIT arrives every segment carries REHASH-ADDR, retransmissions included."""
    connection = node.connect_to(app)
    move = dut.move()
    connection.socket.send(b"one")
    connection.socket.send(b"two")
    first, _ = dut.await_rehash_addr(move, connection.local)
    expect_rehash_addr_on_all(dut, connection, first, case)


@valid
@requirement("REHASH-6.2-06", case=2)
def test_segments_with_sack_carry_rehash_addr(node: RehashHost, dut: DutHost, app: Application, case: Case) -> None:
    """Until REHASH-INIT arrives segments carry REHASH-ADDR also when timestamps and SACK blocks are due."""
    connection = node.connect_to(app, timestamps=True)
    node.send_out_of_order(connection.local)
    dut.barrier()
    expect_rehash_addr_on_all(dut, connection, dut.move_with_data(connection, b"one").segment, case)


@valid
@requirement("REHASH-6.2-07", case=1)
def test_no_segment_carries_rehash_addr_after_init(
    node: RehashHost, dut: DutHost, app: Application, case: Case
) -> None:
    """After REHASH-INIT has arrived no segment carries REHASH-ADDR."""
    connection = node.connect_to(app)
    dut.complete_move(node, connection)
    mark = case.mark()
    for _ in range(ROUNDS):
        dut.serves(connection)
    for segment in dut.segments(connection.local, mark):
        require(not segment.rehash_addr, "segment after REHASH-INIT", "no REHASH-ADDR", segment, segment.frame)


@pytest.mark.parametrize("data", [b"", b"I have moved", bytes(BURST)], ids=["idle", "data", "burst"])
@valid
@requirement("REHASH-6.2-08", case=1)
@waits(15)
def test_rehash_addr_is_repeated_up_to_the_maximum(
    node: RehashHost, dut: DutHost, app: Application, case: Case, data: bytes
) -> None:
    """REHASH-ADDR without answer is sent as often as the maximum says, and not more often, whatever else is sent."""
    most = dut.max_retries()
    connection = node.connect_to(app)
    move = dut.move()
    if data:
        connection.socket.begin_send(data)
    dut.await_rehash_addr(move, connection.local)
    dut.await_give_up(connection)
    frames = [one.frame for one in dut.segments(connection.local, move.mark) if one.rehash_addr]
    if not dut.gives_up_by_count:
        require(len(frames) > 1, "number of REHASH-ADDRs", "more than 1", len(frames), *frames)
        return
    require(len(frames) == most, "number of REHASH-ADDRs", most, len(frames), *frames)


@valid
@requirement("REHASH-6.2-09", case=1)
@waits(15)
def test_connection_that_fails_to_rehash_is_closed(node: RehashHost, dut: DutHost, app: Application) -> None:
    """When REHASH-ADDR was repeated in vain up to the maximum, the application sees the end of the connection."""
    dut.max_retries()
    connection = node.connect_to(app)
    dut.move_with_data(connection)
    dut.gives_up(connection)


@valid
@requirement("REHASH-6.2-34", case=1)
@waits(15)
def test_connection_that_fails_to_rehash_ends_in_an_error(node: RehashHost, dut: DutHost, app: Application) -> None:
    """When REHASH-ADDR was repeated in vain up to the maximum, the application sees an error of its socket."""
    dut.max_retries()
    connection = node.connect_to(app)
    dut.move_with_data(connection)
    with preamble():
        said = dut.gives_up(connection)
    require(said != END_OF_STREAM, "what the application is told", "an error", said, Witness.APPLICATION)


@pytest.mark.parametrize("data", [b"", b"in flight"], ids=["acknowledgement", "data"])
@inopportune
@requirement("REHASH-6.2-10", case=1)
def test_segments_in_flight_are_silently_discarded(
    node: RehashHost, dut: DutHost, app: Application, data: bytes
) -> None:
    """A segment to the old address is silently discarded while the rehash is going on."""
    connection = node.connect_to(app)
    announced = dut.move_with_data(connection)
    in_flight = node.send(connection.local, "PA" if data else "A", data)
    dut.quiesce()
    for segment in dut.segments(connection.local, in_flight.mark):
        silent = segment.source == announced.move.new and not segment.is_reset
        require(silent, "answer to a segment in flight", "silence", segment, segment.frame)
        dropped = not data or segment.ack != connection.local.snd_nxt
        require(dropped, "data in flight", "dropped", "taken", segment.frame)


@valid
@requirement("REHASH-6.2-11", case=1)
def test_streams_continue_byte_exact(node: RehashHost, dut: DutHost, app: Application) -> None:
    """Both streams continue across moves of the device, what was lost in flight included."""
    connection = node.connect_to(app)
    for part in range(2):
        lost, late = bytes(range(256)) * 4, f"sent to the old address {part}".encode()
        connection.local.drop_incoming()
        connection.socket.send(lost)
        dut.barrier()
        move = dut.move()
        node.send(connection.local.at(node.station), "PA", late)
        dut.await_rehash_addr(move, connection.local)
        node.follow_move(connection, move)
        dut.retransmits(connection, lost)
        connection.local.send(late)
        dut.application_reads(connection.socket, late)
        flights = bytes(range(256)) * MORE_THAN_THE_FIRST_FLIGHT
        dut.delivers_on(connection, flights, connection.socket.send(flights))
        dut.serves(connection)


@valid
@requirement("REHASH-6.2-12", case=1)
def test_slow_start_after_a_move(node: RehashHost, dut: DutHost, app: Application, case: Case) -> None:
    """After a successful rehash the first flight of the host that moved is at most the initial window."""
    connection = node.connect_to(app)
    open_window(case, connection.local, connection.socket, 2 * INITIAL_WINDOW)
    move = dut.move()
    dut.await_rehash_addr(move, connection.local)
    node.follow_move(connection, move)
    dut.starts_slowly(connection)


@valid
@requirement("REHASH-6.2-12", case=2)
def test_data_of_the_peer_opens_no_window_after_a_move(
    node: RehashHost, dut: DutHost, app: Application, case: Case
) -> None:
    """Nor is it more where the peer sends data itself meanwhile, which acknowledges nothing of it."""
    connection = node.connect_to(app)
    open_window(case, connection.local, connection.socket, 2 * INITIAL_WINDOW)
    move = dut.move()
    dut.await_rehash_addr(move, connection.local)
    node.follow_move(connection, move)
    dut.starts_slowly(connection, meanwhile=MEANWHILE)


@pytest.mark.parametrize("where", ["a third address", "the first address"])
@valid
@requirement("REHASH-6.2-13", case=1)
def test_second_move_is_announced(node: RehashHost, dut: DutHost, app: Application, where: str) -> None:
    """A second move, also back to the first address, is announced, Old being the address before it."""
    connection = node.connect_to(app)
    first = dut.complete_move(node, connection).move
    second = dut.move(to=first.old if where == "the first address" else "")
    connection.socket.send(b"twice")
    segment, option = dut.announces(second, connection.local)
    require(option.old == second.old, "Old", second.old, option.old, segment.frame)


@inopportune
@requirement("REHASH-6.2-14", case=1)
def test_second_move_before_init(node: RehashHost, dut: DutHost, app: Application) -> None:
    """A host that moves again before REHASH-INIT has come names an Old address that the peer can know."""
    connection = node.connect_to(app)
    announced = dut.move_with_data(connection)
    first, second = announced.move, dut.move()
    segment, option = dut.announces(second, connection.local)
    require(option.old in (first.old, first.new), "Old", f"{first.old} or {first.new}", option.old, segment.frame)
    node.follow_move(connection, second)
    dut.retransmits(connection, announced.data)
    dut.serves(connection)


@valid
@requirement("REHASH-6.2-15", case=1)
def test_time_of_the_handover(node: RehashHost, dut: DutHost, app: Application, case: Case) -> None:
    """Measured: from the move to REHASH-ADDR, and from REHASH-INIT to the first new data."""
    connection = node.connect_to(app)
    announced = dut.move_with_data(connection)
    node.follow_move(connection, announced.move)
    dut.delivers_on(connection, announced.data, announced.asked_ns)
    taken_ns = announced.segment.frame.ns - announced.move.ns
    case.values["move to REHASH-ADDR"] = f"{taken_ns / 1000:.0f} us"
    mark = case.mark()
    start_ns = connection.socket.send(b"new data")
    data = dut.await_segment(connection.local, mark, lambda one: one.data)
    case.values["data to wire afterwards"] = f"{(data.frame.ns - start_ns) / 1000:.0f} us" if data else "none"
