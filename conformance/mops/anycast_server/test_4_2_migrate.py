# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.2, the anycast server: a Migrate at the unicast address, and where the connection is afterwards."""

import pytest

from conformance.mops.dut.anycast_server import AnycastServer
from conformance.mops.dut.fields import COPIED, require_fields
from conformance.mops.tester.anycast_node import AnycastNode
from conformance.mops.tester.numbers import wrong_number
from layers.mops import FAILED, MIGRATE, MIGRATE_ATOMIC, SUCCESS
from testbed import inopportune, requirement, valid, waits
from testbed.case.case import Case
from testbed.case.expect import preamble
from testbed.wire import chance

PART = bytes(range(256)) * 8
BOTH_CODES = pytest.mark.parametrize("code", [MIGRATE, MIGRATE_ATOMIC], ids=["best-effort", "atomic"])


@BOTH_CODES
@valid
@requirement("MOPS-4.2-12", case=1)
def test_success_comes_from_the_unicast_address(node: AnycastNode, dut: AnycastServer, code: int) -> None:
    """A Migrate of two connections at the unicast address is answered once, from there, with all its fields."""
    connections = [node.connect(), node.connect()]
    node.move()
    request = node.send_migrate(*connections, code=code)
    reply = dut.answers_from(node.unicast, request, SUCCESS)
    wanted = {name: request.message.getfieldval(name) for name in COPIED}
    require_fields(reply, count=2, entries=request.message.entries, **wanted)
    dut.stays_silent(request)


@valid
@requirement("MOPS-4.2-12", case=2)
def test_failed_comes_from_the_unicast_address(case: Case, node: AnycastNode, dut: AnycastServer) -> None:
    """A Migrate with a wrong sequence number is answered "failed", from there, with the entry that failed."""
    connection = node.connect()
    node.move()
    entry = node.entry(connection, identifier=wrong_number(case, connection))
    request = node.send_migrate(connection, entries=[entry])
    require_fields(dut.answers_from(node.unicast, request, FAILED), count=1, entries=[entry])


@valid
@requirement("MOPS-4.2-13", case=1)
def test_connection_continues(case: Case, node: AnycastNode, dut: AnycastServer) -> None:
    """After success data flows, byte-exact, at the address that the profile names; all of it comes from there."""
    connection = node.connect()
    node.migrate(connection, use=False)
    mark = case.mark()
    dut.serves(connection, data=PART)
    dut.sends_from(node.continues_at, connection, mark)


@valid
@requirement("MOPS-4.2-13", case=2)
def test_data_under_way_follows(case: Case, node: AnycastNode, dut: AnycastServer) -> None:
    """Data of the server that got lost while the node moved is sent again, from there, to the new tuple."""
    connection = node.connect()
    connection.local.drop_incoming()
    sent = connection.local.send(b"on its way")
    dut.barrier()
    node.migrate(connection, use=False)
    dut.delivers(connection.local, b"on its way", case.clock.now_ns(), unanswered_since_ns=sent.ns)
    dut.serves(connection)


@inopportune
@requirement("MOPS-4.2-42", case=1)
def test_old_tuple_is_dead_at_both_addresses(case: Case, node: AnycastNode, dut: AnycastServer) -> None:
    """After success the previous tuple takes no data, with either address, and nothing of the connection goes there."""
    connection = node.connect()
    node.migrate(connection)
    mark = case.mark()
    connection.local.send(b"echo this at the new tuple")
    dut.expect_silence(connection.previous[0], mark)
    dut.old_tuple_is_dead_at(node.anycast, connection)
    dut.old_tuple_is_dead_at(node.unicast, connection)
    dut.serves(connection)


@valid
@requirement("MOPS-4.2-43", case=1)
def test_connection_stays_until_the_move(case: Case, node: AnycastNode, dut: AnycastServer) -> None:
    """An acknowledged connection lives at the anycast address, and takes nothing at the unicast address."""
    mark = case.mark()
    connection = node.connect(use=False)
    dut.acknowledgement_of(connection.local, mark)
    dut.serves(connection)
    dut.is_not_at(node.unicast, connection)
    dut.sends_from(node.anycast, connection, mark)


@inopportune
@requirement("MOPS-4.2-39", case=1)
def test_connection_of_another_server(node: AnycastNode, dut: AnycastServer) -> None:
    """A Migrate of a connection that this server has not got is answered "failed" to a node that has others here."""
    other = node.connect()
    node.move()
    entry = (node.new_port(), node.new_port(), chance.randbits(32))
    dut.answers_from(node.unicast, node.send_migrate(entries=[entry]), FAILED)
    dut.serves(other)


@waits(5.5)
@valid
@requirement("MOPS-4.2-40", case=1)
def test_second_move(node: AnycastNode, dut: AnycastServer) -> None:
    """After a second move, in the middle of the stream, the connection continues again."""
    connection = node.connect()
    node.migrate(connection)
    node.rest()
    node.move()
    request = node.send_migrate(connection)
    dut.answers_from(node.unicast, request, SUCCESS)
    node.rebind(request, connection)
    dut.serves(connection, data=PART)


@valid
@requirement("MOPS-4.2-38", case=1)
def test_migrate_at_the_anycast_address(node: AnycastNode, dut: AnycastServer) -> None:
    """A Migrate at the anycast address is answered from there, and the connection continues there."""
    connection = node.connect()
    node.move()
    node.asked = node.anycast
    request = node.send_migrate(connection)
    dut.answers_from(node.anycast, request, SUCCESS)
    node.rebind(request, connection)
    dut.serves(connection)


@inopportune
@requirement("MOPS-4.2-41", case=1)
def test_refused_migrate_changes_nothing(case: Case, node: AnycastNode, dut: AnycastServer) -> None:
    """A connection whose Migrate was refused is where it was, with the anycast address, and nowhere else."""
    connection = node.connect()
    node.move()
    entry = node.entry(connection, identifier=wrong_number(case, connection))
    request = node.send_migrate(connection, entries=[entry])
    dut.refuses(request, connection)
    dut.is_not_at(node.unicast, connection)


@valid
@requirement("MOPS-4.2-52", case=1)
def test_connection_ends(case: Case, node: AnycastNode, dut: AnycastServer) -> None:
    """Both ends close a connection that has moved, with the last data answered."""
    connection = node.connect()
    node.migrate(connection)
    mark = case.mark()
    sent = connection.local.send(b"the last", "FPA")
    dut.delivers(connection.local, b"the last", sent.ns)
    dut.closes(connection.local, sent.ns)
    dut.sends_from(node.continues_at, connection, mark)


@waits(5.5)
@valid
@requirement("MOPS-4.2-47", case=1)
def test_repeat_after_the_interval(node: AnycastNode, dut: AnycastServer) -> None:
    """A repeat of what was served is answered "success" again after the interval, and changes nothing."""
    connection = node.connect()
    request = node.migrate(connection)
    node.rest()
    dut.answers_from(node.unicast, node.send(request.message), SUCCESS)
    dut.serves(connection)


@inopportune
@requirement("MOPS-4.2-44", case=1)
def test_the_interval_holds_at_the_other_address(case: Case, node: AnycastNode, dut: AnycastServer) -> None:
    """Inside the interval a second Migrate for the same previous tuple is discarded at the anycast address too."""
    connection = node.connect()
    node.move()
    entry = node.entry(connection, identifier=wrong_number(case, connection))
    first = node.send_migrate(connection, entries=[entry])
    with preamble():
        dut.answers(first, FAILED)
    node.asked = node.anycast
    second = node.send_migrate(connection)
    node.check_in_time(second, first, 1)
    dut.discards(second, connection)
