# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.1, the mobile node after its Migrate: what success and failure bring about."""

import pytest

from conformance.mops.dut.mobile_node import Applications, MobileNode
from conformance.mops.migrate import ReceivedMigrate, messages
from conformance.mops.tester.server import Connection, Correspondent
from layers.mops import FAILED, MIGRATE, MIGRATE_ATOMIC, SUCCESS, MOPSMigrate
from testbed import exclusive, inopportune, requirement, valid
from testbed.case.case import LATER_S, Case
from testbed.case.expect import preamble
from testbed.case.verdict import require
from testbed.interruptions import NotApplicable
from testbed.peers.host import Move
from testbed.wire.capture import Sent
from testbed.wire.clock import NANO

WAITING = b"waiting for the reply"


def refuse(
    dut: MobileNode, move: Move, refused: Connection, served: Connection, code: int
) -> tuple[ReceivedMigrate, Sent]:
    """Reply "failed" for one connection and serve the other; NotApplicable unless the request has this code.

    The request for the connection that is refused, and the reply to it.
    """
    requests = [dut.request(move, connection) for connection in (refused, served)]
    for request in {request.frame.index: request for request in requests}.values():
        if (request.message.code == MIGRATE_ATOMIC) != (code == MIGRATE_ATOMIC):
            raise NotApplicable(f"the device's Migrate #{request.frame.index} has code {request.message.code}")
        if request.frame is requests[0].frame:
            failed = refused.server.reply_in_time(request, FAILED, entries=[request.entry(refused)])
        else:
            served.server.reply_in_time(request, SUCCESS)
    if code != MIGRATE_ATOMIC or requests[0].frame is not requests[1].frame:
        served.expect_at(requests[1])
    return requests[0], failed


