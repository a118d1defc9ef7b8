# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 3, "ensures freshness of migrate SYN requests": request numbers, replays, keys."""

import pytest

from conformance.migrate.dut.mobile_node import DutNode
from conformance.migrate.tester.connection import Connection, Identity
from conformance.migrate.tester.host import MigrateHost
from conformance.migrate.tester.keys import Keys, is_point
from conformance.migrate.tester.opener import Variant
from testbed import inopportune, invalid, requirement, valid
from testbed.case.case import Case
from testbed.case.expect import preamble
from testbed.case.verdict import Broken, require
from testbed.peers.sequence import SEQUENCE_SPACE


def migrated_with(node: MigrateHost, reqno: int) -> Connection:
    """A connection that has migrated once, with this ReqNo, as preamble."""
    connection = node.connect()
    node.exchange(connection)
    serve_number(node, connection, reqno)
    return connection


def serve_number(node: MigrateHost, connection: Connection, reqno: int) -> None:
    """Migrate a connection with this ReqNo, as preamble."""
    node.move()
    sent = node.send_migrate(connection, reqno=reqno)
    node.complete(connection, sent, node.await_syn_ack(sent), reqno)


@pytest.mark.parametrize("reqno", [1, 63])
@valid
@requirement("MIGRATE-processing-07", case=1)
def test_first_number_may_be_any(node: MigrateHost, dut: DutNode, reqno: int) -> None:
    """The first ReqNo of a connection may be 1 or 63."""
    connection = node.connect()
    node.move()
    dut.follows(node, connection, node.send_migrate(connection, reqno=reqno), reqno=reqno)


@pytest.mark.parametrize(
    ("last", "larger"), [(1, 3), (1, 64), (20, 83), (100, 35)], ids=["+2", "+63", "20+63", "wraps"]
)
@valid
@requirement("MIGRATE-processing-04", case=1)
def test_numbers_may_be_left_out(node: MigrateHost, dut: DutNode, last: int, larger: int) -> None:
    """A ReqNo that is larger by 2, or by 63, is served."""
    connection = migrated_with(node, last)
    node.move()
    dut.follows(node, connection, node.send_migrate(connection, reqno=larger), reqno=larger)


@pytest.mark.parametrize(("last", "larger"), [(127, 0), (126, 1), (120, 10)], ids=["127-0", "126-1", "120-10"])
@valid
@requirement("MIGRATE-3-13", case=1)
def test_zero_comes_after_127(node: MigrateHost, dut: DutNode, last: int, larger: int) -> None:
    """Numbers go round: a ReqNo of 0 is larger than one of 127."""
    connection = node.connect()
    node.exchange(connection)
    for reqno in (63, 100, last):
        serve_number(node, connection, reqno)
    node.move()
    dut.follows(node, connection, node.send_migrate(connection, reqno=larger), reqno=larger)


@pytest.mark.parametrize(("last", "older"), [(5, 4), (5, 0), (60, 1), (5, 5), (2, 126)], ids=str)
@inopportune
@requirement("MIGRATE-3-08", case=1)
def test_older_number_moves_nothing(node: MigrateHost, dut: DutNode, last: int, older: int) -> None:
    """A Migrate SYN whose ReqNo is older or the same, its Request right, moves nothing from another address."""
    connection = migrated_with(node, last)
    node.move()
    sent = node.send_migrate(connection, reqno=older)
    dut.does_not_move(connection, sent)


@inopportune
@requirement("MIGRATE-3-08", case=2)
def test_number_of_the_first_migration_after_the_second(node: MigrateHost, dut: DutNode) -> None:
    """After a second migration the ReqNo of the first one is as old as that of the second."""
    connection = migrated_with(node, 1)
    serve_number(node, connection, 2)
    for reqno in (1, 2):
        node.move()
        dut.does_not_move(connection, node.send_migrate(connection, reqno=reqno), f"number {reqno}".encode())


@pytest.mark.parametrize("when", ["before the ACK", "after the ACK", "after data"])
@inopportune
@requirement("MIGRATE-3-09", case=1)
def test_repeated_migrate_syn_changes_nothing(node: MigrateHost, dut: DutNode, when: str) -> None:
    """A Migrate SYN that comes again from where it came leaves the connection there, and it carries data."""
    connection = node.connect()
    node.exchange(connection)
    node.move()
    sent = node.send_migrate(connection)
    answer = node.await_syn_ack(sent)
    if when == "before the ACK":
        node.repeat(sent)
        dut.barrier()
    node.complete(connection, sent, answer)
    if when == "after data":
        with preamble():
            dut.serves(connection)
    if when != "before the ACK":
        node.repeat(sent)
        dut.barrier()
    dut.serves(connection, data=b"after the repeated SYN")


