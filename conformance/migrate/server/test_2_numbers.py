# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 2, "so that the old connection can be continued": numbers, options and windows of a migration."""

import pytest

from conformance.migrate.dut.mobile_node import DutNode
from conformance.migrate.tester.host import MigrateHost
from conformance.migrate.tester.keys import Keys
from conformance.migrate.tester.opener import INITIAL_WINDOW, Variant
from layers.migrate import KEY_PART
from testbed import requirement, valid
from testbed.case.case import Case
from testbed.case.expect import preamble
from testbed.case.verdict import require
from testbed.device.application import Application
from testbed.interruptions import NotApplicable
from testbed.peers.flight import open_window
from testbed.peers.segment import WINDOW_SCALE
from testbed.peers.sequence import SEQUENCE_SPACE, after
from testbed.peers.window import announce

VARIANTS = pytest.mark.parametrize("variant", Variant, ids=str)


@VARIANTS
@valid
@requirement("MIGRATE-processing-01", case=1)
def test_number_of_the_syn_ack(node: MigrateHost, dut: DutNode, case: Case, variant: Variant) -> None:
    """The SYN-ACK has the number of the device's byte that was acknowledged last, with data unacknowledged too."""
    connection = node.connect(variant=variant)
    node.exchange(connection)
    connection.local.acknowledge()
    dut.barrier()
    acknowledged = connection.local.rcv_nxt
    dut.receive_without_ack(connection, b"not acknowledged")
    node.move()
    answer = node.await_syn_ack(node.send_migrate(connection))
    less = 1 if case.setup.profile.ixit.migrate.syn_number == "acknowledged" else 0
    expected = (acknowledged - less) % SEQUENCE_SPACE
    require(answer.seq == expected, "sequence number of the SYN-ACK", expected, answer.seq, answer.frame)


@valid
@requirement("MIGRATE-processing-01", case=2)
def test_number_of_the_syn_ack_before_any_data(node: MigrateHost, dut: DutNode, case: Case) -> None:
    """Where the device has sent nothing the SYN-ACK has the number of its first SYN-ACK."""
    connection = node.connect()
    dut.barrier()
    node.move()
    answer = node.await_syn_ack(node.send_migrate(connection))
    less = 0 if case.setup.profile.ixit.migrate.syn_number == "acknowledged" else 1
    expected = (connection.known.na + less) % SEQUENCE_SPACE
    require(answer.seq == expected, "sequence number of the SYN-ACK", expected, answer.seq, answer.frame)


@pytest.mark.parametrize("what", ["idle", "data lost", "data out of order"])
@valid
@requirement("MIGRATE-processing-02", case=1)
def test_acknowledgement_of_the_syn_ack(node: MigrateHost, dut: DutNode, what: str) -> None:
    """The SYN-ACK acknowledges the data that has come in sequence, and neither the SYN nor what lies beyond a gap."""
    connection = node.connect()
    node.exchange(connection)
    expected = connection.local.snd_nxt
    if what == "data lost":
        connection.local.send_lost(b"lost at the old address")
    elif what == "data out of order":
        connection.local.send_out_of_window(b"beyond a gap", 100)
    dut.barrier()
    node.move()
    answer = node.await_syn_ack(node.send_migrate(connection))
    require(answer.ack == expected, "acknowledgement of the SYN-ACK", expected, answer.ack, answer.frame)


@pytest.mark.parametrize("what", ["a million more", "half the space", "zero"])
@valid
@requirement("MIGRATE-processing-05", case=1)
def test_any_sequence_number_serves(node: MigrateHost, dut: DutNode, what: str) -> None:
    """A Migrate SYN of any sequence number, its Request made with it, is served; the stream's numbers are its own."""
    connection = node.connect()
    node.exchange(connection)
    node.move()
    usual = node.syn_number(connection.local)
    number = {"a million more": usual + 10**6, "half the space": usual + (1 << 31), "zero": 0}[what] % SEQUENCE_SPACE
    dut.follows(node, connection, node.send_migrate(connection, sequence=number))


@valid
@requirement("MIGRATE-processing-06", case=1)
def test_slow_start_after_the_migration(node: MigrateHost, dut: DutNode, app: Application, case: Case) -> None:
    """After a migration the first flight of the device is at most the initial window."""
    connection = node.connect_to(app)
    open_window(case, connection.local, connection.socket, 2 * INITIAL_WINDOW)
    connection.skip()
    node.migrate(connection)
    dut.starts_slowly(connection)


@valid
@requirement("MIGRATE-processing-06", case=2)
def test_slow_start_after_a_second_migration(node: MigrateHost, dut: DutNode, app: Application, case: Case) -> None:
    """After a second migration the first flight of the device is at most the initial window."""
    connection = node.connect_to(app)
    node.migrate(connection)
    open_window(case, connection.local, connection.socket, 2 * INITIAL_WINDOW)
    connection.skip()
    node.migrate(connection)
    dut.starts_slowly(connection)


@valid
@requirement("MIGRATE-basic-03", case=1)
def test_timestamps_continue(node: MigrateHost, dut: DutNode, case: Case) -> None:
    """Timestamps agreed on at the opening are on the device's segments after the migration, and go on from before."""
    connection = node.connect(variant=Variant.INSECURE, timestamps=True)
    if not node.syn_ack_of(connection.local).stamps:
        raise NotApplicable("the device does not use TCP timestamps")
    connection.local.timestamps = True
    node.exchange(connection)
    before = dut.segments(connection.local)[-1]
    node.migrate(connection)
    dut.serves(connection)
    for segment in dut.segments(connection.local):
        if segment.data:
            require(segment.stamps, "timestamps after the migration", "there", "none", segment.frame)
            tsval, last = (int.from_bytes(one.stamps[:4]) for one in (segment, before))
            require(after(tsval, last) >= 0, "TSval", f"at least {last}", tsval, segment.frame, before.frame)


@valid
@requirement("MIGRATE-basic-03", case=2)
def test_window_keeps_its_scale(node: MigrateHost, dut: DutNode, app: Application, case: Case) -> None:
    """The scale of the peer's window counts after the migration: the window is used, and not exceeded."""
    listener = app.listen()
    connection = node.connect(remote_port=listener.port, scale=7)
    connection.application = listener.accepted(case.setup.profile.ixit.tcp_within_s)
    if node.syn_ack_of(connection.local).option(WINDOW_SCALE) is None:
        raise NotApplicable("the device does not use the window scale option")
    node.migrate(connection)
    announce(dut, connection.local, 16)
    sending = connection.socket.begin_send(bytes(4096))
    dut.flight(connection.local, 1024, 16 << 7)
    connection.local.acknowledge(window=65535 >> 7)
    dut.retransmits(connection, bytes(4096))
    sending.result()


@valid
@requirement("MIGRATE-timestamps-01", case=1)
def test_key_is_no_timestamp(node: MigrateHost, dut: DutNode) -> None:
    """Timestamps smaller than the end of the key in the SYN are no reason to drop a segment."""
    keys = Keys()
    stamp = int.from_bytes(keys.public[KEY_PART:-4])
    connection = node.connect(variant=Variant.SECURE, keys=keys, clock=(stamp - (1 << 30)) % SEQUENCE_SPACE)
    with preamble("an ordinary connection with a key carries nothing"):
        dut.serves(node.connect(variant=Variant.SECURE))
    dut.serves(connection)
