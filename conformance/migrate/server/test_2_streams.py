# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 2, "so that the old connection can be continued": not a byte is lost, repeated or reordered."""

import pytest

from conformance.migrate.dut.mobile_node import DutNode
from conformance.migrate.tester.host import MigrateHost
from conformance.migrate.tester.opener import Variant
from testbed import inopportune, requirement, valid
from testbed.case.case import Case
from testbed.device.application import Application
from testbed.peers.stream import fitting
from testbed.peers.window import announce

VARIANTS = pytest.mark.parametrize("variant", Variant, ids=str)


@VARIANTS
@valid
@requirement("MIGRATE-2-13", case=1)
def test_data_lost_at_the_old_address_comes_again(node: MigrateHost, dut: DutNode, variant: Variant) -> None:
    """Data of the device that was lost at the old address is retransmitted to the new one."""
    connection = node.connect(variant=variant)
    node.exchange(connection)
    data = (bytes(range(256)) * 4)[: fitting(connection.local)]
    connection.local.drop_incoming()
    connection.local.send(data)
    dut.barrier()
    node.migrate(connection)
    dut.retransmits(connection, data)
    dut.serves(connection)


@valid
@requirement("MIGRATE-2-13", case=2)
def test_data_of_the_peer_that_was_lost_is_taken_again(node: MigrateHost, dut: DutNode) -> None:
    """Data of the peer that was lost at the old address is taken at the new one, and what follows it."""
    connection = node.connect()
    node.exchange(connection)
    data = b"lost on the way to the device"
    connection.local.send_lost(data)
    node.migrate(connection)
    dut.delivers_on(connection, data, connection.local.retransmit(data).ns)
    dut.serves(connection)


@valid
@requirement("MIGRATE-2-13", case=3)
def test_data_beyond_a_gap_is_not_lost(node: MigrateHost, dut: DutNode) -> None:
    """Data that came out of order before the migration is delivered in order when the gap is filled after it."""
    connection = node.connect(timestamps=False, sack=True)
    node.exchange(connection)
    first, second = b"the first half ", b"the second half"
    connection.local.send_out_of_window(second, len(first))
    dut.barrier()
    node.migrate(connection)
    connection.local.send(first)
    sent = connection.local.send(second)
    dut.delivers_on(connection, first + second, sent.ns)


@valid
@requirement("MIGRATE-2-13", case=4)
def test_zero_window_opens_after_the_migration(node: MigrateHost, dut: DutNode, app: Application, case: Case) -> None:
    """Data that waits for the peer's window at the migration comes when the window opens at the new address."""
    connection = node.connect_to(app)
    dut.serves(connection)
    announce(dut, connection.local, 0)
    data = bytes(range(200))
    connection.socket.begin_send(data)
    dut.barrier()
    node.migrate(connection)
    dut.retransmits(connection, data)


@valid
@requirement("MIGRATE-2-13", case=5)
def test_data_that_nobody_has_read_survives(node: MigrateHost, dut: DutNode, app: Application) -> None:
    """What has come before the migration and was not read is read after it, and then what came later."""
    connection = node.connect_to(app)
    before, later = bytes(range(256)) * 8, b"and after it"
    node.send(connection, before)
    dut.barrier()
    node.migrate(connection)
    node.send(connection, later)
    dut.application_reads(connection.socket, before + later)


@valid
@requirement("MIGRATE-2-20", case=1)
def test_application_keeps_its_socket(node: MigrateHost, dut: DutNode, app: Application) -> None:
    """The application's socket says nothing of a migration, and reads and writes go on."""
    connection = node.connect_to(app)
    dut.serves(connection)
    node.migrate(connection)
    dut.has_no_end(connection.socket)
    dut.serves(connection)


@pytest.mark.parametrize("state", ["CLOSE-WAIT", "FIN-WAIT-2"])
@inopportune
@requirement("MIGRATE-basic-01", case=1)
def test_half_closed_connection_migrates(node: MigrateHost, dut: DutNode, app: Application, state: str) -> None:
    """A connection of which one side is closed migrates, and what the other side sends is taken."""
    connection = node.connect_to(app)
    dut.serves(connection)
    if state == "CLOSE-WAIT":
        connection.local.finish()
        dut.quiesce()
    else:
        connection.socket.shut()
        dut.sends_fin(connection)
        connection.local.read()
        connection.local.acknowledge()
        dut.barrier()
    node.move()
    sent = node.send_migrate(connection)
    with dut.control():
        node.complete(connection, sent, dut.answers(node, sent))
        data = b"this side is open"
        if state == "CLOSE-WAIT":
            dut.delivers_on(connection, data, connection.socket.send(data))
        else:
            node.send(connection, data)
            dut.application_reads(connection.socket, data)


@valid
@requirement("MIGRATE-basic-01", case=2)
def test_fin_lost_at_the_old_address_comes_again(node: MigrateHost, dut: DutNode, app: Application, case: Case) -> None:
    """Data and FIN of the device that were lost at the old address are retransmitted to the new one."""
    connection = node.connect_to(app)
    dut.serves(connection)
    connection.local.drop_incoming()
    connection.socket.send(b"the final words")
    connection.socket.shut()
    dut.barrier()
    node.migrate(connection)
    dut.retransmits(connection, b"the final words")
    dut.closes_at(connection.local, case.started_ns)