@exclusive
@valid
@requirement("MOPS-4.1-132", case=1)
def test_streams_continue_byte_exact(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """Data lost in both directions at the move, and data that waited, arrives in order, from the new address alone."""
    connection = app.connect(correspondent)
    local, socket = connection.local, connection.socket
    lost, start = bytes(range(256)) * 20, len(local.stream)
    sent_ns = socket.send(lost)
    case.watch(0.02)
    local.drop_unread()
    move = dut.move()
    theirs = local.segment("PA", b"lost on its way to the device")
    local.send_lost(bytes(theirs.payload))
    request = dut.request(move, connection)
    socket.send(WAITING)
    mark, replied_ns = case.mark(), correspondent.reply_success(request, connection)
    dut.delivers(local, lost + WAITING, replied_ns, start, sent_ns)
    theirs.ack, theirs.dport = local.rcv_nxt, local.remote_port
    local.transmit(theirs)
    dut.application_reads(socket, bytes(theirs.payload))
    dut.continues(connection, b"and more")
    dut.expect_silence(local, mark, resets=False, source=move.old)


@exclusive
@valid
@requirement("MOPS-4.1-134", case=1)
def test_time_from_success_to_waiting_data(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """Measured: how soon after "success" data that was waiting is on the wire."""
    connection = app.connect(correspondent)
    move = dut.move()
    request = dut.request(move, connection)
    start = len(connection.local.stream)
    dut.application_takes(connection.socket, WAITING)
    replied_ns = correspondent.reply_success(request, connection)
    with preamble():
        dut.delivers(connection.local, WAITING, replied_ns, start)
    first = dut.first_segment_from(move, connection, replied_ns)
    case.values["success to first segment"] = f"{(first.ns - replied_ns) / NANO * 1000:.1f} ms"


@exclusive
@valid
@requirement("MOPS-4.1-135", case=1)
def test_connection_not_listed_as_failed_continues(
    dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """After "failed" to a best-effort request a connection that the reply does not list continues where it moved."""
    refused, served = app.connect(correspondent), app.connect(correspondent)
    refuse(dut, dut.move(), refused, served, MIGRATE)
    dut.continues(served)


@exclusive
@valid
@requirement("MOPS-4.1-136", case=1)
def test_failed_connection_sends_no_data(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """After "failed" to a best-effort request a connection that the reply lists sends nothing from the new address."""
    refused, served = app.connect(correspondent), app.connect(correspondent)
    move = dut.move()
    _, reply = refuse(dut, move, refused, served, MIGRATE)
    with preamble():
        dut.continues(served)
    app.try_to_send(refused)
    case.watch(LATER_S)
    dut.expect_silence(refused.local, case.trace.mark_after(reply.frame), source=move.new)


@exclusive
@valid
@requirement("MOPS-4.1-136", case=3)
def test_every_connection_that_failed_sends_no_data(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """Of three connections the reply to a best-effort request lists two: neither sends, and the third continues."""
    connections = [app.connect(correspondent) for _ in range(3)]
    move = dut.move()
    requests = {one.frame.index: one for one in (dut.request(move, connection) for connection in connections)}
    for request in requests.values():
        if request.message.code == MIGRATE_ATOMIC:
            raise NotApplicable(f"the device's Migrate #{request.frame.index} has code 1")
        refused = [entry for one in connections[:2] if (entry := request.find_entry(one)) in request.entries and entry]
        mark = case.trace.mark_after(
            correspondent.reply_in_time(request, FAILED, entries=refused).frame
            if refused
            else correspondent.reply_in_time(request).frame
        )
    connections[2].expect_at(dut.request(move, connections[2]))
    with preamble():
        dut.continues(connections[2])
    for connection in connections[:2]:
        app.try_to_send(connection)
        dut.expect_silence(connection.local, mark, source=move.new)


@exclusive
@valid
@requirement("MOPS-4.1-137", case=1)
def test_atomic_failure_holds_for_every_connection(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """After "failed" to an atomic request no connection that it lists sends anything from the new address."""
    refused, other = app.connect(correspondent), app.connect(correspondent)
    elsewhere = app.connect(Correspondent(case))
    move = dut.move()
    elsewhere.server.reply_success(dut.request(move, elsewhere), elsewhere)
    request, reply = refuse(dut, move, refused, other, MIGRATE_ATOMIC)
    with preamble():
        dut.continues(elsewhere)
    for connection in (refused, *([other] if request.find_entry(other) else [])):
        app.try_to_send(connection)
        dut.expect_silence(connection.local, case.trace.mark_after(reply.frame), source=move.new)


@exclusive
@valid
@requirement("MOPS-4.1-138", case=1)
def test_what_the_application_sees_of_a_failure(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """Reported: the error of the application's socket after "failed", and whether the node tries again."""
    connection = app.connect(correspondent)
    move = dut.move()
    correspondent.reply_in_time(dut.request(move, connection), FAILED)
    dut.quiesce()
    case.values["socket error"] = connection.socket.error() or "none"
    case.values["Migrates"] = str(len(correspondent.requests(move.mark)))


@exclusive
@valid
@requirement("MOPS-4.1-144", case=1)
def test_reply_with_reserved_bits_is_taken(dut: MobileNode, app: Applications, correspondent: Correspondent) -> None:
    """A success with every bit of Reserved set counts like any other."""
    connection = app.connect(correspondent)
    request = dut.request(dut.move(), connection)
    correspondent.reply_in_time(request, SUCCESS, reserved=0xFFFF)
    connection.expect_at(request)
    dut.continues(connection)


@exclusive
@inopportune
@requirement("MOPS-4.1-145", case=1)
def test_replies_are_not_answered(case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent) -> None:
    """Replies, to a request or to none, elicit no message from the node."""
    connection = app.connect(correspondent)
    request = dut.request(dut.move(), connection)
    correspondent.reply_success(request, connection)
    mark = case.mark()
    for code in (SUCCESS, FAILED):
        correspondent.reply(request, code)
        correspondent.reply(request, code, entries=[(1, 2, 3)])
    dut.quiesce()
    with preamble():
        dut.continues(connection)
    for frame, message in messages(case, mark):
        same = isinstance(message, MOPSMigrate) and message.code not in (SUCCESS, FAILED)
        require(same and bytes(message) == request.octets, "message", "none", message.summary(), frame)


@pytest.mark.parametrize("second", [SUCCESS, FAILED], ids=["success again", "failed after success"])
@exclusive
@inopportune
@requirement("MOPS-4.1-146", case=1)
def test_second_reply_changes_nothing(
    dut: MobileNode, app: Applications, correspondent: Correspondent, second: int
) -> None:
    """After a success another reply to the same request, equal or contrary, leaves the connection as it is."""
    connection = app.connect(correspondent)
    request = dut.request(dut.move(), connection)
    correspondent.reply_success(request, connection)
    correspondent.reply(request, second)
    dut.continues(connection)


@exclusive
@inopportune
@requirement("MOPS-4.1-146", case=2)
def test_success_after_failed_revives_nothing(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """After "failed" a success to the same request does not bring the connection to its migrated tuple."""
    connection, elsewhere = app.connect(correspondent), app.connect(Correspondent(case))
    move = dut.move()
    request = dut.request(move, connection)
    elsewhere.server.reply_success(dut.request(move, elsewhere), elsewhere)
    failed = correspondent.reply_in_time(request, FAILED)
    with preamble():
        dut.continues(elsewhere)
    correspondent.reply(request, SUCCESS)
    app.try_to_send(connection)
    case.watch(LATER_S)
    dut.expect_silence(connection.local, case.trace.mark_after(failed.frame), source=move.new)
