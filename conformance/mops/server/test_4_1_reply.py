# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.1, Replies: presence, addresses and fields of success and failed."""

from typing import Any

import pytest

from conformance.mops.dut.fields import COPIED, require_fields
from conformance.mops.dut.server import Server
from conformance.mops.migrate import ENTRY, HEADER, SentMigrate, find_reply
from conformance.mops.tester.mobile_node import MobileNode
from conformance.mops.tester.numbers import wrong_number
from layers.mops import FAILED, MIGRATE, MIGRATE_ATOMIC, SUCCESS
from testbed import inopportune, requirement, valid
from testbed.case.case import Case
from testbed.case.verdict import require
from testbed.wire.clock import NANO

BOTH_CODES = pytest.mark.parametrize("code", [MIGRATE, MIGRATE_ATOMIC], ids=["best-effort", "atomic"])
BOTH_REPLIES = pytest.mark.parametrize("reply", [SUCCESS, FAILED], ids=["success", "failed"])


def send_for(node: MobileNode, reply: int, **fields: Any) -> SentMigrate:
    """Send a Migrate that has to be answered with `reply`."""
    connection = node.connect()
    node.move()
    if reply == SUCCESS:
        return node.send_migrate(connection, **fields)
    return node.send_migrate(connection, entries=[node.entry(connection, previous_port=node.new_port())], **fields)


@BOTH_CODES
@valid
@requirement("MOPS-4.1-01", case=2)
def test_migrate_of_a_live_connection_is_answered_success(node: MobileNode, dut: Server, code: int) -> None:
    """A correct Migrate is answered once, with code 2."""
    connection = node.connect()
    node.move()
    request = node.send_migrate(connection, code=code)
    dut.answers(request, SUCCESS)
    dut.stays_silent(request)


@BOTH_CODES
@valid
@requirement("MOPS-4.1-02", case=1)
def test_success_has_the_header_of_the_request(node: MobileNode, dut: Server, code: int) -> None:
    """Type, version, protocol, count and both addresses of a success reply equal the request's."""
    connections = [node.connect(), node.connect()]
    node.move()
    request = node.send_migrate(*connections, code=code)
    wanted = {name: request.message.getfieldval(name) for name in COPIED}
    require_fields(dut.reply_to(request, SUCCESS), count=2, **wanted)


@BOTH_CODES
@valid
@requirement("MOPS-4.1-03", case=1)
def test_success_has_the_entries_of_the_request(node: MobileNode, dut: Server, code: int) -> None:
    """A success reply carries every entry of the request, in the same order."""
    connections = [node.connect() for _ in range(3)]
    node.move()
    request = node.send_migrate(*connections, code=code)
    require_fields(dut.reply_to(request, SUCCESS), entries=request.message.entries)


@BOTH_REPLIES
@valid
@requirement("MOPS-4.1-04", case=1)
def test_checksum_of_the_reply_is_right(case: Case, node: MobileNode, dut: Server, reply: int) -> None:
    """The checksum of a reply is the one's complement sum over the whole message, in IPFF with the pseudo-header."""
    frame, message = dut.reply_to(send_for(node, reply), reply)
    header = case.network.header(frame.data)
    assert header
    wanted = case.network.message_checksum(header.source, header.destination, case.network.payload(frame.data))
    require(
        message.checksum % 0xFFFF == wanted % 0xFFFF, "checksum", f"{wanted:#06x}", f"{message.checksum:#06x}", frame
    )


@pytest.mark.parametrize("reserved", [0, 0xFFFF])
@BOTH_REPLIES
@valid
@requirement("MOPS-4.1-05", case=1)
def test_reserved_of_the_reply(node: MobileNode, dut: Server, reply: int, reserved: int) -> None:
    """Reserved of a reply is zero or the request's."""
    frame, message = dut.reply_to(send_for(node, reply, reserved=reserved), reply)
    allowed = {0, reserved}
    expected = " or ".join(map(str, sorted(allowed)))
    require(message.reserved in allowed, "reserved", expected, message.reserved, frame)


@BOTH_REPLIES
@valid
@requirement("MOPS-4.1-06", case=2)
def test_reply_goes_to_the_source_of_the_packet(node: MobileNode, dut: Server, case: Case, reply: int) -> None:
    """The reply goes to the address that the packet with the request came from."""
    frame, _ = dut.reply_to(send_for(node, reply), reply)
    packet = case.network.dissect(frame.data)
    require(packet.dst == node.address, "destination", node.address, packet.dst, frame)


