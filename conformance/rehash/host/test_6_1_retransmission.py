# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 6.1: REHASH-INIT goes again with segments that are retransmitted."""

from conformance.rehash.dut.host import DutHost
from conformance.rehash.segment import RehashSegment
from conformance.rehash.tester.connection import Connection
from conformance.rehash.tester.host import RehashHost
from conformance.rehash.tester.state import rehash_addr, rehash_init
from testbed import inopportune, requirement, valid, waits
from testbed.case.case import Case
from testbed.case.verdict import require
from testbed.device.application import Application
from testbed.interruptions import Inconclusive, NotApplicable
from testbed.peers.tcp import TcpPeer
from testbed.peers.window import announce
from testbed.wire.capture import Mark

RETRANSMISSION_S = 1.5
"""A SYN or SYN-ACK is sent again after a second (RFC 6298), a little more."""

MANY, MORE = 80, 8
"""Segments with REHASH-INIT before the one that is lost; so many more, until one carries it."""

SEGMENT = 536
"""Bytes of a segment that the tester takes, and of its window: one fits, and not two."""

RETRANSMITTED_WITHIN_S = 7.0
"""The first timer may be 3 s (RFC 1122, 4.2.3.1)."""


def expect_nonce(segment: RehashSegment, expected: int, what: str) -> None:
    """The segment carries REHASH-INIT with this nonce."""
    seen = hex(segment.init.nonce) if segment.init else "none"
    require(seen == hex(expected), f"nonce on {what}", hex(expected), seen, segment.frame)


def half_open_with_init(node: RehashHost) -> Connection:
    """A SYN with REHASH-INIT is answered by a SYN-ACK with it; NotApplicable if there it has none."""
    node.expects_init_at_syn()
    connection = node.half_open()
    if connection.state.device_nonce is None:
        raise NotApplicable("the SYN-ACK carries no REHASH-INIT, as it should")
    return connection


@valid
@requirement("REHASH-6.1-14", case=1)
@waits(RETRANSMISSION_S)
def test_retransmitted_syn_ack(node: RehashHost, dut: DutHost) -> None:
    """A SYN-ACK that is not acknowledged is retransmitted with the REHASH-INIT of the first one."""
    connection = half_open_with_init(node)
    nonce = connection.device_nonce()
    again = dut.retransmission_of(dut.segments(connection.local)[0], connection.local, RETRANSMITTED_WITHIN_S)
    expect_nonce(again, nonce, "the second SYN-ACK")


@inopportune
@requirement("REHASH-6.1-14", case=2)
def test_syn_ack_for_a_repeated_syn(node: RehashHost, dut: DutHost, case: Case) -> None:
    """The answer to a repeated SYN carries the REHASH-INIT of the first answer."""
    connection = half_open_with_init(node)
    peer, nonce = connection.local, connection.device_nonce()
    mark = case.mark()
    peer.transmit(peer.segment("S", seq=peer.snd_nxt - 1, ack=0, options=peer.syn_options(rehash_init(peer))))
    again = dut.await_segment(peer, mark, lambda one: one.flags == "SA")
    if again is None:
        raise Inconclusive("preamble: no SYN-ACK received for the repeated SYN")
    expect_nonce(again, nonce, "the second SYN-ACK")


@valid
@requirement("REHASH-6.1-14", case=3)
@waits(RETRANSMISSION_S)
def test_retransmitted_syn(node: RehashHost, dut: DutHost, app: Application) -> None:
    """A SYN that is not answered is retransmitted with the REHASH-INIT of the first one."""
    node.expects_init_at_syn()
    opening = node.await_syn(app)
    first = opening.syn.init
    if first is None:
        raise NotApplicable("the SYN carries no REHASH-INIT, as it should")
    again = dut.retransmission_of(opening.syn, opening.local, RETRANSMITTED_WITHIN_S)
    node.accept(opening, rehash_init(opening.local))
    expect_nonce(again, first.nonce, "the second SYN")


@valid
@requirement("REHASH-6.1-15", case=1)
def test_retransmitted_data(node: RehashHost, dut: DutHost) -> None:
    """A data segment that carried REHASH-INIT and is not acknowledged carries it again."""
    segment, peer = dut.data_with_init(node)
    again = dut.retransmission_of(segment, peer, RETRANSMITTED_WITHIN_S)
    require(again.init == segment.init, "REHASH-INIT on the retransmission", segment.init, again.init, again.frame)


@valid
@requirement("REHASH-6.1-15", case=2)
def test_retransmitted_data_after_acknowledged_data(node: RehashHost, dut: DutHost) -> None:
    """A data segment that carried REHASH-INIT carries it again when the one before it was acknowledged."""
    first, second, peer = dut.two_segments_with_init(node)
    peer.acknowledge(ack=second.seq)
    again = dut.retransmission_of(second, peer, RETRANSMITTED_WITHIN_S)
    require(again.init == second.init, "REHASH-INIT on the retransmission", first.init, again.init, again.frame)


@inopportune
@requirement("REHASH-6.1-15", case=3)
def test_retransmitted_data_after_many(node: RehashHost, dut: DutHost, app: Application, case: Case) -> None:
    """A data segment with REHASH-INIT carries it again, however many others of the connection have carried one."""
    connection = node.connect_to(app, mss=SEGMENT)
    old = connection.address
    node.rehash(connection)
    end, option = connection.local, rehash_addr(connection.local, old)
    announce(dut, end, SEGMENT)
    mark = case.mark()
    connection.socket.begin_send(bytes((MANY + MORE + 1) * SEGMENT))
    last = next_data(dut, end, mark)
    for number in range(MANY + MORE):
        if number >= MANY and last.init:
            break
        last = next_data(dut, end, node.send(end, "A", options=[option], window=SEGMENT).mark)
    if last.init is None:
        raise NotApplicable("data that REHASH-ADDR makes room for carries no REHASH-INIT")
    again = dut.retransmission_of(last, end, RETRANSMITTED_WITHIN_S)
    require(again.init, "REHASH-INIT on the retransmission", "one", "none", again.frame)


def next_data(dut: DutHost, end: TcpPeer, since: Mark) -> RehashSegment:
    """The data that comes next, taken in and not acknowledged, as preamble."""
    segment = dut.await_segment(end, since, lambda one: one.data)
    if segment is None:
        raise Inconclusive("preamble: the device sends no data into the window of its peer")
    end.read()
    return segment
