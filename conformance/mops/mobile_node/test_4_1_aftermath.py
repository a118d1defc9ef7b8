# SPDX-License-Identifier: GPL-2.0-or-later
"""Sections 2.1 and 4.1, appendix A: what every host owes around a move, and when it does not move."""

import pytest
from scapy.layers.inet import ICMP
from scapy.packet import Raw

from conformance.mops.dut.mobile_node import Applications, MobileNode
from conformance.mops.dut.unanswered import UnansweredMigrate
from conformance.mops.migrate import messages
from conformance.mops.tester.server import Correspondent
from layers.mops import MOPSMigrate
from testbed import exclusive, inopportune, requirement, valid, waits
from testbed.case.case import LATER_S, Case
from testbed.case.expect import preamble
from testbed.case.verdict import require_none
from testbed.interruptions import NotApplicable
from testbed.peers.connection import new_peer
from testbed.wire.clock import NANO

ICMPV4 = 1
IP_HEADER = 20
SOFT = {"network unreachable": (3, 0), "host unreachable": (3, 1), "time exceeded": (11, 0)}
MOVES = 10


@pytest.mark.parametrize("tuple_of", ["old tuple before", "old tuple after", "new tuple"])
@pytest.mark.parametrize("error", SOFT)
@exclusive
@inopportune
@requirement("MOPS-2.1-13", case=1)
def test_soft_icmp_error_ends_nothing(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent, error: str, tuple_of: str
) -> None:
    """An ICMP error about the tuple that is left, or about the new one, leaves the connection as it is."""
    if case.network.name != "ipv4":
        raise NotApplicable("these messages are those of ICMPv4")
    connection = app.connect(correspondent)
    kind, code = SOFT[error]
    old = dut.segments(connection.local)[-1]
    request = dut.request(dut.move(), connection)
    if tuple_of != "old tuple before":
        correspondent.reply_success(request, connection)
        dut.continues(connection)
    about = dut.segments(connection.local)[-1] if tuple_of == "new tuple" else old
    quoted = about.frame.data[about.ip.start - IP_HEADER : about.ip.start + 8]
    error_message = ICMP(type=kind, code=code) / Raw(quoted)
    case.station().send(ICMPV4, error_message, destination=dut.address)
    if tuple_of == "old tuple before":
        dut.barrier()
        correspondent.reply_success(request, connection)
    case.watch(LATER_S)
    dut.continues(connection)


@pytest.mark.parametrize("error", [*SOFT, "protocol unreachable"])
@exclusive
@inopportune
@requirement("MOPS-2.1-13", case=2)
def test_icmp_error_about_a_migrate_concerns_that_server_alone(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent, error: str
) -> None:
    """An ICMP error about the Migrate to one server: the connection to another one continues."""
    if case.network.name != "ipv4":
        raise NotApplicable("these messages are those of ICMPv4")
    lost, kept = app.connect(Correspondent(case)), app.connect(correspondent)
    move = dut.move()
    about, request = dut.request(move, lost).frame, dut.request(move, kept)
    header = case.network.header(about.data)
    assert header
    kind, code = SOFT.get(error, (3, 2))
    quoted = about.data[header.start - IP_HEADER : header.start + 8]
    case.station().send(ICMPV4, ICMP(type=kind, code=code) / Raw(quoted), destination=move.new)
    dut.barrier()
    correspondent.reply_success(request, kept)
    dut.continues(kept)


