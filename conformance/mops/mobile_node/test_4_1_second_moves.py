# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.1: a second move of a mobile node with connections that it has accepted, with data in flight, and after."""

from conformance.mops.dut.mobile_node import Applications, MobileNode
from conformance.mops.migrate import in_mops
from conformance.mops.tester.server import Correspondent
from testbed import exclusive, requirement, valid, waits
from testbed.case.case import LATER_S, Case
from testbed.case.verdict import require

BULK = bytes(range(256)) * 16


@exclusive
@valid
@requirement("MOPS-4.1-150", case=11)
def test_accepted_connection_moves_twice(dut: MobileNode, app: Applications, correspondent: Correspondent) -> None:
    """A connection that the node has accepted is named with the tuple of its first move at the second one."""
    connection = app.accept(correspondent, app.listen())
    dut.complete_move(connection)
    old = dut.address
    request = dut.migrates(dut.move(), connection)
    named = request.address("previous_source"), request.entry(connection)[0]
    expected = in_mops(old), connection.previous_port
    require(named == expected, "previous tuple", expected, named, request.frame)
    correspondent.reply_success(request, connection)
    dut.continues(connection)


@exclusive
@valid
@requirement("MOPS-4.1-150", case=12)
def test_data_in_flight_at_a_second_move_arrives(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """What the application has sent before a second move, the server having got none of it, arrives after it."""
    connection = app.connect(correspondent)
    dut.complete_move(connection)
    start = len(connection.local.stream)
    sending, sent_ns = connection.socket.begin_send(BULK), case.clock.now_ns()
    case.watch(0.05)
    connection.local.drop_unread()
    request = dut.migrates(dut.move(), connection)
    replied_ns = correspondent.reply_success(request, connection)
    dut.delivers(connection.local, BULK, replied_ns, start, sent_ns)
    sending.result()
    dut.continues(connection)


@exclusive
@valid
@requirement("MOPS-4.1-150", case=13)
@waits(1)
def test_connection_is_still_there_a_while_after_a_second_move(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """In the time after a second success the connection is neither reset nor closed, and carries data."""
    connection = app.connect(correspondent)
    for _ in range(2):
        move = dut.complete_move(connection)
    mark = case.mark()
    case.watch(LATER_S)
    dut.has_not_ended(connection, mark, move)
    dut.continues(connection)
