# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 2, "send a new Migrate SYN with the earlier token": a Migrate SYN that is right moves the connection."""

import pytest

from conformance.migrate.dut.mobile_node import DutNode
from conformance.migrate.tester.host import MigrateHost
from conformance.migrate.tester.opener import Variant
from testbed import inopportune, requirement, valid
from testbed.case.case import Case
from testbed.case.verdict import require
from testbed.device.application import Application

VARIANTS = pytest.mark.parametrize("variant", Variant, ids=str)


@VARIANTS
@valid
@requirement("MIGRATE-2-11", case=1)
def test_migrate_syn_is_answered(node: MigrateHost, dut: DutNode, variant: Variant) -> None:
    """A Migrate SYN with the right Token and Request is answered by a SYN-ACK where it came from."""
    connection = node.connect(variant=variant)
    node.move()
    dut.answers(node, node.send_migrate(connection))


@VARIANTS
@valid
@requirement("MIGRATE-2-12", case=1)
def test_connection_continues_at_the_new_tuple(node: MigrateHost, dut: DutNode, variant: Variant) -> None:
    """After the handshake of a migration the connection carries data, both ways, at the new tuple."""
    connection = node.connect(variant=variant)
    node.exchange(connection)
    node.migrate(connection)
    dut.serves(connection)


@valid
@requirement("MIGRATE-2-12", case=2)
def test_connection_that_the_device_opened_continues(node: MigrateHost, dut: DutNode, app: Application) -> None:
    """A connection that the device has opened follows its peer too."""
    connection = node.accept_from(app)
    dut.serves(connection)
    node.migrate(connection)
    dut.serves(connection)


@valid
@requirement("MIGRATE-2-12", case=3)
def test_data_completes_the_handshake(node: MigrateHost, dut: DutNode) -> None:
    """Where the ACK of the handshake was lost, the data after it completes it."""
    connection = node.connect()
    node.exchange(connection)
    node.move()
    sent = node.send_migrate(connection)
    node.await_syn_ack(sent)
    connection.rebind(sent.end)
    dut.serves(connection)


@valid
@requirement("MIGRATE-2-16", case=1)
def test_another_port_serves_as_well(node: MigrateHost, dut: DutNode, case: Case) -> None:
    """A Migrate SYN from another port of another address, and then from another port of the same one, is served."""
    connection = node.connect()
    node.move()
    for data in (b"another address", b"another port"):
        sent = node.send_migrate(connection, port=next(case.setup.source_ports))
        dut.follows(node, connection, sent)
        dut.serves(connection, data=data)


@pytest.mark.parametrize("moves", [2, 10])
@valid
@requirement("MIGRATE-2-21", case=1)
def test_connection_migrates_again(node: MigrateHost, dut: DutNode, moves: int) -> None:
    """A connection migrates a second time, and a tenth."""
    connection = node.connect()
    for number in range(moves):
        node.move()
        sent = node.send_migrate(connection)
        dut.follows(node, connection, sent)
        dut.serves(connection, data=f"move {number}".encode())


@valid
@requirement("MIGRATE-2-21", case=2)
def test_connection_migrates_back(node: MigrateHost, dut: DutNode) -> None:
    """A connection migrates back to its first address and port."""
    connection = node.connect()
    home = node.station
    node.exchange(connection)
    node.migrate(connection)
    dut.serves(connection)
    node.station = home
    dut.follows(node, connection, node.send_migrate(connection))


@valid
@requirement("MIGRATE-2-14", case=1)
def test_segments_from_the_old_tuple_are_not_taken(node: MigrateHost, dut: DutNode) -> None:
    """After the migration a segment from the old tuple does not reach the connection, which continues."""
    connection = node.connect()
    node.exchange(connection)
    node.migrate(connection)
    dut.serves(connection)
    dut.is_dead_at(connection.previous[0], connection)
    dut.serves(connection, data=b"these bytes have the same numbers")


@inopportune
@requirement("MIGRATE-2-14", case=2)
def test_no_tuple_before_reaches_the_connection(node: MigrateHost, dut: DutNode) -> None:
    """After two migrations segments from the first tuple do not reach the connection, nor do those from the second."""
    connection = node.connect()
    node.exchange(connection)
    for _ in range(2):
        node.migrate(connection)
    for number, end in enumerate(connection.previous):
        dut.is_dead_at(end, connection)
        dut.serves(connection, data=f"these bytes too {number}".encode())


@valid
@requirement("MIGRATE-2-14", case=3)
def test_data_of_the_device_goes_to_the_new_tuple_alone(node: MigrateHost, dut: DutNode, case: Case) -> None:
    """After the migration what the device sends comes to the new tuple, and nothing to the old one."""
    connection = node.connect()
    node.migrate(connection)
    mark = case.mark()
    dut.serves(connection)
    dut.expect_silence(connection.previous[0], mark, resets=False)


@pytest.mark.parametrize("data", [b"", b"on its way"], ids=["idle", "data outstanding"])
@valid
@requirement("MIGRATE-basic-02", case=1)
def test_the_old_tuple_ends_in_silence(node: MigrateHost, dut: DutNode, case: Case, data: bytes) -> None:
    """The migration itself sends nothing to the old tuple."""
    connection = node.connect()
    node.exchange(connection)
    if data:
        dut.receive_without_ack(connection, data)
    node.move()
    old, sent = connection.local, node.send_migrate(connection)
    with dut.control():
        answer = dut.answers(node, sent)
        node.complete(connection, sent, answer)
    dut.expect_silence(old, case.trace.mark_after(answer.frame), resets=False)
    for segment in dut.segments(old, sent.mark):
        is_end = segment.is_reset or "F" in segment.flags
        require(not is_end, "segment to the old tuple", "no end of the connection", segment, segment.frame)


@valid
@requirement("MIGRATE-basic-04", case=1)
def test_only_the_connection_of_the_token_moves(node: MigrateHost, dut: DutNode) -> None:
    """Of two connections of one peer the one that the Token names moves, and the other stays."""
    moving, staying = node.connect(), node.connect()
    node.exchange(moving, staying)
    node.migrate(moving)
    dut.serves(moving, staying)


@valid
@requirement("MIGRATE-basic-04", case=2)
def test_many_connections_each_move(node: MigrateHost, dut: DutNode) -> None:
    """Twenty connections of one peer move, each by its own Token."""
    connections = node.as_many_as_open(node.connect, 20)
    node.move()
    sent = [node.send_migrate(connection) for connection in connections]
    with dut.control():
        for connection, one in zip(connections, sent, strict=True):
            node.complete(connection, one, dut.answers(node, one))
    dut.serves(*connections)


@valid
@requirement("MIGRATE-exchange-02", case=1)
def test_insecure_key_is_zero(node: MigrateHost, dut: DutNode) -> None:
    """In the insecure variant Token and Request made with 200 zero bits move the connection."""
    connection = node.connect(variant=Variant.INSECURE)
    node.move()
    sent = node.send_migrate(connection)
    node.complete(connection, sent, dut.answers(node, sent))
    dut.serves(connection)
