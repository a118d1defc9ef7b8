# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 3: the choice that an application makes with MOBILE_ALLOWED, at a mobile node."""

import pytest

from conformance.applicability import needs
from conformance.mops.dut.mobile_node import Applications, MobileNode
from conformance.mops.dut.sockets import creates_socket
from conformance.mops.tester.server import Correspondent
from testbed import exclusive, requirement, valid
from testbed.case.case import LATER_S, Case
from testbed.case.expect import preamble

UNIQUE_ID = 0x51AC0FFE
DISCARD = 9


@exclusive
@valid
@requirement("MOPS-3-02", case=1)
def test_socket_without_mobile_allowed_is_not_listed(
    dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """A node that moves lists its mobile connection and not the one without MOBILE_ALLOWED."""
    mobile, immobile = app.connect(correspondent), app.connect(correspondent, mobile_allowed=False)
    move = dut.move()
    dut.request(move, mobile)
    dut.never_lists(immobile, move.mark)


@exclusive
@valid
@requirement("MOPS-3-02", case=2)
def test_socket_without_mobile_allowed_is_silent_at_the_new_address(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """A connection without MOBILE_ALLOWED sends neither new nor outstanding data from the new address."""
    mobile, immobile = app.connect(correspondent), app.connect(Correspondent(case), mobile_allowed=False)
    immobile.socket.send(b"outstanding at the move")
    dut.barrier()
    move = dut.complete_move(mobile)
    immobile.socket.try_send(b"from the new address?")
    case.watch(LATER_S)
    dut.expect_silence(immobile.local, move.mark, source=move.new)


@pytest.mark.parametrize("allowed", [True, False], ids=["set", "cleared"])
@valid
@requirement("MOPS-3-03", case=2)
def test_application_can_choose_mobile_allowed(
    case: Case, dut: MobileNode, correspondent: Correspondent, allowed: bool
) -> None:
    """A UDP socket can be created with MOBILE_ALLOWED set and with it cleared."""
    needs(case, "mops.udp")
    choices = {"protocol": "udp", "mobile_allowed": allowed}
    with creates_socket():
        dut.app.connect(correspondent.address, DISCARD, timeout_s=1, **choices).socket()


@exclusive
@valid
@requirement("MOPS-3-04", case=2)
def test_udp_socket_is_not_mobile_by_default(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """A node does not list a UDP socket whose application did not choose, even if it has a Unique ID."""
    needs(case, "mops.unique_id")
    flow = app.open_flow(correspondent, unique_id=UNIQUE_ID)
    mobile = app.open_flow(correspondent, mobile_allowed=True, unique_id=UNIQUE_ID + 1)
    move = dut.move()
    dut.request(move, mobile)
    dut.never_lists(flow, move.mark)


@exclusive
@valid
@requirement("MOPS-3-05", case=20)
def test_tcp_socket_is_mobile_by_default(dut: MobileNode, app: Applications, correspondent: Correspondent) -> None:
    """A node lists a TCP socket whose application did not choose."""
    connection = app.connect(correspondent, mobile_allowed=None)
    dut.migrates(dut.move(), connection)


@exclusive
@valid
@requirement("MOPS-3-05", case=21)
def test_default_holds_at_a_port_that_was_not_mobile(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """A listener without MOBILE_ALLOWED is closed: what one without a choice accepts at its port is mobile."""
    needs(case, "mops.mobile_allowed")
    before = dut.app.listen(mobile_allowed=False)
    before.close()
    connection = app.accept(correspondent, dut.app.listen(before.port))
    chosen = app.accept(Correspondent(case), app.listen())
    move = dut.move()
    dut.request(move, chosen)
    dut.migrates(move, connection)


@exclusive
@valid
@requirement("MOPS-3-06", case=2)
def test_udp_socket_with_mobile_allowed_and_unique_id_migrates(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """A node's UDP socket with MOBILE_ALLOWED and a Unique ID is listed and continues on the new tuple."""
    needs(case, "mops.unique_id")
    flow = app.open_flow(correspondent, mobile_allowed=True, unique_id=UNIQUE_ID)
    request = dut.migrates(dut.move(), flow)
    correspondent.reply_success(request, flow)
    dut.continues(flow)


@exclusive
@valid
@requirement("MOPS-7-03", case=2)
def test_socket_with_mobile_allowed_is_listed(dut: MobileNode, app: Applications, correspondent: Correspondent) -> None:
    """A TCP socket that was opened with MOBILE_ALLOWED is listed, and moves."""
    connection = app.connect(correspondent, mobile_allowed=True)
    correspondent.reply_success(dut.migrates(dut.move(), connection), connection)
    with preamble():
        dut.continues(connection)
