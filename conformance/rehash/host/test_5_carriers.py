# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 5, Communication model: SYNs of every make, urgent and full segments, the end of the option list."""

import pytest

from conformance.rehash.dut.host import DutHost
from conformance.rehash.tester.connection import Connection
from conformance.rehash.tester.host import RehashHost
from conformance.rehash.tester.state import rehash_addr, rehash_init
from layers.tcp_options import HEADER
from testbed import exclusive, invalid, requirement, valid
from testbed.case.case import Case
from testbed.case.expect import preamble
from testbed.case.verdict import require
from testbed.device.application import Application
from testbed.peers.connection import await_syn_ack
from testbed.peers.options import NO_OPERATION, segment_size
from testbed.peers.stream import most_data
from testbed.peers.tcp import DEFAULT_MSS, TIMESTAMPS

IP_HEADER, LENGTH = 20, 16
SACK_PERMITTED, SCALE_7 = b"\x04\x02", b"\x03\x03\x07"
STAMPS = b"\x08\x0a\x00\x00\x10\x00\x00\x00\x00\x00"
INIT, SEGMENT_SIZE = b"INIT", b"MSS"
"""Where REHASH-INIT stands, and the segment size of the peer."""

SYNS = {
    "nothing else": [INIT],
    "no segment size": [SACK_PERMITTED, INIT],
    "after SACK-Permitted": [SEGMENT_SIZE, SACK_PERMITTED, INIT],
    "before SACK-Permitted": [SEGMENT_SIZE, INIT, SACK_PERMITTED],
    "after all of an ordinary stack": [SEGMENT_SIZE, SACK_PERMITTED, STAMPS, NO_OPERATION, SCALE_7, INIT],
    "first of all": [INIT, SEGMENT_SIZE, SACK_PERMITTED, STAMPS, NO_OPERATION, SCALE_7],
}
LARGE = 3000
FULL = [b"\x02\x04" + DEFAULT_MSS.to_bytes(2, "big"), b"\xfe\x24" + bytes(34)]
"""Options of a SYN up to the last byte: a segment size, and an experiment that nobody knows (RFC 6994)."""


@pytest.mark.parametrize("arrangement", SYNS)
@valid
@requirement("REHASH-6.1-03", case=2)
def test_init_among_the_options_of_a_syn(node: RehashHost, dut: DutHost, case: Case, arrangement: str) -> None:
    """REHASH-INIT among the options of any SYN is answered, without being sent again, and the connection moves."""
    node.expects_init_at_syn()
    peer = node.new_peer()
    placed = {INIT: rehash_init(peer), SEGMENT_SIZE: segment_size(peer.mss)}
    options = [placed.get(one, one) for one in SYNS[arrangement]]
    with preamble():
        await_syn_ack(case, peer, case.deadline(since_ns=peer.start_with(options).ns))
    connection = Connection(peer)
    acknowledged = node.send(peer, "A")
    dut.serves(connection)
    dut.answers_init(acknowledged)
    connection.local.read()
    node.move()
    dut.rehashes(connection, node.send_rehash_addr(connection))


@valid
@requirement("REHASH-5-01", case=3)
def test_rehash_addr_on_urgent_data(node: RehashHost, dut: DutHost) -> None:
    """REHASH-ADDR on a segment with the urgent flag moves the connection."""
    connection = node.connect()
    node.exchange(connection)
    node.move()
    sent = node.send_rehash_addr(connection, b"in a hurry", "PAU")
    with dut.rehash_control():
        dut.acknowledges(sent)
    connection.rebind(sent)
    dut.quiesce()
    connection.skip()  # the urgent byte may have gone out of band
    dut.serves(connection)


@valid
@requirement("REHASH-5-01", case=4)
def test_rehash_addr_on_a_full_segment(node: RehashHost, dut: DutHost) -> None:
    """REHASH-ADDR on as much data as a segment has room for moves the connection, and the data is taken."""
    connection = node.connect()
    node.exchange(connection)
    node.move()
    room = most_data(connection.local) - LENGTH
    dut.rehashes(connection, node.send_rehash_addr(connection, bytes(number % 251 for number in range(room))))


