# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.1 and appendix B: what leaves the new tuple, and what is taken there, before the server has answered."""

from conformance.applicability import needs
from conformance.mops.dut.mobile_node import Applications, MobileNode
from conformance.mops.tester.server import Correspondent
from testbed import exclusive, requirement, valid, waits
from testbed.case.case import Case
from testbed.case.expect import preamble
from testbed.case.verdict import require_none

WAITING = b"waiting for the reply"
RETRANSMITTED_S = 0.6
"""Longer than the first two retransmission time-outs of TCP (RFC 6298) in most stacks."""


@exclusive
@valid
@requirement("MOPS-4.1-133", case=1)
def test_no_segment_before_success(dut: MobileNode, app: Applications, correspondent: Correspondent) -> None:
    """Until the reply nothing of the connection comes from the new address, and after it what has waited does."""
    connection = app.connect(correspondent)
    move = dut.move()
    request = dut.request(move, connection)
    start = len(connection.local.stream)
    connection.socket.send(WAITING)
    dut.expect_silence(connection.local, move.mark, resets=False, source=move.new)
    replied_ns = correspondent.reply_success(request, connection)
    with preamble():
        dut.delivers(connection.local, WAITING, replied_ns, start)


@exclusive
@valid
@requirement("MOPS-4.1-133", case=2)
@waits(1)
def test_no_retransmission_before_success(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """Data outstanding at the move is not retransmitted from the new address before the reply."""
    connection = app.connect(correspondent)
    start, data = len(connection.local.stream), b"lost before the move"
    sent_ns = connection.socket.send(data)
    case.watch(0.02)
    connection.local.drop_unread()
    move = dut.move()
    request = dut.request(move, connection)
    case.wait_until(request.frame.ns + round(RETRANSMITTED_S * 1e9))
    dut.expect_silence(connection.local, move.mark, resets=False, source=move.new)
    replied_ns = correspondent.reply_success(request, connection)
    with preamble():
        dut.delivers(connection.local, data, replied_ns, start, sent_ns)


@exclusive
@valid
@requirement("MOPS-4.1-133", case=3)
def test_no_datagram_before_success(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """Until the reply no datagram of a UDP socket that migrates comes from the new address."""
    needs(case, "mops.udp", "mops.unique_id")
    flow = app.open_flow(correspondent, mobile_allowed=True, unique_id=0x51AC0FFE)
    move = dut.move()
    request = dut.request(move, flow)
    flow.socket.send(WAITING)
    dut.quiesce()
    early = [frame for frame, packet in flow.local.datagrams(move.mark) if packet.src == move.new]
    require_none("datagrams from the new address", early)
    correspondent.reply_success(request, flow)
    with preamble():
        dut.continues(flow)


@exclusive
@valid
@requirement("MOPS-B-21", case=1)
def test_what_is_taken_before_success(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """Reported: whether the application gets what the server sends to the new tuple before it has replied."""
    connection = app.connect(correspondent)
    request = dut.request(dut.move(), connection)
    connection.expect_at(request)
    connection.local.send(WAITING)
    came, _ = connection.socket.read(len(WAITING), 0.3)
    case.values["data at the new tuple before the reply"] = "taken" if came == WAITING else "not taken"