@invalid
@requirement("MIGRATE-3-10", case=1)
def test_recorded_migrate_syn_moves_nothing_elsewhere(node: MigrateHost, dut: DutNode) -> None:
    """A recorded Migrate SYN sent from another address moves nothing."""
    connection = node.connect()
    node.exchange(connection)
    (sent,) = node.migrate(connection)
    dut.serves(connection)
    node.move()
    dut.does_not_move(connection, node.replay(sent))


@invalid
@requirement("MIGRATE-3-10", case=2)
def test_recorded_migrate_syn_moves_nothing_back(node: MigrateHost, dut: DutNode) -> None:
    """After a second migration the recorded SYN of the first one does not take the connection back."""
    connection = node.connect()
    node.exchange(connection)
    (sent,) = node.migrate(connection)
    node.migrate(connection)
    dut.does_not_move(connection, node.repeat(sent))


@invalid
@requirement("MIGRATE-3-10", case=3)
def test_recorded_migrate_syn_moves_no_later_connection(node: MigrateHost, dut: DutNode, case: Case) -> None:
    """A Migrate SYN recorded on a connection that is over moves no later one of the same tuple."""
    connection = node.connect()
    first = node.station
    node.exchange(connection)
    node.move()
    sent = node.send_migrate(connection)
    node.complete(connection, sent, node.await_syn_ack(sent))
    ended = connection.local.finish()
    dut.closes(connection.local, ended.ns)
    dut.barrier()
    node.station = first
    later = node.connect(port=connection.previous[0].port)
    node.exchange(later)
    node.move()
    dut.does_not_move(later, node.replay(sent))


@invalid
@requirement("MIGRATE-3-11", case=1)
def test_request_of_another_number_moves_nothing(node: MigrateHost, dut: DutNode) -> None:
    """A new ReqNo with the Request of an older one moves nothing."""
    connection = node.connect()
    node.exchange(connection)
    node.move()
    known = connection.known
    number = node.syn_number(connection.local)
    recorded = known.request(number, 1)
    sent = node.send_migrate(connection)
    node.complete(connection, sent, node.await_syn_ack(sent))
    node.move()
    sent = node.send_migrate(connection, reqno=2, request=recorded)
    dut.does_not_move(connection, sent)


@valid
@requirement("MIGRATE-3-01", case=1)
def test_secret_is_that_of_the_two_keys(node: MigrateHost, dut: DutNode) -> None:
    """A Token and a Request made with the secret of the two keys move the connection; with zeros they do not."""
    connection = node.connect(variant=Variant.SECURE)
    node.exchange(connection)
    node.move()
    known = connection.known
    forged = node.send_migrate(connection, identity=Identity(known.ni, known.na))
    dut.does_not_move(connection, forged)
    node.move()
    dut.follows(node, connection, node.send_migrate(connection))


@valid
@requirement("MIGRATE-3-02", case=1)
def test_keys_are_points_and_fresh(node: MigrateHost, dut: DutNode, case: Case) -> None:
    """The keys of several SYN-ACKs are points of the curve, no two of them the same."""
    node.needs(Variant.SECURE)
    seen: list[bytes] = []
    for _ in range(4):
        _, answer = node.offer(*node.permitted(Keys()))
        found = answer.permitted(case.setup.profile.ixit.migrate.permitted_kind)
        key = found.key if found else b""
        require(is_point(key), "Key Data", "a point of the curve", key.hex(), answer.frame)
        require(key not in seen, "Key Data", "another one for each connection", key.hex(), answer.frame)
        seen.append(key)


@invalid
@requirement("MIGRATE-3-12", case=1)
def test_insecure_hijack(node: MigrateHost, dut: DutNode, case: Case) -> None:
    """Reported: that somebody who has seen the handshake of an insecure connection migrates it."""
    connection = node.connect(variant=Variant.INSECURE)
    node.exchange(connection)
    heard = node.syn_ack_of(connection.local)
    attacker = MigrateHost(case)
    identity = Identity((heard.ack - 1) % SEQUENCE_SPACE, heard.seq)
    sent = attacker.send_migrate(connection, identity=identity)
    taken = node.find_syn_ack(sent) is not None
    case.values["hijacked"] = str(taken)
    if taken:
        connection.rebind(sent.end)
        connection.local.acknowledge()
    try:
        dut.serves(connection)
    except Broken:
        case.values["after it"] = "the connection carries no data"