@BOTH_REPLIES
@inopportune
@requirement("MOPS-4.1-49", case=2)
def test_destination_of_the_reply_to_a_third_address(node: MobileNode, dut: Server, case: Case, reply: int) -> None:
    """Reported: where the reply goes whose request came from neither of the addresses that it names."""
    connection = node.connect()
    node.move()
    sender = case.station()
    replaced = {} if reply == SUCCESS else {"previous_port": node.new_port()}
    request = node.send_migrate(connection, entries=[node.entry(connection, **replaced)], sender=sender)
    answer = find_reply(case, request)
    places = {sender.address: "the packet's source", node.address: "the migrated address"}
    went = case.network.dissect(answer.frame.data).dst if answer else ""
    case.values["the reply goes to"] = places.get(went, went or "nobody")


@BOTH_REPLIES
@valid
@requirement("MOPS-4.1-07", case=1)
def test_reply_comes_from_the_server_address(node: MobileNode, dut: Server, case: Case, reply: int) -> None:
    """The reply comes from the address that the request went to."""
    frame, _ = dut.reply_to(send_for(node, reply), reply)
    packet = case.network.dissect(frame.data)
    require(packet.src == dut.address, "source", dut.address, packet.src, frame)


@BOTH_REPLIES
@valid
@requirement("MOPS-4.1-08", case=1)
def test_reply_comes_before_the_first_retransmission(node: MobileNode, dut: Server, case: Case, reply: int) -> None:
    """The reply comes within the 2 s after which the mobile node retransmits its request."""
    request = send_for(node, reply)
    frame, _ = dut.reply_to(request, reply)
    seconds = (frame.ns - request.sent.ns) / NANO
    case.values["time to reply"] = f"{seconds:.6f} s"
    require(seconds <= 2.0, "time to reply", "at most 2 s", f"{seconds:.6f} s", request.sent.frame, frame)


@BOTH_CODES
@valid
@requirement("MOPS-4.1-09", "MOPS-4.1-39", case=1)
def test_unknown_socket_is_answered_failed(node: MobileNode, dut: Server, code: int) -> None:
    """A Migrate for a socket that does not exist is answered with code 3."""
    node.move()
    entry = (node.new_port(), node.new_port(), 0x1234_5678)
    dut.answers(node.send_migrate(code=code, entries=[entry]), FAILED)


@valid
@requirement("MOPS-4.1-10", case=1)
def test_failed_lists_the_failed_entries_only(node: MobileNode, dut: Server, case: Case) -> None:
    """A failed reply to a best-effort request lists the entries that failed and no other."""
    good, bad = node.connect(), node.connect()
    node.move()
    entries = [node.entry(good), node.entry(bad, identifier=wrong_number(case, bad))]
    frame, reply = dut.reply_to(node.send_migrate(good, entries=entries), FAILED)
    require(set(reply.entries) == {entries[1]}, "set of entries", entries[1:], reply.entries, frame)


@valid
@requirement("MOPS-4.1-11", case=1)
def test_failed_entries_are_in_the_order_of_the_request(node: MobileNode, dut: Server) -> None:
    """A failed reply lists its entries in the order of the request, whatever their ports."""
    node.move()
    entries = [(port, port + 1000, port) for port in (5003, 5001, 5004, 5002)]
    frame, reply = dut.reply_to(node.send_migrate(entries=entries), FAILED)
    listed = [entry[0] for entry in reply.entries]
    wanted = [entry[0] for entry in entries if entry[0] in listed]
    require(listed == wanted, "order of entries", wanted, listed, frame)


@valid
@requirement("MOPS-4.1-12", case=1)
def test_count_of_failed_is_the_number_of_its_entries(node: MobileNode, dut: Server, case: Case) -> None:
    """Count of a failed reply is the number of entries that the message carries."""
    good, bad = node.connect(), node.connect()
    node.move()
    entries = [node.entry(good), node.entry(bad, identifier=wrong_number(case, bad)), (5001, 6001, 1)]
    frame, message = dut.reply_to(node.send_migrate(good, entries=entries), FAILED)
    carried = (len(message.original) - HEADER) / ENTRY.size
    require(message.count == carried, "count", f"{carried:g} (entries carried)", message.count, frame)


@BOTH_CODES
@valid
@requirement("MOPS-4.1-13", case=1)
def test_failed_has_the_fields_of_the_request(node: MobileNode, dut: Server, code: int) -> None:
    """Type, version, protocol, both addresses and the failed entry itself are as in the request."""
    node.move()
    entry = (node.new_port(), node.new_port(), 0x8765_4321)
    request = node.send_migrate(code=code, entries=[entry])
    wanted = {name: request.message.getfieldval(name) for name in COPIED}
    require_fields(dut.reply_to(request, FAILED), entries=[entry], **wanted)


@valid
@requirement("MOPS-4.1-14", case=1)
def test_mixed_outcome_gets_one_failed_reply(node: MobileNode, dut: Server) -> None:
    """When some entries succeed and others fail there is one reply, code 3."""
    good = node.connect()
    node.move()
    entries = [node.entry(good), node.entry(good, previous_port=node.new_port())]
    request = node.send_migrate(good, entries=entries)
    dut.answers(request, FAILED)
    dut.stays_silent(request)
