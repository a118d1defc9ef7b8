# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 2.1: connections that one side has closed, or whose close was lost, when the node moves."""

from conformance.mops.dut.mobile_node import Applications, MobileNode
from conformance.mops.tester.server import Connection, Correspondent
from testbed import exclusive, requirement, valid
from testbed.case.case import Case
from testbed.case.expect import preamble
from testbed.case.verdict import Broken, Finding, require
from testbed.peers.connection import await_state
from testbed.peers.tcp import TcpPeer

DATA = b"after the server has closed its side"


def closes_in_order(case: Case, peer: TcpPeer, since_ns: int, unanswered_since_ns: int = 0) -> None:
    """The device's FIN comes in time, after all its data, to where the connection is."""
    unanswered_s = (since_ns - unanswered_since_ns) / 1e9 if unanswered_since_ns else 0.0
    deadline = case.deadline(case.setup.profile.ixit.tcp_within_s + 2 * unanswered_s, since_ns)
    if await_state(case, peer, deadline, lambda: peer.state == "CLOSE-WAIT") is None:
        raise Broken(Finding(f"no FIN came to {peer}", "a FIN", peer.state), deadline)
    peer.acknowledge()


def is_acknowledged(case: Case, peer: TcpPeer, since_ns: int) -> None:
    """The device acknowledges all that the peer has sent, its FIN included."""
    deadline = case.deadline(since_ns=since_ns)
    if await_state(case, peer, deadline, lambda: peer.snd_una == peer.snd_nxt) is None:
        raise Broken(Finding(f"the FIN of {peer} is not acknowledged", "an acknowledgement", "none"), deadline)


def server_closes(case: Case, connection: Connection) -> None:
    """The server closes its side, and the device acknowledges that; preamble."""
    with preamble():
        is_acknowledged(case, connection.local, connection.local.finish().ns)


@exclusive
@valid
@requirement("MOPS-2.1-11", case=1)
def test_connection_that_the_server_has_closed(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """In CLOSE-WAIT the connection migrates; data and close of the application reach the server at the new tuple."""
    connection = app.connect(correspondent)
    local = connection.local
    server_closes(case, connection)
    request = dut.migrates(dut.move(), connection)
    number = request.entry(connection)[2]
    require(number == local.rcv_nxt, "sequence number", local.rcv_nxt, number, request.frame)
    correspondent.reply_success(request, connection)
    start = len(local.stream)
    dut.delivers(local, DATA, dut.application_takes(connection.socket, DATA), start)
    local.acknowledge()
    asked_ns = case.clock.now_ns()
    connection.socket.close()
    closes_in_order(case, local, asked_ns)


@exclusive
@valid
@requirement("MOPS-4.1-132", case=2)
def test_data_and_close_that_waited_arrive_in_order(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """What the application sent and its close, both while the Migrate was unanswered, follow the success."""
    connection = app.connect(correspondent)
    request, start = dut.request(dut.move(), connection), len(connection.local.stream)
    asked_ns = dut.application_takes(connection.socket, DATA)
    connection.socket.close()
    dut.quiesce()
    replied_ns = correspondent.reply_success(request, connection)
    dut.delivers(connection.local, DATA, replied_ns, start, asked_ns)
    closes_in_order(case, connection.local, replied_ns, asked_ns)


@exclusive
@valid
@requirement("MOPS-2.1-12", case=1)
def test_connection_that_the_application_has_closed(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """In FIN-WAIT-2 the connection migrates, and the server's close is acknowledged from the new tuple."""
    connection = app.connect(correspondent)
    asked_ns = case.clock.now_ns()
    connection.socket.close()
    with preamble():
        closes_in_order(case, connection.local, asked_ns)
    dut.quiesce()
    request = dut.migrates(dut.move(), connection)
    number = request.entry(connection)[2]
    require(number == connection.local.rcv_nxt, "sequence number", connection.local.rcv_nxt, number, request.frame)
    correspondent.reply_success(request, connection)
    is_acknowledged(case, connection.local, connection.local.finish().ns)


@exclusive
@valid
@requirement("MOPS-2.1-12", case=2)
def test_close_that_was_lost_at_the_move(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """In FIN-WAIT-1 and LAST-ACK, the FIN lost, the connection migrates and the FIN comes from the new tuple."""
    fin_wait, last_ack = app.connect(correspondent), app.connect(Correspondent(case))
    server_closes(case, last_ack)
    asked_ns = case.clock.now_ns()
    for connection in (fin_wait, last_ack):
        connection.socket.close()
        dut.barrier()
        connection.local.drop_unread()
    move = dut.move()
    for connection in (fin_wait, last_ack):
        request = dut.migrates(move, connection)
        replied_ns = connection.server.reply_success(request, connection)
        closes_in_order(case, connection.local, replied_ns, asked_ns)
