# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.1: messages that are not a Migrate of version 1, and fields that a receiver ignores."""

from collections.abc import Callable
from typing import Any

import pytest
from scapy.packet import Packet

from conformance.mops.dut.server import Server
from conformance.mops.migrate import ENTRY, HEADER, Octets, entries_in, off_by_one, sealed
from conformance.mops.tester.mobile_node import Connection, MobileNode
from layers.mops import FAILED, SUCCESS
from testbed import inopportune, invalid, requirement, valid, waits
from testbed.case.case import Case

ONE_ENTRY = HEADER + ENTRY.size


def remaps_nothing(node: MobileNode, dut: Server, connection: Connection, message: Packet) -> None:
    """The server does as it likes with this message, and the connection stays; the new tuples have no connection."""
    request = node.send(message)
    dut.collect_replies(request.mark)
    dut.leaves_alone(request, connection)


def connect_and_move(node: MobileNode) -> Connection:
    """A connection at the home address, the node being elsewhere."""
    connection = node.connect()
    node.move()
    return connection


SPOIL: dict[str, Callable[[int], int]] = {
    "zero": lambda right: 0,
    "inverted": lambda right: right ^ 0xFFFF,
    "off by one": lambda right: (right + 1) % 0xFFFF,
}


@pytest.mark.parametrize("wrong", SPOIL)
@invalid
@requirement("MOPS-4.1-58", case=2)
def test_wrong_checksum_is_silently_discarded(node: MobileNode, dut: Server, wrong: str) -> None:
    """A message with a wrong checksum is not answered and changes nothing."""
    connection = connect_and_move(node)
    dut.discards(node.send(Octets(bytes(node.request(connection)), SPOIL[wrong])), connection)


@waits(2)
@invalid
@requirement("MOPS-4.1-58", case=3)
def test_wrong_checksum_is_not_answered_later(node: MobileNode, dut: Server, case: Case) -> None:
    """Nor is it answered in the whole time that a reply may take."""
    connection = connect_and_move(node)
    request = node.send(off_by_one(bytes(node.request(connection))))
    dut.stays_silent(request, case.setup.profile.ixit.mops.reply_within_s)


VERSION = requirement("MOPS-4.1-59")
CODE = requirement("MOPS-4.1-60")
COUNT = requirement("MOPS-4.1-62")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(pytest.param("version", value, id=f"version {value}", marks=VERSION) for value in (0, 2, 255)),
        *(pytest.param("code", value, id=f"code {value}", marks=CODE) for value in (4, 128, 255)),
        *(pytest.param("count", value, id=f"count {value}", marks=COUNT) for value in (2, 3, 0x3FFF)),
    ],
)
@invalid
@requirement(case=1)
def test_wrong_field_remaps_nothing(node: MobileNode, dut: Server, field: str, value: int) -> None:
    """A message with a version that is not 1, a code that is none of 0 to 3, or too large a count remaps nothing."""
    connection = connect_and_move(node)
    remaps_nothing(node, dut, connection, node.request(connection, **{field: value}))


@pytest.mark.parametrize("entries", ["no entry", "one entry"])
@invalid
@requirement("MOPS-4.1-61", case=1)
def test_count_zero_remaps_nothing(node: MobileNode, dut: Server, entries: str) -> None:
    """Count 0 remaps nothing, whether or not an entry follows."""
    connection = connect_and_move(node)
    fields: dict[str, Any] = {"entries": []} if entries == "no entry" else {}
    remaps_nothing(node, dut, connection, node.request(connection, count=0, **fields))


@invalid
@requirement("MOPS-4.1-63", case=2)
def test_count_too_small_remaps_nothing(node: MobileNode, dut: Server) -> None:
    """Count smaller than the number of entries remaps nothing."""
    connection, other = node.connect(), node.connect()
    node.move()
    remaps_nothing(node, dut, connection, node.request(connection, other, count=1))


@pytest.mark.parametrize("count", [1, 2])
@invalid
@requirement("MOPS-4.1-206", case=1)
def test_entries_beyond_the_count_are_not_carried_out(node: MobileNode, dut: Server, count: int) -> None:
    """Whatever a server makes of the entries that Count counts, those after them are left alone."""
    connections = [node.connect() for _ in range(3)]
    node.move()
    request = node.send_migrate(*connections, count=count)
    dut.collect_replies(request.mark)
    dut.leaves_alone(request, *connections[count:])


