# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.1, Mobile UDP: migration by Unique ID, at a server."""

import pytest

from conformance.mops.dut.fields import COPIED, require_fields
from conformance.mops.dut.server import Server
from conformance.mops.tester.mobile_node import MobileNode, UdpFlow
from layers.mops import FAILED, MIGRATE, MIGRATE_ATOMIC, SUCCESS
from testbed import inopportune, invalid, over, requirement, valid, waits
from testbed.case.case import Case
from testbed.case.verdict import Broken
from testbed.device.application import Application
from testbed.device.upper_tester import OperationFailed
from testbed.interruptions import NotApplicable
from testbed.peers.udp import expect_datagram
from testbed.wire.headers import TCP_PROTOCOL, UDP_PROTOCOL

UNIQUE_ID = 0x51AC0FFE
LONG = bytes(range(250)) * 8
"""Longer than a packet of Ethernet."""


def open_mobile(node: MobileNode, app: Application, unique_id: int) -> UdpFlow:
    """A flow of a UDP socket that is mobile and has a Unique ID."""
    return node.open_flow(app.listen(protocol="udp", mobile_allowed=True, unique_id=unique_id))


@valid
@requirement("MOPS-4.1-87", case=2)
def test_udp_socket_migrates_by_its_unique_id(node: MobileNode, dut: Server, app: Application) -> None:
    """A UDP socket with a Unique ID continues on the new tuple when the entry carries it, and leaves the old one."""
    flow = open_mobile(node, app, UNIQUE_ID)
    old = flow.local
    node.move()
    request = node.send_udp_migrate(flow, UNIQUE_ID)
    dut.answers(request, SUCCESS)
    node.rebind(request, flow)
    dut.serves_flow(flow)
    dut.hears_nothing(flow, old)
    dut.serves_flow(flow)


@over("ipv4")
@valid
@requirement("MOPS-4.1-15", case=11)
def test_datagram_in_fragments_goes_to_the_new_tuple(
    case: Case, node: MobileNode, dut: Server, app: Application
) -> None:
    """A datagram that is longer than a packet comes to the new tuple, all its fragments, as it came to the old one."""
    flow = open_mobile(node, app, UNIQUE_ID)
    since = case.mark()
    try:
        expect_datagram(case, flow.local, since, case.deadline(since_ns=flow.socket.send(LONG)))
    except (Broken, OperationFailed):
        raise NotApplicable(f"the device sends no datagram of {len(LONG)} bytes") from None
    node.move()
    request = node.send_udp_migrate(flow, UNIQUE_ID)
    dut.reply_to(request, SUCCESS)
    node.rebind(request, flow)
    expect_datagram(case, flow.local, request.mark, case.deadline(since_ns=flow.socket.send(LONG)))


@pytest.mark.parametrize("code", [SUCCESS, FAILED], ids=["success", "failed"])
@valid
@requirement("MOPS-4.1-233", case=1)
def test_reply_about_a_udp_socket_has_the_fields_of_the_request(
    node: MobileNode, dut: Server, app: Application, code: int
) -> None:
    """Type, version, protocol, both addresses, count and entries of a reply about a UDP socket equal the request's."""
    flow = open_mobile(node, app, UNIQUE_ID)
    node.move()
    request = node.send_udp_migrate(flow, UNIQUE_ID if code == SUCCESS else UNIQUE_ID + 1)
    wanted = {name: request.message.getfieldval(name) for name in (*COPIED, "entries")}
    require_fields(dut.reply_to(request, code), count=1, **wanted)


OTHERS = [UNIQUE_ID + 1, UNIQUE_ID ^ 1 << 31, UNIQUE_ID & 0xFFFF, UNIQUE_ID & 0xFFFF0000, 0, 0xFFFFFFFF]


@pytest.mark.parametrize("other", OTHERS, ids=["one more", "first bit", "low half", "high half", "0", "0xffffffff"])
@invalid
@requirement("MOPS-4.1-211", case=1)
def test_udp_socket_refuses_another_unique_id(node: MobileNode, dut: Server, app: Application, other: int) -> None:
    """A UDP socket with a Unique ID refuses every other value, and the new tuple has no flow of it."""
    flow = open_mobile(node, app, UNIQUE_ID)
    node.move()
    request = node.send_udp_migrate(flow, other)
    dut.answers(request, FAILED)
    dut.leaves_flow_alone(request, flow)