@exclusive
@valid
@requirement("MOPS-4.1-177", case=1)
def test_new_connections_after_a_move(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """At its new address, and back home, the node opens a connection, accepts one and serves its echo service."""
    connection = app.connect(correspondent)
    for to in ("", dut.home):
        dut.complete_move(connection, to=to)
        opened = app.connect(correspondent)
        dut.continues(opened)
        dut.accepts_new_connection(new_peer(case, case.station()))


@exclusive
@valid
@requirement("MOPS-A-23", case=1)
def test_no_migrate_without_a_move(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """Connections that open, are used, idle, reset by the server and closed elicit no Migrate; a move does."""
    mark = case.mark()
    kept, reset, closed = (app.connect(correspondent) for _ in range(3))
    correspondent.refuse(app.begin_connect(correspondent))
    reset.local.reset()
    closed.socket.close()
    case.watch(LATER_S)
    dut.continues(kept)
    sent = [frame for frame, message in messages(case, mark) if isinstance(message, MOPSMigrate)]
    require_none("Migrates without a move", sent)
    dut.request(dut.move(), kept)


@exclusive
@valid
@requirement("MOPS-4.1-179", case=1)
@waits(10)
def test_ten_moves_settle_at_the_last_address(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """After ten moves, half of them served, the last one's Migrate is answered and the connections continue."""
    connections = [app.connect(correspondent) for _ in range(2)]
    for number in range(MOVES):
        move = dut.move()
        requests = [dut.migrates(move, connection) for connection in connections]
        if number % 2 and number < MOVES - 1:
            for request, connection in zip(requests, connections, strict=True):
                correspondent.reply_success(request, connection)
    for index, (request, connection) in enumerate(zip(requests, connections, strict=True)):
        if index == 0 or request.frame is not requests[0].frame:
            correspondent.reply_in_time(request)
        connection.expect_at(request)
    for connection in connections:
        dut.continues(connection)


@exclusive
@inopportune
@requirement("MOPS-4.1-180", case=1)
@waits(10)
def test_late_success_during_the_next_move(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """The server serves the first of two moves alone, whose success comes late: the application gets an error."""
    connection = app.connect(correspondent)
    dut.complete_move(connection)
    first = dut.request(dut.move(), connection)
    second = UnansweredMigrate(case, dut, connection)
    late = correspondent.reply_message(first)
    correspondent.station.send(case.network.icmp_protocol, late, destination=second.first.packet.src)
    second.gives_up()


@exclusive
@inopportune
@requirement("MOPS-4.1-181", case=1)
def test_recorded_success_answers_no_later_move(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """The success of the first move, sent again during the second, is not believed; the honest one is."""
    connection = app.connect(correspondent)
    first = dut.request(dut.move(), connection)
    correspondent.reply_success(first, connection)
    with preamble():
        dut.continues(connection)
    move = dut.move()
    request, start = dut.request(move, connection), len(connection.local.stream)
    sent_ns = dut.application_takes(connection.socket, b"waiting for the second reply")
    if dut.spoke_early(connection, move):
        raise NotApplicable("the device speaks before it has an answer: that is MOPS-4.1-133")
    mark = case.mark()
    recorded = correspondent.reply_message(first)
    correspondent.station.send(case.network.icmp_protocol, recorded, destination=move.new)
    dut.expect_silence(connection.local, mark, resets=False, source=move.new)
    replied_ns = correspondent.reply_success(request, connection)
    dut.delivers(connection.local, b"waiting for the second reply", replied_ns, start, sent_ns)


@exclusive
@valid
@requirement("MOPS-4.1-132", case=5)
@waits(2)
def test_bulk_in_flight_at_the_move(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """64 KiB that the application has sent, the server having got none of it, arrive in order after the success."""
    connection = app.connect(correspondent)
    bulk, start = bytes(range(256)) * 256, len(connection.local.stream)
    sending, sent_ns = connection.socket.begin_send(bulk), case.clock.now_ns()
    case.watch(0.05)
    connection.local.drop_unread()
    request = dut.request(dut.move(), connection)
    replied_ns = correspondent.reply_success(request, connection)
    dut.delivers(connection.local, bulk, replied_ns, start, sent_ns)
    sending.result()
    dut.continues(connection)


@exclusive
@valid
@requirement("MOPS-4.1-132", case=4)
def test_connection_is_still_there_a_while_after_the_success(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """In the second after the success nothing is reset, sent twice or sent from the old address, with data or idle."""
    busy, idle = app.connect(correspondent), app.connect(Correspondent(case))
    move = dut.complete_move(busy, idle)
    mark, known = case.mark(), len(correspondent.requests(move.mark))
    case.wait_until(case.clock.now_ns() + NANO)
    dut.quiesce()
    for connection in (busy, idle):
        dut.has_not_ended(connection, mark, move)
        dut.continues(connection)
    require_none("Migrates after the success", [one.frame for one in correspondent.requests(move.mark)[known:]])
