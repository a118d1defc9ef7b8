# SPDX-License-Identifier: GPL-2.0-or-later
"""Sections 2.1 and 4.1: what else the addresses of a move are for, packets too big for the path, closed connections."""

import pytest

from conformance.mops.dut.mobile_node import Applications, MobileNode
from conformance.mops.mobile_node.test_2_1_states import closes_in_order, is_acknowledged
from conformance.mops.tester.server import Correspondent
from testbed import exclusive, inopportune, requirement, valid
from testbed.case.case import Case
from testbed.case.expect import preamble
from testbed.case.verdict import require
from testbed.interruptions import NotApplicable
from testbed.peers.icmp import TOO_BIG, IcmpPeer, error_about
from testbed.peers.udp import UdpPeer, expect_datagram

SMALL_SEGMENT, LARGE = 536, 4000


@exclusive
@valid
@requirement("MOPS-4.1-194", case=1)
def test_other_traffic_of_a_node_that_has_moved(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """At its new address the node answers echo requests, and datagrams to a UDP service, if it did before."""
    connection = app.connect(correspondent)
    stranger = case.station()
    flow = UdpPeer(stranger, 0, dut.app.listen(service="echo", protocol="udp").port)
    flow.port = flow.remote_port
    with preamble():
        datagram_comes_back(case, flow)
    was_answered = case.network.name == "ipv4" and dut.answers_echo(stranger)
    dut.complete_move(connection)
    flow.remote = dut.address
    datagram_comes_back(case, flow)
    if was_answered:
        dut.must_answer_echo(stranger)


def datagram_comes_back(case: Case, flow: UdpPeer) -> None:
    """A datagram to a UDP echo service is answered, from the address that it went to."""
    since, sent = case.mark(), flow.send(b"still here?")
    expect_datagram(case, flow, since, case.deadline(since_ns=sent.ns), checks_source=True)


@pytest.mark.parametrize("tuple_of", ["old tuple before", "old tuple after", "new tuple"])
@exclusive
@inopportune
@requirement("MOPS-2.1-14", case=1)
def test_packet_too_big_ends_nothing(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent, tuple_of: str
) -> None:
    """A router's word that a packet needs fragments, about the tuple that is left or the new one, ends nothing."""
    if case.network.name != "ipv4":
        raise NotApplicable("these messages are those of ICMPv4")
    connection, router = app.connect(correspondent), IcmpPeer(case.station())
    old = connection.local.at(correspondent.station)
    request = dut.request(dut.move(), connection)
    if tuple_of != "old tuple before":
        correspondent.reply_success(request, connection)
        dut.continues(connection)
    router.remote = dut.address
    router.send(error_about(connection.local if tuple_of == "new tuple" else old, *TOO_BIG))
    dut.quiesce()
    if tuple_of == "old tuple before":
        correspondent.reply_success(request, connection)
    start = len(connection.local.stream)
    dut.delivers(connection.local, bytes(LARGE), dut.application_takes(connection.socket, bytes(LARGE)), start)
    dut.continues(connection)


@exclusive
@inopportune
@requirement("MOPS-2.1-15", case=1)
def test_connection_that_both_are_closing(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """In CLOSING, the device's FIN lost, the connection migrates and the FIN comes from the new tuple."""
    connection = app.connect(correspondent)
    local, asked_ns = connection.local, case.clock.now_ns()
    connection.socket.close()
    dut.barrier()
    local.drop_unread()
    with preamble():
        is_acknowledged(case, local, local.finish().ns)
    local.drop_unread()
    request = dut.migrates(dut.move(), connection)
    closes_in_order(case, local, correspondent.reply_success(request, connection), asked_ns)


@exclusive
@inopportune
@requirement("MOPS-4.1-113", case=3)
def test_connection_in_time_wait_is_not_listed(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """A connection that the device has closed first, and the server too, is not listed."""
    closed, kept = app.connect(correspondent), app.connect(correspondent)
    asked_ns = case.clock.now_ns()
    closed.socket.close()
    with preamble():
        closes_in_order(case, closed.local, asked_ns)
        is_acknowledged(case, closed.local, closed.local.finish().ns)
    dut.barrier()
    move = dut.move()
    dut.request(move, kept)
    dut.never_lists(closed, move.mark)


@exclusive
@valid
@requirement("MOPS-4.1-195", case=1)
def test_segments_of_a_node_that_has_moved_fit_the_server(
    dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """After a move no segment carries more data than the server has said that it takes."""
    connection = app.connect(correspondent, {"mss": SMALL_SEGMENT})
    move, data = dut.complete_move(connection), bytes(LARGE)
    start = len(connection.local.stream)
    dut.delivers(connection.local, data, dut.application_takes(connection.socket, data), start)
    for segment in dut.segments(connection.local, move.mark):
        size = len(segment.data)
        require(size <= SMALL_SEGMENT, "data of a segment", f"at most {SMALL_SEGMENT}", size, segment.frame)
