# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.1, Mobile UDP: migration by Unique ID, at a server."""

import pytest

from conformance.mops.dut.fields import COPIED, require_fields
from conformance.mops.dut.server import Server
from conformance.mops.tester.mobile_node import MobileNode, UdpFlow
from layers.mops import FAILED, MIGRATE, MIGRATE_ATOMIC, SUCCESS
from testbed import inopportune, invalid, over, requirement, valid, waits
from testbed.case.case import Case
from testbed.case.verdict import require
from testbed.device.application import Application
from testbed.interruptions import NotApplicable
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
@requirement("MOPS-4.1-17", case=4)
def test_datagram_in_fragments_goes_to_the_new_tuple(
    case: Case, node: MobileNode, dut: Server, app: Application
) -> None:
    """Of a datagram that is longer than a packet no fragment goes to the old address after the move."""
    flow = open_mobile(node, app, UNIQUE_ID)
    old, since = flow.local, case.mark()
    said = flow.socket.try_send(LONG)
    came = said or case.look(lambda: next((one for one, _ in old.datagrams(since)), None), case.deadline())
    if said or not came:
        raise NotApplicable(f"the device sends no datagram of {len(LONG)} bytes {said}".strip())
    node.move()
    request = node.send_udp_migrate(flow, UNIQUE_ID)
    dut.reply_to(request, SUCCESS)
    node.rebind(request, flow)
    flow.socket.send(LONG)
    dut.quiesce()
    for frame in case.trace.received(request.mark):
        header = case.network.header(frame.data)
        is_left = header and (header.protocol, header.destination) == (UDP_PROTOCOL, old.station.number)
        require(not is_left, "destination of a fragment", flow.local.station.address, old.station.address, frame)


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
