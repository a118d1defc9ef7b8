# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.1: replies that a mobile node must not believe.

A success that is believed shows by data on the new tuple, a "failed" that is believed by the end of the connection.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from scapy.packet import Packet

from conformance.mops.dut.mobile_node import Applications, MobileNode
from conformance.mops.migrate import HEADER, Message, ReceivedMigrate, in_mops, off_by_one, sealed, with_checksum
from conformance.mops.tester.server import Correspondent
from layers.mops import FAILED, SUCCESS
from testbed import exclusive, invalid, requirement
from testbed.case.case import Case
from testbed.case.expect import preamble
from testbed.wire.headers import UDP_PROTOCOL

WAITING = b"waiting for the reply"

Reply = Callable[..., Packet]
"""A reply to the request with the code of the case; any field can be replaced."""


def wrong_checksums(reply: Reply, request: ReceivedMigrate, other: str) -> list[Message]:
    """A checksum that is one too large, or zero."""
    return [off_by_one(bytes(reply())), with_checksum(bytes(reply()), 0)]


def wrong_fields(reply: Reply, request: ReceivedMigrate, other: str) -> list[Packet]:
    """One field that is not the request's."""
    previous, migrated, identifier = request.entries[0]
    fields: list[dict[str, Any]] = [
        {"protocol": UDP_PROTOCOL},
        {"previous_source": other},
        {"migrated_source": other},
        {"entries": [(previous ^ 1, migrated, identifier)]},
        {"entries": [(previous, migrated ^ 1, identifier)]},
        {"entries": [(previous, migrated, identifier ^ 1)]},
    ]
    return [reply(**one) for one in fields]


def other_versions(reply: Reply, request: ReceivedMigrate, other: str) -> list[Packet]:
    """Version 0, 2 or 255."""
    return [reply(version=version) for version in (0, 2, 255)]


def wrong_lengths(reply: Reply, request: ReceivedMigrate, other: str) -> list[Message]:
    """Cut short, or with more or fewer entries than Count says; the checksum is right."""
    right = bytes(reply())
    cut = [sealed(right[:length]) for length in (8, HEADER, len(right) - 4, len(right) - 1)]
    return [*cut, *(reply(count=count) for count in (0, 2, 0x3FFF)), sealed(right + bytes(4))]


def right_reply(reply: Reply, request: ReceivedMigrate, other: str) -> list[Packet]:
    """Right in everything, but it is sent by another address than the server's."""
    return [reply()]


FORGERIES = {
    "wrong checksum": wrong_checksums,
    "wrong field": wrong_fields,
    "another sender": right_reply,
    "another version": other_versions,
    "wrong length": wrong_lengths,
}


@pytest.mark.parametrize("code", [SUCCESS, FAILED], ids=["success", "failed"])
@pytest.mark.parametrize(
    "forgery",
    [
        pytest.param("wrong checksum", marks=requirement("MOPS-4.1-139")),
        pytest.param("wrong field", marks=requirement("MOPS-4.1-140")),
        pytest.param("another sender", marks=requirement("MOPS-4.1-141")),
        pytest.param("another version", marks=requirement("MOPS-4.1-142")),
        pytest.param("wrong length", marks=requirement("MOPS-4.1-143")),
    ],
)
@exclusive
@invalid
@requirement(case=1)
def test_forged_reply_is_silently_discarded(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent, forgery: str, code: int
) -> None:
    """A reply with a wrong checksum, field, version or length, or of another sender, changes nothing."""
    connection = app.connect(correspondent)
    local, move = connection.local, dut.move()
    request, stranger = dut.request(move, connection), case.station()
    start, sent_ns = len(local.stream), 0
    if code == SUCCESS:
        sent_ns = connection.socket.send(WAITING)
        with preamble():
            dut.expect_silence(local, move.mark, source=move.new)
    reply = partial(correspondent.reply_message, request, code)
    for message in FORGERIES[forgery](reply, request, in_mops(stranger.address)):
        correspondent.send(request, message, stranger if forgery == "another sender" else None)
    if code == SUCCESS:
        dut.expect_silence(local, move.mark, source=move.new)
    replied_ns = correspondent.reply_success(request, connection)
    if code == SUCCESS:
        dut.delivers(local, WAITING, replied_ns, start, sent_ns)
    dut.continues(connection)
