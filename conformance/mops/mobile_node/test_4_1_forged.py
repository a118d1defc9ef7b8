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
from conformance.mops.dut.unanswered import UnansweredMigrate
from conformance.mops.migrate import HEADER, Message, ReceivedMigrate, in_mops, off_by_one, sealed, with_checksum
from conformance.mops.tester.server import Connection, Correspondent
from layers.mops import FAILED, SUCCESS
from testbed import exclusive, invalid, requirement
from testbed.case.case import LATER_S, Case
from testbed.case.expect import preamble
from testbed.wire.clock import NANO
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
        {"previous_source": in_mops(other)},
        {"migrated_source": in_mops(other)},
        {"entries": [(previous ^ 1, migrated, identifier)]},
        {"entries": [(previous, migrated ^ 1, identifier)]},
    ]
    return [reply(**one) for one in fields]


def wrong_identifiers(reply: Reply, request: ReceivedMigrate, other: str) -> list[Packet]:
    """An identifier that is not the request's: one bit off, the other half, zero."""
    previous, migrated, identifier = request.entries[0]
    wrong = (identifier ^ 1, identifier ^ 0x80000000, 0 if identifier else 1)
    return [reply(entries=[(previous, migrated, one)]) for one in wrong]


def undefined_codes(reply: Reply, request: ReceivedMigrate, other: str) -> list[Packet]:
    """A code that no message has."""
    return [reply(code=code) for code in (4, 5, 0x82, 255)]


def other_versions(reply: Reply, request: ReceivedMigrate, other: str) -> list[Packet]:
    """Version 0, 2 or 255."""
    return [reply(version=version) for version in (0, 2, 255)]


def cut_short(reply: Reply, request: ReceivedMigrate, other: str) -> list[Message]:
    """Cut short, or with fewer entries than Count says, or a Count of 0; the checksum is right."""
    right = bytes(reply())
    cut = [sealed(right[:length]) for length in (8, HEADER, len(right) - 4, len(right) - 1)]
    return [*cut, *(reply(count=count) for count in (0, 2, 0x3FFF))]


def trailing_bytes(reply: Reply, request: ReceivedMigrate, other: str) -> list[Message]:
    """With more bytes, or another entry, than Count says; the checksum is right."""
    right = bytes(reply())
    return [sealed(right + bytes(4)), reply(count=1, entries=[request.entries[0], (1, 2, 3)])]


def right_reply(reply: Reply, request: ReceivedMigrate, other: str) -> list[Packet]:
    """Right in everything, but it is sent by another address than the server's."""
    return [reply()]


FORGERIES = {
    "wrong checksum": wrong_checksums,
    "wrong field": wrong_fields,
    "wrong identifier": wrong_identifiers,
    "another sender": right_reply,
    "another version": other_versions,
    "wrong length": cut_short,
    "trailing bytes": trailing_bytes,
    "undefined code": undefined_codes,
}


@pytest.mark.parametrize("code", [SUCCESS, FAILED], ids=["success", "failed"])
@pytest.mark.parametrize(
    "forgery",
    [
        pytest.param("wrong checksum", marks=requirement("MOPS-4.1-139")),
        pytest.param("wrong field", marks=requirement("MOPS-4.1-140")),
        pytest.param("wrong identifier", marks=requirement("MOPS-4.1-162")),
        pytest.param("another sender", marks=requirement("MOPS-4.1-141")),
        pytest.param("another version", marks=requirement("MOPS-4.1-142")),
        pytest.param("wrong length", marks=requirement("MOPS-4.1-143")),
        pytest.param("trailing bytes", marks=requirement("MOPS-4.1-163")),
    ],
)
@exclusive
@invalid
@requirement(case=1)
def test_forged_reply_is_silently_discarded(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent, forgery: str, code: int
) -> None:
    """A reply with a wrong checksum, field, version or length, or of another sender, changes nothing."""
    discards(case, dut, app, correspondent, forgery, code)


@exclusive
@invalid
@requirement("MOPS-4.1-164", case=1)
def test_reply_with_an_undefined_code_is_no_success(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """A reply that is right but for its code, 4 to 255, is not taken for a success."""
    discards(case, dut, app, correspondent, "undefined code", SUCCESS)


@pytest.mark.parametrize(
    "forgery",
    [
        pytest.param("wrong checksum", marks=requirement("MOPS-4.1-139")),
        pytest.param("wrong field", marks=requirement("MOPS-4.1-140")),
        pytest.param("another sender", marks=requirement("MOPS-4.1-141")),
        pytest.param("another version", marks=requirement("MOPS-4.1-142")),
    ],
)
@exclusive
@invalid
@requirement(case=11)
def test_forged_reply_to_a_second_move_is_silently_discarded(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent, forgery: str
) -> None:
    """After an honest success a forged one is not believed at the next move either, nor half a second later."""
    discards(case, dut, app, correspondent, forgery, SUCCESS, moves=1)


@pytest.mark.parametrize(
    "forgery",
    [
        pytest.param("wrong checksum", marks=requirement("MOPS-4.1-139")),
        pytest.param("wrong field", marks=requirement("MOPS-4.1-140")),
        pytest.param("another sender", marks=requirement("MOPS-4.1-141")),
    ],
)
@exclusive
@invalid
@requirement(case=13)
def test_forged_reply_about_an_accepted_connection_is_silently_discarded(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent, forgery: str
) -> None:
    """Nor is a forged success believed of a connection that the node has accepted."""
    connection = app.accept(correspondent, app.listen())
    discards(case, dut, app, correspondent, forgery, SUCCESS, connection=connection)


def discards(
    case: Case,
    dut: MobileNode,
    app: Applications,
    correspondent: Correspondent,
    forgery: str,
    code: int,
    moves: int = 0,
    connection: Connection | None = None,
) -> None:
    """The node discards these replies in silence, and believes the honest ones, here and of another server.

    It has made so many moves before, all of them served.
    """
    other = app.connect(Correspondent(case))
    connection = connection or app.connect(correspondent)
    for _ in range(moves):
        dut.complete_move(other, connection)
    local, move = connection.local, dut.move()
    request, honest, stranger = dut.request(move, connection), dut.request(move, other), case.station()
    start, sent_ns = len(local.stream), dut.application_takes(connection.socket, WAITING)
    speaks_early, mark = dut.spoke_early(connection, move), case.mark()
    for message in FORGERIES[forgery](
        partial(correspondent.reply_message, request, code=code), request, stranger.address
    ):
        correspondent.send(request, message, stranger if forgery == "another sender" else None)
    if moves:
        left_s = (correspondent.waits_until_ns(request, 0.5) - case.clock.now_ns()) / NANO
        case.watch(max(0.0, min(LATER_S, left_s)))
    other.server.reply_success(honest, other)
    with preamble():
        dut.continues(other)
    if code == SUCCESS and speaks_early:
        UnansweredMigrate(case, dut, connection, move).goes_on()
    elif code == SUCCESS:
        dut.expect_silence(local, mark, source=move.new)
    replied_ns = correspondent.reply_success(request, connection)
    dut.delivers(local, WAITING, replied_ns, start, sent_ns)
    dut.continues(connection)
