# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.1: several servers, of which one refuses or is silent, and what that leaves behind."""

import pytest

from conformance.mops.dut.mobile_node import Applications, MobileNode
from conformance.mops.dut.unanswered import UnansweredMigrate
from conformance.mops.tester.server import Correspondent
from layers.mops import FAILED
from testbed import exclusive, inopportune, requirement, valid, waits
from testbed.case.case import Case
from testbed.case.expect import preamble
from testbed.case.verdict import Broken, Finding, require
from testbed.interruptions import Inconclusive, NotApplicable
from testbed.wire.clock import NANO


@exclusive
@valid
@requirement("MOPS-4.1-167", case=1)
@waits(9)
def test_silent_server_costs_its_own_connections_alone(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """Of two servers one never answers: its connection ends in an error, and that to the other one continues."""
    silent, served = app.connect(Correspondent(case)), app.connect(correspondent)
    move = dut.move()
    unanswered = UnansweredMigrate(case, dut, silent, move)
    correspondent.reply_success(dut.request(move, served), served)
    dut.continues(served)
    unanswered.await_give_up()
    dut.continues(served)


@exclusive
@valid
@requirement("MOPS-4.1-168", case=1)
def test_refusal_of_one_server_concerns_its_connections_alone(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """Of two servers one refuses: the connection to the other one waits for that one's answer, and continues."""
    refused, served = app.connect(Correspondent(case)), app.connect(correspondent)
    move = dut.move()
    requests = [dut.request(move, connection) for connection in (refused, served)]
    refused.server.reply_in_time(requests[0], FAILED)
    start = len(served.local.stream)
    dut.application_takes(served.socket, b"still waiting")
    dut.quiesce()
    replied_ns = correspondent.reply_success(requests[1], served)
    dut.delivers(served.local, b"still waiting", replied_ns, start)
    dut.continues(served)


@exclusive
@valid
@requirement("MOPS-4.1-168", case=2)
@waits(4)
def test_success_of_one_server_leaves_the_other_unanswered(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """Of two servers one answers at once and one only the retransmission: both connections continue."""
    late, served = app.connect(Correspondent(case)), app.connect(correspondent)
    move = dut.move()
    unanswered = UnansweredMigrate(case, dut, late, move)
    correspondent.reply_success(dut.request(move, served), served)
    again = unanswered.await_retransmission(1)
    if again is None:
        deadline = unanswered.next_deadline(1)
        raise Broken(Finding("the other server's Migrate is not retransmitted", "a retransmission", "none"), deadline)
    late.server.reply_success(again, late)
    for connection in (served, late):
        dut.continues(connection)


@exclusive
@inopportune
@requirement("MOPS-4.1-169", case=1)
@waits(8)
def test_success_for_the_last_retransmission_counts(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """A server that answers only the last retransmission, half an interval after it, has the connection back."""
    connection = app.connect(correspondent)
    unanswered = UnansweredMigrate(case, dut, connection)
    last = unanswered.await_retransmission(unanswered.retries)
    if last is None:
        raise NotApplicable(f"fewer than {unanswered.retries} retransmissions came: that is MOPS-4.1-174")
    case.wait_until(last.frame.ns + round(unanswered.interval_s / 2 * NANO))
    sent = correspondent.reply(last)
    if sent.ns > last.frame.ns + round(0.8 * unanswered.interval_s * NANO):
        raise Inconclusive("the tester answered too late")
    connection.expect_at(last)
    dut.continues(connection)


@exclusive
@valid
@requirement("MOPS-4.1-174", case=1)
@waits(8)
def test_migrate_is_retransmitted_as_often_as_claimed(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """A Migrate that nobody answers is retransmitted as often as the profile says, to each of two silent servers."""
    connections = [app.connect(correspondent), app.connect(Correspondent(case))]
    move = dut.move()
    for connection in connections:
        unanswered = UnansweredMigrate(case, dut, connection, move)
        if unanswered.await_retransmission(unanswered.retries) is None:
            seen = len(unanswered.migrates)
            finding = Finding("retransmissions", f"{unanswered.retries}", f"{seen - 1}")
            raise Broken(finding, unanswered.next_deadline(seen))


@exclusive
@valid
@requirement("MOPS-4.1-174", case=11)
@waits(12)
def test_second_migrate_is_retransmitted_as_often_as_the_first(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """Retransmissions of one move, the last of which was answered, are not counted against those of the next."""
    connection = app.connect(correspondent)
    first = UnansweredMigrate(case, dut, connection)
    last = first.await_retransmission(first.retries)
    if last is None:
        raise NotApplicable(f"fewer than {first.retries} retransmissions came: that is case 1")
    correspondent.reply_success(last, connection)
    with preamble():
        dut.continues(connection)
    second = UnansweredMigrate(case, dut, connection)
    if second.await_retransmission(second.retries) is None:
        seen = len(second.migrates)
        raise Broken(Finding("retransmissions", f"{second.retries}", f"{seen - 1}"), second.next_deadline(seen))


@exclusive
@valid
@requirement("MOPS-4.1-174", case=12)
@waits(8)
def test_migrate_of_an_accepted_connection_is_retransmitted_as_often(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """A Migrate of a connection that the node has accepted is retransmitted as often, and given up in the end."""
    unanswered = UnansweredMigrate(case, dut, app.accept(correspondent, app.listen()))
    if unanswered.await_retransmission(unanswered.retries) is None:
        seen = len(unanswered.migrates)
        raise Broken(Finding("retransmissions", f"{unanswered.retries}", f"{seen - 1}"), unanswered.next_deadline(seen))
    unanswered.gives_up()


@pytest.mark.parametrize("answer", ["refused", "silence"])
@exclusive
@valid
@requirement("MOPS-4.1-170", case=1)
@waits(9)
def test_later_connection_to_the_same_server_migrates(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent, answer: str
) -> None:
    """After a server has refused a connection, or has been silent, a new one to it migrates at the next move."""
    lost = app.connect(correspondent)
    move = dut.move()
    if answer == "refused":
        correspondent.reply_in_time(dut.request(move, lost), FAILED)
        dut.quiesce()
    else:
        UnansweredMigrate(case, dut, lost, move).await_give_up()
    connection = app.connect(correspondent)
    request = dut.migrates(dut.move(), connection)
    correspondent.reply_success(request, connection)
    dut.continues(connection)


@exclusive
@valid
@requirement("MOPS-4.1-185", case=1)
def test_after_a_partial_failure_the_served_ones_migrate_on(
    dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """The next Migrate names the connection that was served with its new tuple, and not the one that was refused."""
    refused, served = app.connect(correspondent), app.connect(correspondent)
    move = dut.move()
    requests = [dut.request(move, connection) for connection in (refused, served)]
    if requests[0].message.code == 1:
        raise NotApplicable("the device's Migrates are atomic")
    correspondent.reply_in_time(requests[0], FAILED, entries=[requests[0].entry(refused)])
    if requests[1].frame is not requests[0].frame:
        correspondent.reply_in_time(requests[1])
    port = refused.previous_port
    served.expect_at(requests[1])
    with preamble():
        dut.continues(served)
    second = dut.move()
    request = dut.migrates(second, served)
    named = request.address("previous_source"), request.entry(served)[0]
    expected = requests[1].address("migrated_source"), served.previous_port
    require(named == expected, "previous tuple", expected, named, request.frame)
    dut.quiesce()
    for one in correspondent.requests(second.mark):
        ports = [previous for previous, _, _ in one.entries]
        require(port not in ports or port == served.previous_port, "ports", f"without {port}", ports, one.frame)
    correspondent.reply_success(request, served)
    dut.continues(served)


@exclusive
@inopportune
@requirement("MOPS-4.1-182", case=1)
def test_application_learns_of_a_refusal(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """The server's socket is not MOBILE_ALLOWED, so it refuses: the application sees an error."""
    connection = app.connect(correspondent)
    replied = correspondent.reply_in_time(dut.request(dut.move(), connection), FAILED)
    dut.application_sees_error(connection.socket, case.deadline(since_ns=replied.ns))
