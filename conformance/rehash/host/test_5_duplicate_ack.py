# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 5, Communication model: options without traffic to carry them, and in retransmissions."""

from conformance.rehash.dut.host import DutHost
from conformance.rehash.segment import RehashSegment
from conformance.rehash.tester.host import RehashHost
from testbed import exclusive, requirement, valid, waits
from testbed.case.case import Case
from testbed.case.verdict import Broken, require
from testbed.device.application import Application
from testbed.interruptions import NotApplicable

RETRANSMITTED_WITHIN_S = 7.0
"""The first timer may be 3 s (RFC 1122, 4.2.3.1); what comes before the device believes in a loss is added."""


def expect_duplicate_ack(segment: RehashSegment, acknowledgement: int) -> None:
    """The segment is an acknowledgement of what was acknowledged before, without data."""
    seen, expected = (segment.flags, segment.ack, len(segment.data)), ("A", acknowledgement, 0)
    require(seen == expected, "flags, acknowledgement and length", expected, seen, segment.frame)


@exclusive
@valid
@requirement("REHASH-5-05", case=1)
def test_idle_connection_is_announced_in_a_duplicate_ack(node: RehashHost, dut: DutHost, app: Application) -> None:
    """A host that moves and has nothing to send puts REHASH-ADDR on a duplicate ACK."""
    connection = node.connect_to(app)
    peer = connection.local
    move = dut.move()
    try:
        segment, _ = dut.announces(move, peer)
    except Broken:
        connection.socket.send(b"with data it is announced")
        dut.await_rehash_addr(move, peer)
        raise
    expect_duplicate_ack(segment, peer.snd_nxt)


@valid
@requirement("REHASH-5-05", case=2)
def test_idle_connection_answers_in_a_duplicate_ack(node: RehashHost, dut: DutHost, app: Application) -> None:
    """A host that has nothing to send puts the REHASH-INIT that is pending on a duplicate ACK."""
    connection = node.connect_to(app)
    node.move()
    sent = node.send_rehash_addr(connection)
    try:
        segment = dut.acknowledges(sent)
    except Broken:
        node.rehash(node.connect(), data=b"with data it is answered")
        raise
    expect_duplicate_ack(segment, sent.end.snd_nxt)


@exclusive
@valid
@requirement("REHASH-5-06", case=1)
@waits(1)
def test_retransmitted_data_carries_rehash_addr_again(
    node: RehashHost, dut: DutHost, app: Application, case: Case
) -> None:
    """Data that carried REHASH-ADDR and is not acknowledged carries it again."""
    connection = node.connect_to(app)
    peer = connection.local
    move = dut.move()
    deadline = case.deadline(since_ns=connection.socket.send(b"with REHASH-ADDR"))
    segment = dut.await_segment(peer, move.mark, lambda one: one.rehash_addr and one.data, deadline)
    if segment is None:
        raise NotApplicable("no data of the device carries REHASH-ADDR: it waits until the move is acknowledged")
    again = dut.retransmits_before_it_gives_up(connection, segment, RETRANSMITTED_WITHIN_S)
    seen, expected = again.rehash_addr, segment.rehash_addr
    require(seen == expected, "REHASH-ADDR on the retransmission", expected, seen, again.frame)


@exclusive
@valid
@requirement("REHASH-5-07", case=1)
def test_time_to_the_duplicate_ack(node: RehashHost, dut: DutHost, app: Application, case: Case) -> None:
    """Measured: time from the move to the duplicate ACK of an idle connection."""
    connection = node.connect_to(app)
    move = dut.move()
    segment, _ = dut.await_rehash_addr(move, connection.local)
    case.values["move to duplicate ACK"] = f"{(segment.frame.ns - move.ns) / 1000:.0f} us"
