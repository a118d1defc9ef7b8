# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.1, Mobile UDP: what a mobile node's Migrates say of its UDP sockets."""

from conformance.applicability import needs
from conformance.mops.dut.mobile_node import Applications, MobileNode
from conformance.mops.tester.server import Correspondent
from testbed import exclusive, requirement, valid
from testbed.case.case import Case
from testbed.case.verdict import require
from testbed.wire.headers import TCP_PROTOCOL, UDP_PROTOCOL

UNIQUE_ID = 0x51AC0FFE


@exclusive
@valid
@requirement("MOPS-4.1-105", case=1)
def test_one_migrate_for_each_protocol(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """TCP and UDP sockets to one server are listed in Migrates of their own protocol."""
    needs(case, "mops.unique_id")
    connection = app.connect(correspondent)
    flow = app.open_flow(correspondent, mobile_allowed=True, unique_id=UNIQUE_ID)
    move = dut.move()
    for one, protocol in ((connection, TCP_PROTOCOL), (flow, UDP_PROTOCOL)):
        request = dut.request(move, one)
        require(request.message.protocol == protocol, "protocol", protocol, request.message.protocol, request.frame)
        require(len(request.entries) == 1, "ports listed", "those of one protocol", request.entries, request.frame)


@exclusive
@valid
@requirement("MOPS-4.1-120", case=1)
def test_entry_of_a_udp_socket_carries_its_unique_id(
    dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """The entry of a UDP socket with a Unique ID carries it."""
    flow = app.open_flow(correspondent, mobile_allowed=True, unique_id=UNIQUE_ID)
    request = dut.migrates(dut.move(), flow)
    identifier = request.entry(flow)[2]
    require(identifier == UNIQUE_ID, "identifier", UNIQUE_ID, identifier, request.frame)


@exclusive
@valid
@requirement("MOPS-4.1-121", case=1)
def test_udp_socket_without_unique_id_is_not_listed(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """A UDP socket with MOBILE_ALLOWED and without a Unique ID is listed in no Migrate, beside one that has one."""
    needs(case, "mops.unique_id")
    listed = app.open_flow(correspondent, mobile_allowed=True, unique_id=UNIQUE_ID)
    flow = app.open_flow(correspondent, mobile_allowed=True)
    move = dut.move()
    dut.request(move, listed)
    dut.never_lists(flow, move.mark)
