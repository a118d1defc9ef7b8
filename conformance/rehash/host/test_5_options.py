# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 5, Communication model: the option on segments of every kind, beside other options, and its room."""

import pytest
from scapy.packet import Packet

from conformance.rehash.dut.host import DutHost
from conformance.rehash.segment import RehashSegment
from conformance.rehash.tester.connection import Connection
from conformance.rehash.tester.host import RehashHost
from conformance.rehash.tester.state import rehash_addr
from layers.tcp_options import HEADER, ROOM
from testbed import exclusive, inopportune, requirement, valid
from testbed.case.case import Case
from testbed.case.expect import preamble
from testbed.case.verdict import require
from testbed.device.application import Application
from testbed.interruptions import Inconclusive, NotApplicable
from testbed.peers.options import NO_OPERATION
from testbed.peers.segment import SACK
from testbed.peers.sequence import SEQUENCE_SPACE
from testbed.peers.tcp import TIMESTAMPS, TcpPeer

STAMPS = pytest.mark.parametrize("stamps", [True, False], ids=["with timestamps", "without"])
IP_HEADER, LENGTH = 20, 16


@pytest.mark.parametrize("carrier", ["SYN", "SYN-ACK", "acknowledgement", "data"])
@valid
@requirement("REHASH-5-01", case=1)
def test_init_is_understood_on(node: RehashHost, dut: DutHost, carrier: str) -> None:
    """REHASH-INIT on a SYN, a SYN-ACK, an acknowledgement and data makes the connection movable."""
    if carrier in ("SYN", "SYN-ACK"):
        node.expects_init_at_syn()
    if carrier == "SYN-ACK":
        connection = node.accept_from(dut.app)
    elif carrier == "SYN":
        connection = node.half_open()
        connection.local.acknowledge()
    else:
        connection = node.connect_plainly()
        data = b"with init" if carrier == "data" else b""
        sent = node.send_init(connection, data)
        if data:
            dut.delivers_on(connection, data, sent.ns)
    dut.await_nonce(connection)
    node.move()
    dut.rehashes(connection, node.send_rehash_addr(connection))


@pytest.mark.parametrize("data", [b"", b"with REHASH-ADDR"], ids=["acknowledgement", "data"])
@valid
@requirement("REHASH-5-01", case=2)
def test_rehash_addr_is_understood_on(node: RehashHost, dut: DutHost, data: bytes) -> None:
    """REHASH-ADDR on an acknowledgement and on data moves the connection."""
    connection = node.connect()
    node.move()
    dut.rehashes(connection, node.send_rehash_addr(connection, data))


def arranged(peer: TcpPeer, option: Packet, arrangement: str) -> list[Packet | bytes]:
    """The option among others."""
    stamps = peer.stamps()
    edges = [(peer.rcv_nxt - distance) % SEQUENCE_SPACE for distance in (20, 10)]
    sack = b"\x01\x01\x05\x0a" + b"".join(edge.to_bytes(4, "big") for edge in edges)
    return {
        "after timestamps": [NO_OPERATION * 2, stamps, option],
        "before timestamps": [option, NO_OPERATION * 2, stamps],
        "between no-operations": [NO_OPERATION, option, NO_OPERATION, NO_OPERATION * 2, stamps],
        "after timestamps and SACK": [NO_OPERATION * 2, stamps, sack, option],
        "before the end of the list": [stamps, option, b"\0\0"],
    }[arrangement]


@pytest.mark.parametrize(
    "arrangement",
    [
        "after timestamps",
        "before timestamps",
        "between no-operations",
        "after timestamps and SACK",
        "before the end of the list",
    ],
)
@valid
@requirement("REHASH-5-02", case=1)
def test_rehash_addr_among_other_options(node: RehashHost, dut: DutHost, arrangement: str) -> None:
    """REHASH-ADDR moves the connection wherever it stands among other options."""
    connection = node.connect(timestamps=True)
    dut.agrees_to_timestamps(connection)
    node.exchange(connection)
    node.move()
    end = connection.local.at(node.station)
    options = arranged(end, rehash_addr(end, connection.address), arrangement)
    dut.rehashes(connection, node.send(end, "PA", b"among others", options))


@valid
@requirement("REHASH-5-02", case=2)
def test_timestamps_beside_rehash_addr_keep_their_meaning(node: RehashHost, dut: DutHost) -> None:
    """The timestamp of the segment with REHASH-ADDR is echoed."""
    connection = node.connect(timestamps=True)
    dut.agrees_to_timestamps(connection)
    node.exchange(connection)
    node.move()
    sent = node.send_rehash_addr(connection, b"what time is it")
    stamp = sent.end.clock
    segment = dut.await_segment(sent.end, sent.mark, lambda one: one.ack == sent.end.snd_nxt)
    if segment is None:
        raise Inconclusive("preamble: the data with REHASH-ADDR was not acknowledged", repeat=False)
    echoes = [int.from_bytes(one.raw[6:10], "big") for one in segment.options if one.kind == TIMESTAMPS]
    require(echoes == [stamp], "echoed timestamps", [stamp], echoes, segment.frame)


