# SPDX-License-Identifier: GPL-2.0-or-later
"""Sections 3 and 4.1: what holds for a first move, number, refusal, reply or limit holds for the ones after it."""

from collections.abc import Callable

import pytest

from conformance.applicability import needs
from conformance.mops.dut.fields import COPIED, require_fields
from conformance.mops.dut.server import Server
from conformance.mops.dut.sockets import listen_mobile
from conformance.mops.migrate import Reply, SentMigrate
from conformance.mops.tester.mobile_node import Connection, MobileNode
from conformance.mops.tester.numbers import wrong_number
from layers.mops import FAILED, MIGRATE_ATOMIC, SUCCESS
from testbed import inopportune, invalid, requirement, valid, waits
from testbed.case.case import Case
from testbed.case.verdict import require
from testbed.device.application import Application

UNIQUE_ID = 0x51AC0FFE
REFUSED = 2
"""How often the same is refused: the first time says nothing of the second."""

BEFORE = pytest.mark.parametrize("before", ["moved", "refused"])


def has_been(node: MobileNode, dut: Server, before: str, connection: Connection, right: int, wrong: int) -> None:
    """A connection has been moved with the right identifier, or refused with a wrong one; preamble."""
    node.move()
    identifier = right if before == "moved" else wrong
    request = node.send_migrate(connection, entries=[node.entry(connection, identifier=identifier)])
    dut.reply_to(request, SUCCESS if before == "moved" else FAILED)
    if before == "moved":
        node.rebind(request, connection)
    node.rest()


@BEFORE
@pytest.mark.parametrize(
    "row",
    [
        pytest.param(0, id="below", marks=requirement("MOPS-4.1-34")),
        pytest.param(1, id="beyond", marks=requirement("MOPS-4.1-35")),
        pytest.param(2, id="half the space away", marks=requirement("MOPS-4.1-203")),
    ],
)
@waits(6)
@invalid
@requirement(case=11)
def test_number_is_compared_every_time(node: MobileNode, dut: Server, case: Case, row: int, before: str) -> None:
    """A wrong number is refused to a connection that has been moved, or refused, before; it stays where it is."""
    connection = node.connect()
    has_been(node, dut, before, connection, connection.local.snd_nxt, wrong_number(case, connection, row + 1))
    request = node.move_and_send(connection, wrong_number(case, connection, row))
    dut.refuses(request, connection)


@BEFORE
@waits(6)
@invalid
@requirement("MOPS-4.1-84", case=11)
def test_unique_id_is_compared_every_time(node: MobileNode, dut: Server, app: Application, before: str) -> None:
    """A wrong Unique ID is refused to a connection that has been moved, or refused, before; it stays where it is."""
    connection = node.connect(remote_port=listen_mobile(node.case, app, service="echo", unique_id=UNIQUE_ID).port)
    has_been(node, dut, before, connection, UNIQUE_ID, UNIQUE_ID - 1)
    dut.refuses(node.move_and_send(connection, UNIQUE_ID + 1), connection)


@BEFORE
@waits(6)
@invalid
@requirement("MOPS-4.1-211", case=11)
def test_udp_unique_id_is_compared_every_time(node: MobileNode, dut: Server, app: Application, before: str) -> None:
    """A wrong Unique ID is refused to a UDP socket that has been moved, or refused, before; it stays where it is."""
    flow = node.open_flow(app.listen(protocol="udp", mobile_allowed=True, unique_id=UNIQUE_ID))
    node.move()
    first = node.send_udp_migrate(flow, UNIQUE_ID if before == "moved" else UNIQUE_ID - 1)
    dut.reply_to(first, SUCCESS if before == "moved" else FAILED)
    if before == "moved":
        node.rebind(first, flow)
    node.rest()
    node.move()
    request = node.send_udp_migrate(flow, UNIQUE_ID + 1)
    dut.answers(request, FAILED)
    dut.leaves_flow_alone(request, flow)


@waits(6)
@invalid
@requirement("MOPS-3-01", case=11)
def test_socket_without_mobile_allowed_is_refused_every_time(node: MobileNode, dut: Server, app: Application) -> None:
    """A socket that is not mobile is refused the second time as it was the first time."""
    connection = node.connect(remote_port=app.listen(service="echo", mobile_allowed=False).port)
    for _ in range(REFUSED):
        node.move()
        dut.refuses(node.send_migrate(connection), connection)
        node.rest()


@waits(6)
@invalid
@requirement("MOPS-4.1-55", "MOPS-4.1-56", case=11)
def test_second_atomic_move_is_rolled_back_to_the_first(node: MobileNode, dut: Server, case: Case) -> None:
    """An atomic Migrate that fails leaves connections that have moved before where their last move has brought them."""
    connections = [node.connect() for _ in range(2)]
    node.migrate(*connections, code=MIGRATE_ATOMIC)
    node.rest()
    node.move()
    entries = [node.entry(connection) for connection in connections]
    entries[1] = (*entries[1][:2], wrong_number(case, connections[1]))
    request = node.send_migrate(*connections, code=MIGRATE_ATOMIC, entries=entries)
    dut.reply_to(request, FAILED)
    dut.leaves_alone(request, *connections)


@waits(6)
@valid
@requirement("MOPS-4.1-18", case=11)
def test_all_tuples_before_are_dead(node: MobileNode, dut: Server) -> None:
    """After a second move neither the first tuple nor the second one reaches the connection."""
    connection = node.connect()
    node.migrate(connection)
    node.rest()
    node.migrate(connection)
    dut.is_nowhere_else(connection)
    dut.serves(connection)


