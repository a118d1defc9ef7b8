# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.2, the mobile node: what it does with an anycast acknowledgement, and which ones it discards."""

import itertools
from typing import Any

import pytest
from scapy.packet import Packet

from conformance.mops.dut.mobile_node import Applications, MobileNode
from conformance.mops.migrate import HEADER, Message, ReceivedMigrate, in_mops, messages, off_by_one, sealed
from conformance.mops.tester.server import Connection, Correspondent
from testbed import exclusive, inopportune, invalid, requirement, valid
from testbed.case.case import LATER_S, Case
from testbed.case.expect import preamble
from testbed.case.verdict import require, require_none
from testbed.wire.headers import UDP_PROTOCOL
from testbed.wire.station import Station

MANY = 100


@pytest.fixture
def unicast(correspondent: Correspondent) -> Station:
    """The second address of the server, which is an anycast server."""
    return correspondent.become_anycast()


@pytest.fixture
def connection(unicast: Station, app: Applications, correspondent: Correspondent) -> Connection:
    """A connection of the device to the anycast address."""
    return app.connect(correspondent)


def acknowledge(dut: MobileNode, connection: Connection, *others: Message) -> None:
    """The server sends its anycast acknowledgement, or these messages instead, and the device has read them."""
    for message in others or [connection.server.anycast_acknowledgement(connection)]:
        connection.server.send_about(connection, message)
    dut.barrier()


def require_destination(request: ReceivedMigrate, address: str) -> None:
    """The Migrate was sent to this address of the server."""
    destination = request.packet.dst
    require(destination == address, "destination of the Migrate", address, destination, request.frame)


@exclusive
@valid
@requirement("MOPS-4.2-16", case=1)
def test_migrate_is_sent_to_the_unicast_address(dut: MobileNode, unicast: Station, connection: Connection) -> None:
    """A node that has the acknowledgement sends the connection's Migrate to the unicast address."""
    acknowledge(dut, connection)
    require_destination(dut.request(dut.move(), connection), unicast.address)


@exclusive
@valid
@requirement("MOPS-4.2-17", case=1)
def test_connection_continues_where_the_profile_says(
    case: Case, dut: MobileNode, unicast: Station, connection: Connection
) -> None:
    """After success the connection continues between the new tuple and the address that `anycast_continues` names."""
    acknowledge(dut, connection)
    request = dut.request(dut.move(), connection)
    with preamble():
        require_destination(request, unicast.address)
    connection.server.reply_success(request, connection)
    if case.setup.profile.ixit.mops.anycast_continues == "unicast":
        connection.local.rebind(unicast, connection.local.port)
    dut.continues(connection)


@exclusive("a device that is wrong here moves other connections, too")
@valid
@requirement("MOPS-4.2-18", case=1)
def test_connection_stays_until_the_move(dut: MobileNode, unicast: Station, connection: Connection) -> None:
    """The acknowledgement alone moves nothing: data still flows to and from the anycast address."""
    acknowledge(dut, connection)
    dut.continues(connection)
    request = dut.request(dut.move(), connection)
    with preamble():
        require_destination(request, unicast.address)


def of_no_connection(connection: Connection, other: str) -> list[Packet]:
    """Another protocol, anycast address or port."""
    fields: list[dict[str, Any]] = [
        {"protocol": UDP_PROTOCOL},
        {"anycast_destination": other},
        {"source_port": connection.previous_port ^ 0x8000},
        {"destination_port": connection.local.port ^ 1},
    ]
    return [connection.server.anycast_acknowledgement(connection, **one) for one in fields]


def wrong_checksum(connection: Connection, other: str) -> list[Message]:
    """A checksum that is one too large."""
    return [off_by_one(bytes(connection.server.anycast_acknowledgement(connection)))]


def another_shape(connection: Connection, other: str) -> list[Message]:
    """Another version or code, or cut short."""
    fields = [*({"version": version} for version in (0, 2, 255)), *({"code": code} for code in (1, 255))]
    right = bytes(connection.server.anycast_acknowledgement(connection))
    altered = [connection.server.anycast_acknowledgement(connection, **one) for one in fields]
    return [*altered, sealed(right[:HEADER]), sealed(right[:-1])]


def trailing_bytes(connection: Connection, other: str) -> list[Message]:
    """Four bytes more."""
    return [sealed(bytes(connection.server.anycast_acknowledgement(connection)) + bytes(4))]


WRONG = {
    "no connection": of_no_connection,
    "wrong checksum": wrong_checksum,
    "another shape": another_shape,
    "trailing bytes": trailing_bytes,
}


EACH = pytest.mark.parametrize(
    "wrong",
    [
        pytest.param("no connection", marks=requirement("MOPS-4.2-19")),
        pytest.param("wrong checksum", marks=requirement("MOPS-4.2-21")),
        pytest.param("another shape", marks=requirement("MOPS-4.2-22")),
        pytest.param("trailing bytes", marks=requirement("MOPS-4.2-31")),
    ],
)