@pytest.mark.parametrize("extra", [1, 4, 7, 8])
@invalid
@requirement("MOPS-4.1-207", case=1)
def test_trailing_bytes_leave_one_connection(node: MobileNode, dut: Server, extra: int) -> None:
    """With bytes following the last entry the connection is at exactly one of its tuples, and alive there."""
    connection = connect_and_move(node)
    request = node.send(node.request(connection) / bytes(extra))
    dut.collect_replies(request.mark)
    tuples = [(node.home, connection.local.port), (node.station, request.entries[0][1])]
    dut.lives_at_one(connection, tuples)


@pytest.mark.parametrize("length", range(HEADER, ONE_ENTRY + ENTRY.size))
@invalid
@requirement("MOPS-4.1-64", case=3)
def test_message_cut_inside_the_entries(node: MobileNode, dut: Server, length: int) -> None:
    """A message of two entries cut at any byte after its header remaps nothing; its checksum is right."""
    connection, other = node.connect(), node.connect()
    node.move()
    whole = bytes(node.request(connection, other))
    request = node.send(sealed(whole[:length]))
    dut.collect_replies(request.mark)
    dut.leaves_alone(request, connection, other, migrated=[port for _, port, _ in entries_in(whole)])


@invalid
@requirement("MOPS-4.1-64", case=4)
def test_message_cut_inside_the_header(node: MobileNode, dut: Server) -> None:
    """A message cut at any byte of its header remaps nothing; where there is room, its checksum is right."""
    connection = connect_and_move(node)
    whole = bytes(node.request(connection))
    for length in range(HEADER):
        node.send(sealed(whole[:length]))
    request = node.send(sealed(whole[:HEADER]))
    dut.collect_replies(request.mark)
    dut.leaves_alone(request, connection, migrated=[port for _, port, _ in entries_in(whole)])


@pytest.mark.parametrize("extra", [1, 4, 7])
@invalid
@requirement("MOPS-4.1-65", case=2)
def test_trailing_bytes_remap_nothing(node: MobileNode, dut: Server, extra: int) -> None:
    """Bytes following the last entry that make no whole entry: nothing is remapped."""
    connection = connect_and_move(node)
    remaps_nothing(node, dut, connection, node.request(connection) / bytes(extra))


@pytest.mark.parametrize("reserved", [1, 0x8000, 0xFFFF])
@valid
@requirement("MOPS-4.1-66", case=1)
def test_reserved_is_ignored(node: MobileNode, dut: Server, reserved: int) -> None:
    """Bits in Reserved change nothing: the Migrate is served."""
    connection = connect_and_move(node)
    dut.answers(node.send_migrate(connection, reserved=reserved), SUCCESS)


@pytest.mark.parametrize(
    "fields", [{"version": 2}, {"code": 4}, {"count": 0}, {"count": 2}], ids=["version", "code", "count 0", "length"]
)
@invalid
@requirement("MOPS-4.1-67", case=1)
def test_answer_to_a_malformed_message(node: MobileNode, dut: Server, case: Case, fields: dict[str, Any]) -> None:
    """Reported: whether a wrong version, code, count or length is silently discarded or answered "failed"."""
    connection = connect_and_move(node)
    case.values["answer"] = dut.collect_replies(node.send_migrate(connection, **fields).mark)


@pytest.mark.parametrize("code", [SUCCESS, FAILED], ids=["success", "failed"])
@inopportune
@requirement("MOPS-4.1-68", case=2)
@waits(2)
def test_reply_is_never_answered(node: MobileNode, dut: Server, case: Case, code: int) -> None:
    """A host never answers a reply, not in the whole time that an answer may take."""
    connection = connect_and_move(node)
    request = node.send_migrate(connection, code=code)
    dut.stays_silent(request, case.setup.profile.ixit.mops.reply_within_s)


@pytest.mark.parametrize("code", [SUCCESS, FAILED], ids=["success", "failed"])
@inopportune
@requirement("MOPS-4.1-69", case=1)
def test_reply_remaps_nothing(node: MobileNode, dut: Server, code: int) -> None:
    """A reply sent to the server remaps nothing."""
    connection = connect_and_move(node)
    remaps_nothing(node, dut, connection, node.request(connection, code=code))