def judge_checksum(case: Case, reply: Reply, request: SentMigrate) -> None:
    """The checksum covers the whole message, in IPFF with the pseudo-header."""
    header = case.network.header(reply.frame.data)
    assert header
    wanted = case.network.message_checksum(header.source, header.destination, case.network.payload(reply.frame.data))
    require(
        reply.message.checksum % 0xFFFF == wanted % 0xFFFF,
        "checksum", f"{wanted:#06x}", f"{reply.message.checksum:#06x}", reply.frame,
    )  # fmt: skip


def judge_header(case: Case, reply: Reply, request: SentMigrate) -> None:
    """Every field beside Code, Checksum and Reserved is the request's."""
    require_fields(reply, **{name: request.message.getfieldval(name) for name in COPIED})


def judge_entries(case: Case, reply: Reply, request: SentMigrate) -> None:
    """The entries are the request's."""
    require_fields(reply, entries=request.entries)


def judge_destination(case: Case, reply: Reply, request: SentMigrate) -> None:
    """It goes to where the request came from."""
    seen = case.network.dissect(reply.frame.data).dst
    require(seen == request.station.address, "destination", request.station.address, seen, reply.frame)


def judge_reserved(case: Case, reply: Reply, request: SentMigrate) -> None:
    """Reserved is zero, as it is in the request."""
    require(reply.message.reserved == 0, "reserved", 0, reply.message.reserved, reply.frame)


Judgement = Callable[[Case, Reply, SentMigrate], None]


@pytest.mark.parametrize(
    "judge",
    [
        pytest.param(judge_checksum, id="checksum", marks=requirement("MOPS-4.1-04")),
        pytest.param(judge_reserved, id="reserved", marks=requirement("MOPS-4.1-05")),
        pytest.param(judge_header, id="header", marks=requirement("MOPS-4.1-02")),
        pytest.param(judge_entries, id="entries", marks=requirement("MOPS-4.1-03")),
        pytest.param(judge_destination, id="destination", marks=requirement("MOPS-4.1-06")),
    ],
)
@waits(6)
@valid
@requirement(case=11)
def test_reply_to_the_second_move(node: MobileNode, dut: Server, case: Case, judge: Judgement) -> None:
    """The success of a second move is as right as that of the first."""
    connection = node.connect()
    node.migrate(connection)
    node.rest()
    node.move()
    request = node.send_migrate(connection)
    judge(case, dut.reply_to(request, SUCCESS), request)


@pytest.mark.parametrize(
    "judge",
    [
        pytest.param(judge_checksum, id="checksum", marks=requirement("MOPS-4.1-04")),
        pytest.param(judge_header, id="header", marks=requirement("MOPS-4.1-13")),
        pytest.param(judge_entries, id="entries", marks=requirement("MOPS-4.1-13")),
        pytest.param(judge_destination, id="destination", marks=requirement("MOPS-4.1-06")),
    ],
)
@waits(6)
@invalid
@requirement(case=12)
def test_refusal_after_a_success(node: MobileNode, dut: Server, case: Case, judge: Judgement) -> None:
    """The refusal of a second move is as right as that of a first one."""
    connection = node.connect()
    node.migrate(connection)
    node.rest()
    request = node.move_and_send(connection, wrong_number(case, connection))
    judge(case, dut.reply_to(request, FAILED), request)


@valid
@requirement("MOPS-4.1-04", case=13)
def test_checksum_of_a_long_reply_is_right(node: MobileNode, dut: Server, case: Case) -> None:
    """The checksum of a reply that lists as many entries as one packet carries covers all of them."""
    node.move()
    request = node.send(node.full_request())
    judge_checksum(case, dut.reply_to(request, FAILED), request)


@pytest.mark.parametrize("code", [SUCCESS, FAILED], ids=["success", "failed"])
@valid
@requirement("MOPS-4.1-04", case=14)
def test_checksum_of_a_reply_about_udp_is_right(
    node: MobileNode, dut: Server, app: Application, case: Case, code: int
) -> None:
    """The checksum of a reply about a UDP socket is right as well."""
    needs(case, "mops.udp")
    needs(case, "mops.unique_id")
    flow = node.open_flow(app.listen(protocol="udp", mobile_allowed=True, unique_id=UNIQUE_ID))
    node.move()
    request = node.send_udp_migrate(flow, UNIQUE_ID if code == SUCCESS else UNIQUE_ID + 1)
    judge_checksum(case, dut.reply_to(request, code), request)


@inopportune
@requirement("MOPS-4.1-222", case=11)
def test_a_hundred_others_do_not_end_the_interval(node: MobileNode, dut: Server, case: Case) -> None:
    """Inside the interval a second command is discarded, though a message about a hundred ports has come between.

    About fewer where the device's largest table has not the room for as many beside those of the other cases.
    """
    connection = node.connect()
    first = node.move_and_send(connection, wrong_number(case, connection))
    dut.reply_to(first, FAILED)
    message = node.full_request()
    message.entries = message.entries[: case.setup.profile.ixit.mops.largest_table // 4]
    between = node.send(message)
    second = node.send_migrate(connection)
    node.check_in_time(second, first, 1)
    dut.reply_to(between, FAILED)
    dut.discards(second, connection)


@inopportune
@requirement("MOPS-4.1-72", case=11)
def test_limited_entry_after_another_one_moves_nothing(node: MobileNode, dut: Server, case: Case) -> None:
    """Inside its interval a connection does not move by an entry that follows one about another port either."""
    connection = node.connect()
    first = node.move_and_send(connection, wrong_number(case, connection))
    dut.reply_to(first, FAILED)
    entries = [(node.new_port(), node.new_port(), 1), node.entry(connection)]
    second = node.send_migrate(connection, entries=entries)
    node.check_in_time(second, first, 1)
    dut.collect_replies(second.mark)
    dut.leaves_alone(second, connection)
