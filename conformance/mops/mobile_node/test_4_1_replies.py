# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.1, the mobile node after its Migrate: what success and failure bring about."""

import contextlib

import pytest

from conformance.mops.dut.mobile_node import Device
from conformance.mops.tester.server import Asked, Correspondent
from conformance.mops.tester.sessions import Move, Session, entry_of, listed
from layers.mops import FAILED, MIGRATE_ATOMIC, SUCCESS, MOPSMigrate
from testbed import exclusive, inopportune, requirement, valid
from testbed.case.case import Case
from testbed.case.verdict import require
from testbed.device.upper_tester import OperationFailed
from testbed.interruptions import NotApplicable
from testbed.wire.clock import NANO


def is_refused(device: Device, move: Move, refused: list[Session], served: list[Session], code: int) -> Asked:
    """The server refuses some connections and serves the others; NotApplicable unless the request has this code."""
    requests = {session.connection: device.asks(move, session) for session in refused + served}
    for request in {request.frame.index: request for request in requests.values()}.values():
        if (request.message.code == MIGRATE_ATOMIC) != (code == MIGRATE_ATOMIC):
            raise NotApplicable(f"the device's Migrate #{request.frame.index} has code {request.message.code}")
        server = refused[0].server
        entries = [listed(request, one) for one in refused if requests[one.connection].frame is request.frame]
        if entries:
            server.replies_in_time(request, FAILED, entries=entries)
        else:
            server.replies_in_time(request, SUCCESS)
    for session in served if code != MIGRATE_ATOMIC else []:
        device.is_at(requests[session.connection], session)
    return requests[refused[0].connection]


def tries_to_send(device: Device, session: Session) -> None:
    """The application sends data on a connection that may be dead."""
    with contextlib.suppress(OperationFailed):
        device.application_sends(session, b"is this connection dead?")


@exclusive
@valid
@requirement("MOPS-4.1-132", case=1)
def test_streams_go_on_byte_exact(case: Case, device: Device, correspondent: Correspondent) -> None:
    """Data lost in both directions at the move, and data that waited, arrives in order, from the new address alone."""
    session = device.connects(correspondent)
    lost, start = bytes(range(256)) * 20, len(session.end.stream)
    sent_ns = device.application_sends(session, lost)
    case.watch(0.02)
    session.end.drop_unread()
    move = device.moves()
    theirs = session.end.segment("PA", b"lost on its way to the device")
    session.end.send_lost(bytes(theirs.payload))
    request = device.asks(move, session)
    waiting = b"sent while the reply was awaited"
    device.application_sends(session, waiting)
    mark, told_ns = case.mark(), device.is_told(request, session)
    device.delivers(session, lost + waiting, start, told_ns, sent_ns)
    theirs.ack, theirs.dport = session.end.rcv_nxt, session.end.remote_port
    session.end.transmit(theirs)
    device.application_reads(session, bytes(theirs.payload))
    device.serves(session, b"and more")
    device.sends_nothing(session, mark, move.old, resets=False)


@exclusive
@valid
@requirement("MOPS-4.1-133", case=1)
def test_no_segment_before_success(device: Device, correspondent: Correspondent) -> None:
    """Until the reply nothing of the connection comes from the new address."""
    session = device.connects(correspondent)
    move = device.moves()
    device.asks(move, session)
    device.application_sends(session, b"waiting for the reply")
    device.sends_nothing(session, move.mark, move.new, resets=False)


@exclusive
@valid
@requirement("MOPS-4.1-134", case=1)
def test_time_from_success_to_waiting_data(case: Case, device: Device, correspondent: Correspondent) -> None:
    """Measured: how soon after "success" data that was waiting is on the wire."""
    session = device.connects(correspondent)
    move = device.moves()
    request = device.asks(move, session)
    data, start = b"waiting for the reply", len(session.end.stream)
    device.application_sends(session, data)
    told_ns = device.is_told(request, session)
    device.preamble(lambda: device.delivers(session, data, start, told_ns))
    first = next(frame for frame, _ in device.segments(session, move.mark, move.new) if frame.ns > told_ns)
    case.values["success to first segment"] = f"{(first.ns - told_ns) / NANO * 1000:.1f} ms"