@pytest.mark.parametrize(
    "end_of_list",
    [b"\x00", b"\x01\x00\x00\x00", b"\x00\x00\x00\x00"],
    ids=["at once", "after a no-operation", "a word"],
)
@invalid
@requirement("REHASH-5-08", case=1)
def test_rehash_addr_after_the_end_of_the_list(node: RehashHost, dut: DutHost, end_of_list: bytes) -> None:
    """What looks like REHASH-ADDR after the end of the option list moves nothing."""
    connection = node.connect()
    node.exchange(connection)
    node.move()
    end = connection.local.at(node.station)
    dut.does_not_rehash(connection, node.send(end, "A", options=[end_of_list, rehash_addr(end, connection.address)]))


@valid
@requirement("REHASH-5-09", case=1)
def test_init_on_a_duplicate_ack_has_timestamps(node: RehashHost, dut: DutHost, app: Application) -> None:
    """Where timestamps were agreed on, REHASH-INIT that acknowledges a move is on a segment with them."""
    connection = node.connect_to(app, timestamps=True)
    dut.agrees_to_timestamps(connection)
    node.move()
    segment = node.await_init(node.send_rehash_addr(connection))
    require(segment.option(TIMESTAMPS), "timestamps beside REHASH-INIT", "some", "none", segment.frame)


@exclusive
@valid
@requirement("REHASH-5-09", case=2)
def test_rehash_addr_on_a_duplicate_ack_has_timestamps(node: RehashHost, dut: DutHost, app: Application) -> None:
    """Where timestamps were agreed on, every REHASH-ADDR is on a segment with them, repeats included."""
    connection = node.connect_to(app, timestamps=True)
    dut.agrees_to_timestamps(connection)
    move = dut.move()
    first, _ = dut.await_rehash_addr(move, connection.local)
    dut.await_repeat(connection, first)
    for segment in dut.segments(connection.local, move.mark):
        if segment.rehash_addr:
            require(segment.option(TIMESTAMPS), "timestamps beside REHASH-ADDR", "some", "none", segment.frame)


@pytest.mark.parametrize("size", [536, 1000])
@valid
@requirement("REHASH-5-04", case=5)
def test_segments_with_init_fit_a_small_peer(node: RehashHost, dut: DutHost, app: Application, size: int) -> None:
    """With a peer of small segments no packet with REHASH-INIT is larger than it takes."""
    connection = node.connect_to(app, mss=size)
    node.rehash(connection)
    data = bytes(LARGE)
    mark_ns = connection.socket.send(data)
    with preamble():
        dut.delivers_on(connection, data, mark_ns)
    expect_small(dut, connection, size)


@pytest.mark.parametrize("size", [536, 1000])
@exclusive
@valid
@requirement("REHASH-5-04", case=6)
def test_segments_with_rehash_addr_fit_a_small_peer(
    node: RehashHost, dut: DutHost, app: Application, size: int
) -> None:
    """With a peer of small segments no packet with REHASH-ADDR is larger than it takes."""
    connection = node.connect_to(app, mss=size)
    dut.move_with_data(connection, bytes(LARGE))
    dut.quiesce()
    expect_small(dut, connection, size)


@exclusive
@valid
@requirement("REHASH-5-04", case=7)
def test_small_peer_whose_syn_is_full(node: RehashHost, dut: DutHost, app: Application, case: Case) -> None:
    """The segment size of a peer counts where its SYN has options up to the last byte."""
    listener = app.listen()
    peer = node.new_peer(remote_port=listener.port)
    with preamble():
        await_syn_ack(case, peer, case.deadline(since_ns=peer.start_with(FULL).ns))
    node.send(peer, "A")
    connection = Connection(peer, application=listener.accepted(case.setup.profile.ixit.tcp_within_s))
    node.exchange_init(connection)
    dut.move_with_data(connection, bytes(LARGE))
    dut.quiesce()
    expect_small(dut, connection, DEFAULT_MSS)


def expect_small(dut: DutHost, connection: Connection, size: int) -> None:
    """No packet of the connection is larger than headers and a segment of this size (RFC 6691)."""
    largest = size + IP_HEADER + HEADER
    for segment in dut.segments(connection.local):
        require(
            segment.packet.len <= largest, "length of a packet", f"at most {largest}", segment.packet.len, segment.frame
        )