def has_room(segment: RehashSegment, blocks: set[tuple[int, int]]) -> None:
    """The options are whole and not more than the header has room for, and SACK blocks are those of what was sent."""
    faults = [one.fault for one in segment.options if one.fault]
    require(not faults, "options of a segment with Rehash", "well-formed", faults, segment.frame)
    require(len(segment.area) <= ROOM, "bytes of options", f"at most {ROOM}", len(segment.area), segment.frame)
    sizes = [len(one.raw) - 2 for one in segment.options if one.kind == SACK]
    require(not any(size % 8 for size in sizes), "bytes of SACK blocks", "8 a block", sizes, segment.frame)
    require(set(segment.sack) <= blocks, "SACK blocks", f"some of {sorted(blocks)}", segment.sack, segment.frame)


def elicit_sack(node: RehashHost, dut: DutHost, connection: Connection) -> set[tuple[int, int]]:
    """Data out of order that the device answers with SACK blocks, and which they can be; NotApplicable without any."""
    blocks = node.send_out_of_order(connection.local)
    dut.barrier()
    if not any(one.sack for one in dut.segments(connection.local)):
        raise NotApplicable("the device acknowledges data out of order without SACK")
    return blocks


@STAMPS
@inopportune
@requirement("REHASH-5-03", case=1)
def test_room_for_init_beside_sack(node: RehashHost, dut: DutHost, stamps: bool) -> None:
    """REHASH-INIT in answer is on a whole option list of at most 40 bytes while SACK, and timestamps, are due."""
    connection = node.connect(timestamps=stamps, sack=True)
    node.exchange(connection)
    blocks = elicit_sack(node, dut, connection)
    node.move()
    sent = node.send_rehash_addr(connection)
    blocks |= node.send_out_of_order(sent.end)
    node.await_init(sent)
    dut.quiesce()
    for segment in dut.segments(sent.end, sent.mark):
        has_room(segment, blocks)


@STAMPS
@exclusive
@inopportune
@requirement("REHASH-5-03", case=2)
def test_room_for_rehash_addr_beside_sack(
    node: RehashHost, dut: DutHost, app: Application, case: Case, stamps: bool
) -> None:
    """REHASH-ADDR is on a whole option list of at most 40 bytes while SACK, and timestamps, are due."""
    connection = node.connect_to(app, timestamps=stamps, sack=True)
    blocks = elicit_sack(node, dut, connection)
    announced = dut.move_with_data(connection)
    deadline = case.deadline(since_ns=announced.asked_ns)
    dut.await_segment(connection.local, announced.move.mark, lambda one: one.data, deadline)
    for segment in dut.segments(connection.local, announced.move.mark):
        has_room(segment, blocks)


@valid
@requirement("REHASH-5-04", case=1)
def test_init_takes_no_sequence_space(node: RehashHost, dut: DutHost) -> None:
    """Segments with REHASH-INIT have the numbers that they would have without it."""
    connection = node.half_open()
    peer = connection.local
    syn_ack = dut.segments(peer)[0]
    seen = syn_ack.ack
    require(seen == peer.snd_nxt, "acknowledgement of the SYN", peer.snd_nxt, seen, syn_ack.frame)
    node.complete_init(connection)
    dut.quiesce()
    node.move()
    sent = node.send_rehash_addr(connection)
    expect_numbers(node.await_init(sent), sent.end)


@exclusive
@valid
@requirement("REHASH-5-04", case=2)
def test_rehash_addr_takes_no_sequence_space(node: RehashHost, dut: DutHost, app: Application) -> None:
    """Segments with REHASH-ADDR have the numbers that they would have without it."""
    connection = node.connect_to(app)
    peer = connection.local
    move = dut.move()
    segment = dut.await_segment(peer, move.mark, lambda one: one.rehash_addr)
    if segment is None:
        connection.socket.send(b"I have moved")
        segment, _ = dut.await_rehash_addr(move, peer)
    expect_numbers(segment, peer)


def expect_numbers(segment: RehashSegment, peer: TcpPeer) -> None:
    """The segment has the sequence number and the acknowledgement that are next on the connection."""
    seen, expected = (segment.seq, segment.ack), (peer.rcv_nxt, peer.snd_nxt)
    require(seen == expected, "sequence number and acknowledgement", expected, seen, segment.frame)


@valid
@requirement("REHASH-5-04", case=3)
def test_large_segments_with_init_fit_the_path(node: RehashHost, dut: DutHost, case: Case) -> None:
    """Data with REHASH-INIT is not in packets larger than the path allows."""
    connection = node.connect()
    old = connection.address
    node.rehash(connection)
    end = connection.local
    data, mark = bytes(min(end.largest, 1400) - LENGTH), case.mark()
    for _ in range(5):
        sent = node.send(end, "PA", data, [rehash_addr(end, old)])
        with preamble():
            dut.delivers_on(connection, data, sent.ns)
    for segment in dut.segments(end, mark):
        expect_fit(segment, end)


@exclusive
@valid
@requirement("REHASH-5-04", case=4)
def test_large_segments_with_rehash_addr_fit_the_path(node: RehashHost, dut: DutHost, app: Application) -> None:
    """Data with REHASH-ADDR is not in packets larger than the path allows."""
    connection = node.connect_to(app)
    announced = dut.move_with_data(connection, bytes(3000))
    dut.quiesce()
    for segment in dut.segments(connection.local, announced.move.mark):
        expect_fit(segment, connection.local)


def expect_fit(segment: RehashSegment, peer: TcpPeer) -> None:
    """The packet is not larger than the path allows."""
    largest = peer.mss + IP_HEADER + HEADER
    length = segment.packet.len
    require(length <= largest, "length of a packet", f"at most {largest}", length, segment.frame)