@exclusive
@valid
@requirement("MOPS-4.1-135", case=1)
def test_connections_not_listed_as_failed_go_on(device: Device, correspondent: Correspondent) -> None:
    """After "failed" to a best-effort request the connections that the reply does not list go on where they went."""
    refused, served = device.connects(correspondent), device.connects(correspondent)
    move = device.moves()
    is_refused(device, move, [refused], [served], 0)
    device.goes_on(served)


@exclusive
@valid
@requirement("MOPS-4.1-136", case=1)
def test_failed_connection_sends_no_data(device: Device, correspondent: Correspondent) -> None:
    """After "failed" to a best-effort request a connection that the reply lists sends nothing from the new address."""
    refused, served = device.connects(correspondent), device.connects(correspondent)
    move = device.moves()
    is_refused(device, move, [refused], [served], 0)
    tries_to_send(device, refused)
    device.sends_nothing(refused, move.mark, move.new)


@exclusive
@valid
@requirement("MOPS-4.1-137", case=1)
def test_atomic_failure_holds_for_every_connection(device: Device, correspondent: Correspondent) -> None:
    """After "failed" to an atomic request no connection sends anything from the new address."""
    refused, listed_nowhere = device.connects(correspondent), device.connects(correspondent)
    move = device.moves()
    request = is_refused(device, move, [refused], [listed_nowhere], MIGRATE_ATOMIC)
    for session in (refused, *([listed_nowhere] if entry_of(request, listed_nowhere) else [])):
        tries_to_send(device, session)
        device.sends_nothing(session, move.mark, move.new)


@exclusive
@valid
@requirement("MOPS-4.1-138", case=1)
def test_what_the_application_sees_of_a_failure(case: Case, device: Device, correspondent: Correspondent) -> None:
    """Reported: what the application is told after "failed", and whether the node tries again."""
    session = device.connects(correspondent)
    move = device.moves()
    correspondent.replies_in_time(device.asks(move, session), FAILED)
    device.calms_down()
    case.values["the application is told"] = device.error_of(session) or "nothing"
    case.values["Migrates"] = str(len(correspondent.asked(move.mark)))


@exclusive
@valid
@requirement("MOPS-4.1-144", case=1)
def test_reply_with_reserved_bits_is_taken(device: Device, correspondent: Correspondent) -> None:
    """A success with every bit of Reserved set counts like any other."""
    session = device.connects(correspondent)
    request = device.asks(device.moves(), session)
    correspondent.replies_in_time(request, SUCCESS, reserved=0xFFFF)
    device.is_at(request, session)
    device.goes_on(session)


@exclusive
@inopportune
@requirement("MOPS-4.1-145", case=1)
def test_replies_are_not_answered(case: Case, device: Device, correspondent: Correspondent) -> None:
    """Replies, asked for or not, draw no message from the node."""
    session = device.connects(correspondent)
    request = device.asks(device.moves(), session)
    device.is_told(request, session)
    mark = case.mark()
    for code in (SUCCESS, FAILED):
        correspondent.replies(request, code)
        correspondent.replies(request, code, entries=[(1, 2, 3)])
    device.calms_down()
    for frame, message in case.messages(mark):
        same = isinstance(message, MOPSMigrate) and message.code not in (SUCCESS, FAILED)
        require(same and bytes(message) == request.octets, "message", "none", message.summary(), frame)


@pytest.mark.parametrize("second", [SUCCESS, FAILED], ids=["success again", "failed after success"])
@exclusive
@inopportune
@requirement("MOPS-4.1-146", case=1)
def test_second_reply_changes_nothing(device: Device, correspondent: Correspondent, second: int) -> None:
    """After a success another reply to the same request, equal or contrary, leaves the connection as it is."""
    session = device.connects(correspondent)
    request = device.asks(device.moves(), session)
    device.is_told(request, session)
    correspondent.replies(request, second)
    device.goes_on(session)


@exclusive
@inopportune
@requirement("MOPS-4.1-146", case=2)
def test_success_after_failed_revives_nothing(case: Case, device: Device, correspondent: Correspondent) -> None:
    """After "failed" a success to the same request does not bring the connection to its migrated tuple."""
    session = device.connects(correspondent)
    move = device.moves()
    request = device.asks(move, session)
    correspondent.replies_in_time(request, FAILED)
    tries_to_send(device, session)
    device.preamble(lambda: device.sends_nothing(session, move.mark, move.new))
    correspondent.replies(request, SUCCESS)
    tries_to_send(device, session)
    device.sends_nothing(session, move.mark, move.new)