@pytest.mark.parametrize("what", ["port", "address", "protocol"])
@invalid
@requirement("MOPS-4.1-212", case=1)
def test_udp_migrate_of_another_socket_is_refused(
    case: Case, node: MobileNode, dut: Server, app: Application, what: str
) -> None:
    """The right Unique ID with another previous port, previous address or protocol moves no UDP socket."""
    flow = open_mobile(node, app, UNIQUE_ID)
    node.move()
    port = flow.local.port + 1 if what == "port" else flow.local.port
    previous = case.station().address if what == "address" else flow.local.station.address
    protocol = TCP_PROTOCOL if what == "protocol" else UDP_PROTOCOL
    entries = [(port, node.new_port(), UNIQUE_ID)]
    request = node.send_migrate(protocol=protocol, previous_source=previous, entries=entries)
    dut.answers(request, FAILED)
    dut.leaves_flow_alone(request, flow)


@inopportune
@requirement("MOPS-4.1-213", case=1)
def test_second_udp_command_is_discarded(case: Case, node: MobileNode, dut: Server, app: Application) -> None:
    """A second Migrate of a UDP socket inside the interval is silently discarded and changes nothing."""
    flow = open_mobile(node, app, UNIQUE_ID)
    node.move()
    first = node.send_udp_migrate(flow, UNIQUE_ID + 1)
    dut.reply_to(first, FAILED)
    second = node.send_udp_migrate(flow, UNIQUE_ID)
    node.check_in_time(second, first, 1)
    dut.stays_silent(second)
    dut.leaves_flow_alone(second, flow)


@waits(6)
@valid
@requirement("MOPS-4.1-214", case=1)
def test_udp_socket_migrates_again_and_back(node: MobileNode, dut: Server, app: Application) -> None:
    """A UDP socket migrates, and then a second time, back to its first tuple; datagrams pass at each place."""
    flow = open_mobile(node, app, UNIQUE_ID)
    first = flow.local
    node.move()
    away = node.send_udp_migrate(flow, UNIQUE_ID)
    dut.answers(away, SUCCESS)
    node.rebind(away, flow)
    dut.serves_flow(flow)
    node.rest()
    node.return_to(node.home)
    home = node.send_udp_migrate(flow, UNIQUE_ID, first.port)
    dut.answers(home, SUCCESS)
    node.rebind(home, flow)
    dut.serves_flow(flow)


@valid
@requirement("MOPS-4.1-215", case=1)
@pytest.mark.parametrize("code", [MIGRATE, MIGRATE_ATOMIC], ids=["best-effort", "atomic"])
def test_several_udp_sockets_migrate(node: MobileNode, dut: Server, app: Application, code: int) -> None:
    """One Migrate moves several UDP sockets of one node, each to its own new tuple."""
    flows = [open_mobile(node, app, UNIQUE_ID + number) for number in range(3)]
    node.move()
    entries = [(flow.local.port, node.new_port(), UNIQUE_ID + number) for number, flow in enumerate(flows)]
    request = node.send_migrate(code=code, protocol=UDP_PROTOCOL, previous_source=node.home.address, entries=entries)
    dut.answers(request, SUCCESS)
    node.rebind(request, *flows)
    for flow in flows:
        dut.serves_flow(flow)


@pytest.mark.parametrize("identifier", [0, 1, 0xFFFFFFFF], ids=["0", "1", "0xffffffff"])
@invalid
@requirement("MOPS-4.1-88", case=2)
def test_udp_socket_without_unique_id_stays(node: MobileNode, dut: Server, app: Application, identifier: int) -> None:
    """A UDP socket that was given no Unique ID is not moved by any value."""
    flow = node.open_flow(app.listen(protocol="udp", mobile_allowed=True))
    node.move()
    request = node.send_udp_migrate(flow, identifier)
    dut.collect_replies(request.mark)
    dut.leaves_flow_alone(request, flow)
