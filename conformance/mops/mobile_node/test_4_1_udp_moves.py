# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.1, Mobile UDP: replies, silence and several moves, as for TCP."""

from collections.abc import Callable

import pytest

from conformance.applicability import needs
from conformance.mops.dut.mobile_node import Applications, MobileNode
from conformance.mops.dut.unanswered import UnansweredMigrate
from conformance.mops.migrate import Message, ReceivedMigrate, in_mops, off_by_one
from conformance.mops.tester.server import Correspondent, UdpFlow
from layers.mops import FAILED
from testbed import exclusive, inopportune, invalid, requirement, valid, waits
from testbed.case.case import Case
from testbed.case.expect import preamble
from testbed.case.verdict import Broken, Finding, require, require_none
from testbed.interruptions import NotApplicable
from testbed.peers.udp import expect_datagram
from testbed.wire.capture import Mark

UNIQUE_ID = 0x51AC0FFE


@pytest.fixture
def flow(case: Case, app: Applications, correspondent: Correspondent) -> UdpFlow:
    """A UDP flow of the device that migrates."""
    needs(case, "mops.udp", "mops.unique_id", "mops.mobile_allowed")
    return app.open_flow(correspondent, mobile_allowed=True, unique_id=UNIQUE_ID)


def expect_no_datagram(dut: MobileNode, flow: UdpFlow, since: Mark) -> None:
    """Until barrier and quiet window no datagram comes from where the device is now."""
    dut.quiesce()
    came = [frame for frame, packet in flow.local.datagrams(since) if packet.src == dut.address]
    require_none(f"datagrams received at {flow.local}", came)


@exclusive
@valid
@requirement("MOPS-4.1-124", case=2)
@waits(2)
def test_unanswered_migrate_of_udp_is_retransmitted(case: Case, dut: MobileNode, flow: UdpFlow) -> None:
    """A Migrate of a UDP socket that is not answered is retransmitted."""
    unanswered = UnansweredMigrate(case, dut, flow)
    if unanswered.await_retransmission(1) is None:
        finding = Finding("retransmissions of the Migrate", "at least one", "none")
        raise Broken(finding, unanswered.next_deadline(1))


@exclusive
@valid
@requirement("MOPS-4.1-128", case=2)
@waits(8.5)
def test_application_of_udp_sees_an_error_in_the_end(case: Case, dut: MobileNode, flow: UdpFlow) -> None:
    """When the last retransmission has not been answered either, the application's UDP socket fails."""
    UnansweredMigrate(case, dut, flow).gives_up()


@exclusive
@valid
@requirement("MOPS-4.1-136", case=2)
def test_failed_flow_sends_no_datagram(
    case: Case, dut: MobileNode, app: Applications, flow: UdpFlow, correspondent: Correspondent
) -> None:
    """After "failed" a UDP socket sends nothing from the new address, while another one that was served does."""
    elsewhere = Correspondent(case)
    served = app.open_flow(elsewhere, mobile_allowed=True, unique_id=UNIQUE_ID + 1)
    move = dut.move()
    elsewhere.reply_success(dut.request(move, served), served)
    reply = correspondent.reply_in_time(dut.request(move, flow), FAILED)
    with preamble():
        dut.continues(served)
    for _ in range(2):
        flow.socket.try_send(b"is this flow dead?")
    expect_no_datagram(dut, flow, case.trace.mark_after(reply.frame))


@exclusive
@inopportune
@requirement("MOPS-4.1-147", case=2)
@waits(9)
def test_late_success_revives_no_flow(case: Case, dut: MobileNode, app: Applications, flow: UdpFlow) -> None:
    """A socket that was given up neither a late success nor a datagram to the new tuple brings back; others move."""
    unanswered = UnansweredMigrate(case, dut, flow)
    unanswered.await_give_up()
    mark = case.mark()
    flow.server.reply(unanswered.first)
    flow.expect_at(unanswered.first)
    sent = flow.local.send(b"to a socket that is dead")
    flow.socket.try_send(b"is this flow dead?")
    expect_no_datagram(dut, flow, mark)
    came = flow.socket.receive(0.1)
    require(not came, "what the application reads from a dead socket", "nothing", repr(came), sent.frame)
    dut.complete_move(app.connect(flow.server))


@exclusive
@valid
@requirement("MOPS-4.1-150", case=2)
def test_second_move_of_a_flow_names_the_tuple_of_the_first(
    dut: MobileNode, flow: UdpFlow, correspondent: Correspondent
) -> None:
    """The second Migrate of a UDP socket names the address of the first, and datagrams flow after each of three."""
    for number in range(3):
        old = dut.address
        request = dut.request(dut.move(), flow)
        named = request.address("previous_source"), request.entry(flow)[0]
        expected = in_mops(old), flow.previous_port
        require(named == expected, "previous tuple", expected, named, request.frame)
        correspondent.reply_success(request, flow)
        with preamble(f"no datagrams after move {number + 1}"):
            dut.continues(flow)


@exclusive
@valid
@requirement("MOPS-4.1-120", case=11)
def test_udp_socket_migrates_at_every_move(dut: MobileNode, flow: UdpFlow, correspondent: Correspondent) -> None:
    """A UDP socket with a Unique ID is listed at a second move, and back home, with that Unique ID."""
    for to in ("", "", dut.home):
        request = dut.migrates(dut.move(to), flow)
        seen = request.entry(flow)[2]
        require(seen == UNIQUE_ID, "identifier", UNIQUE_ID, seen, request.frame)
        correspondent.reply_success(request, flow)
        with preamble():
            dut.continues(flow)


def wrong_checksum(correspondent: Correspondent, request: ReceivedMigrate) -> Message:
    """A success whose checksum is one too large."""
    return off_by_one(bytes(correspondent.reply_message(request)))


def wrong_identifier(correspondent: Correspondent, request: ReceivedMigrate) -> Message:
    """A success about the next Unique ID."""
    previous, migrated, identifier = request.entries[0]
    return correspondent.reply_message(request, entries=[(previous, migrated, identifier ^ 1)])


def right_reply(correspondent: Correspondent, request: ReceivedMigrate) -> Message:
    """A success that is right in everything, but comes from elsewhere."""
    return correspondent.reply_message(request)


@pytest.mark.parametrize(
    "forge",
    [
        pytest.param(wrong_checksum, id="wrong checksum", marks=requirement("MOPS-4.1-139")),
        pytest.param(wrong_identifier, id="wrong identifier", marks=requirement("MOPS-4.1-162")),
        pytest.param(right_reply, id="another sender", marks=requirement("MOPS-4.1-141")),
    ],
)
@exclusive
@invalid
@requirement(case=12)
def test_forged_reply_about_udp_is_silently_discarded(
    case: Case,
    dut: MobileNode,
    flow: UdpFlow,
    correspondent: Correspondent,
    forge: Callable[[Correspondent, ReceivedMigrate], Message],
) -> None:
    """A forged success about a UDP socket has it send nothing from the new address; the honest one does."""
    move = dut.move()
    request = dut.request(move, flow)
    flow.socket.try_send(b"before any reply")
    dut.quiesce()
    if any(packet.src == dut.address for _, packet in flow.local.datagrams(move.mark)):
        raise NotApplicable("the device speaks before it has an answer: that is MOPS-4.1-133")
    mark = case.mark()
    correspondent.send(request, forge(correspondent, request), case.station() if forge is right_reply else None)
    expect_no_datagram(dut, flow, mark)
    since = case.mark()
    replied_ns = correspondent.reply_success(request, flow)
    expect_datagram(case, flow.local, since, case.deadline(since_ns=replied_ns), checks_source=True)