@EACH
@exclusive
@invalid
@requirement(case=1)
def test_wrong_acknowledgement_is_silently_discarded(
    case: Case, dut: MobileNode, app: Applications, unicast: Station, connection: Connection, wrong: str
) -> None:
    """After an acknowledgement of no connection, or with a wrong checksum, version, code or length, nothing changes."""
    changes_nothing(case, dut, app, connection, *WRONG[wrong](connection, in_mops(case.station().address)))


def changes_nothing(
    case: Case, dut: MobileNode, app: Applications, connection: Connection, *messages: Message, later_s: float = 0.0
) -> None:
    """These messages leave the connection's server where it is, at a device that believes the right one of another."""
    elsewhere = Correspondent(case)
    elsewhere.become_anycast()
    other = app.connect(elsewhere)
    acknowledge(dut, other)
    acknowledge(dut, connection, *messages)
    case.watch(later_s)
    move = dut.move()
    believed = dut.request(move, other)
    assert elsewhere.unicast
    with preamble():
        require_destination(believed, elsewhere.unicast.address)
    require_destination(dut.request(move, connection), connection.server.address)


@EACH
@exclusive
@inopportune
@requirement(case=11)
def test_right_acknowledgement_counts_after_wrong_ones(
    case: Case, dut: MobileNode, unicast: Station, connection: Connection, wrong: str
) -> None:
    """After a hundred acknowledgements that change nothing the right one counts."""
    wrong_ones = WRONG[wrong](connection, in_mops(case.station().address))
    many = itertools.islice(itertools.cycle(wrong_ones), MANY)
    acknowledge(dut, connection, *many, connection.server.anycast_acknowledgement(connection))
    require_destination(dut.request(dut.move(), connection), unicast.address)


@EACH
@exclusive
@invalid
@requirement(case=12)
def test_wrong_acknowledgement_does_not_count_later(
    case: Case, dut: MobileNode, app: Applications, unicast: Station, connection: Connection, wrong: str
) -> None:
    """A while after an acknowledgement that changes nothing the Migrate still goes to the anycast address."""
    wrong_ones = WRONG[wrong](connection, in_mops(case.station().address))
    changes_nothing(case, dut, app, connection, *wrong_ones, later_s=LATER_S)


@exclusive
@valid
@requirement("MOPS-4.2-20", case=1)
def test_acknowledgement_counts_for_its_connection_only(
    dut: MobileNode, app: Applications, unicast: Station, connection: Connection
) -> None:
    """Of two connections to one anycast address the one without an acknowledgement migrates at that address."""
    without = app.connect(connection.server)
    acknowledge(dut, connection)
    move = dut.move()
    believed = dut.request(move, connection)
    with preamble():
        require_destination(believed, unicast.address)
    require_destination(dut.request(move, without), connection.server.address)


@exclusive
@valid
@requirement("MOPS-4.2-23", case=1)
def test_acknowledgement_with_reserved_bits_is_taken(dut: MobileNode, unicast: Station, connection: Connection) -> None:
    """An acknowledgement with every bit of both Reserved fields set counts like any other."""
    message = connection.server.anycast_acknowledgement(connection, reserved=0xFFFF, reserved2=0x3FFF)
    acknowledge(dut, connection, message)
    require_destination(dut.request(dut.move(), connection), unicast.address)


@exclusive
@valid
@requirement("MOPS-4.2-24", case=1)
def test_acknowledgement_is_not_answered(case: Case, dut: MobileNode, unicast: Station, connection: Connection) -> None:
    """An anycast acknowledgement elicits no message; it is learnt all the same."""
    mark = case.mark()
    acknowledge(dut, connection)
    dut.quiesce()
    answers = [frame for frame, _ in messages(case, mark)]
    require_none("messages", answers)
    request = dut.request(dut.move(), connection)
    with preamble():
        require_destination(request, unicast.address)


@exclusive
@invalid
@requirement("MOPS-4.2-25", case=1)
def test_acknowledgement_of_another_sender(case: Case, dut: MobileNode, connection: Connection) -> None:
    """Reported: whether an acknowledgement that another host sent redirects the connection's Migrate."""
    server = connection.server
    server.send_about(connection, server.anycast_acknowledgement(connection), case.station())
    dut.barrier()
    request = dut.request(dut.move(), connection)
    case.values["redirected"] = "no" if request.packet.dst == server.address else "yes"


@exclusive("a device that is wrong here moves other connections, too")
@inopportune
@requirement("MOPS-4.2-26", case=1)
def test_connection_that_fails_without_a_move(
    case: Case, dut: MobileNode, unicast: Station, connection: Connection
) -> None:
    """Reported: what goes to the unicast address when the connection is reset without a move."""
    acknowledge(dut, connection)
    mark = case.mark()
    connection.local.reset()
    dut.quiesce()
    requests = [one for one in connection.server.requests(mark) if one.packet.dst == unicast.address]
    case.values["Migrates to the unicast address"] = str(len(requests))
