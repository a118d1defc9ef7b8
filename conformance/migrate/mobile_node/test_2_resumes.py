# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 2, "so that the old connection can be continued": what the device does when its Migrate SYN is answered."""

import pytest

from conformance.migrate.dut.mobile_node import DutNode
from conformance.migrate.mobile_node.test_2_moves import OPENED, open_connection
from conformance.migrate.tester.host import MigrateHost
from conformance.migrate.tester.opener import INITIAL_WINDOW
from testbed import exclusive, inopportune, requirement, valid, waits
from testbed.case.case import Case
from testbed.case.expect import preamble
from testbed.case.verdict import require, require_none
from testbed.device.application import Application
from testbed.peers.flight import open_window
from testbed.peers.sequence import SEQUENCE_SPACE
from testbed.peers.window import announce
from testbed.wire.clock import NANO

LONGEST_TIMER_S = 0.5
"""Data that is not acknowledged is retransmitted before this, or before twice the time it has waited already."""


@OPENED
@exclusive
@valid
@requirement("MIGRATE-requesting-05", case=1)
def test_syn_ack_is_acknowledged(node: MigrateHost, dut: DutNode, app: Application, opened: str) -> None:
    """A SYN-ACK that acknowledges data and not the SYN is acknowledged, with the numbers of the old connection."""
    connection = open_connection(node, app, opened)
    dut.serves(connection)
    end = connection.local
    expected = end.rcv_nxt, end.snd_nxt
    move = dut.move()
    syn, _ = dut.await_request(connection, move)
    end.follow_remote(move.new, move.mark)
    answer = node.answer_migrate(connection, syn)
    ack = dut.acknowledges_syn_ack(connection, move, answer.ns)
    require((ack.seq, ack.ack) == expected, "numbers of the ACK", expected, (ack.seq, ack.ack), ack.frame)


@OPENED
@exclusive
@valid
@requirement("MIGRATE-2-13", case=11)
def test_connection_continues_at_the_new_address(
    node: MigrateHost, dut: DutNode, app: Application, opened: str
) -> None:
    """After its migration the connection carries data, both ways, at the device's new address."""
    connection = open_connection(node, app, opened)
    dut.serves(connection)
    move = dut.move()
    syn, _ = dut.await_request(connection, move)
    dut.resumes(node, connection, move, syn)


@exclusive
@valid
@requirement("MIGRATE-2-13", case=12)
def test_data_sent_during_the_move_comes(node: MigrateHost, dut: DutNode, app: Application) -> None:
    """What was lost at the old address, and what the application sends before the SYN-ACK, comes in order."""
    connection = node.connect_to(app)
    dut.serves(connection)
    connection.local.drop_incoming()
    connection.socket.send(b"lost, ")
    dut.barrier()
    move = dut.move()
    syn, _ = dut.await_request(connection, move)
    connection.socket.send(b"withheld, ")
    connection.local.follow_remote(move.new, move.mark)
    node.answer_migrate(connection, syn)
    connection.socket.send(b"sent")
    dut.retransmits(connection, b"lost, withheld, sent")


@exclusive
@valid
@requirement("MIGRATE-2-13", case=13)
def test_zero_window_opens_after_the_move(node: MigrateHost, dut: DutNode, app: Application) -> None:
    """Data that waits for the peer's window at the move comes when the window opens after it."""
    connection = node.connect_to(app)
    dut.serves(connection)
    announce(dut, connection.local, 0)
    with preamble():
        dut.application_reads(connection.socket, b".")
    data = bytes(range(200))
    connection.socket.begin_send(data)
    move = dut.move()
    syn, _ = dut.await_request(connection, move)
    connection.local.follow_remote(move.new, move.mark)
    node.answer_migrate(connection, syn)
    connection.local.acknowledge()
    dut.retransmits(connection, data)


@exclusive
@valid
@requirement("MIGRATE-2-20", case=11)
def test_application_keeps_its_socket(node: MigrateHost, dut: DutNode, app: Application) -> None:
    """The application's socket says nothing of the move, and reads and writes go on."""
    connection = node.accept_from(app)
    dut.serves(connection)
    move = dut.move()
    syn, _ = dut.await_request(connection, move)
    dut.has_no_end(connection.socket)
    dut.resumes(node, connection, move, syn)
    dut.has_no_end(connection.socket)


@exclusive
@valid
@requirement("MIGRATE-2-21", case=11)
def test_second_move_and_back(node: MigrateHost, dut: DutNode, app: Application) -> None:
    """The connection follows a second move, and one back to the device's first address."""
    connection = node.connect_to(app)
    for to in ("", "", dut.home):
        move = dut.move(to)
        syn, _ = dut.requests(connection, move)
        dut.resumes(node, connection, move, syn)


@exclusive
@valid
@requirement("MIGRATE-2-21", case=12)
def test_both_ends_move_by_turns(node: MigrateHost, dut: DutNode, app: Application) -> None:
    """A connection whose peer has moved follows the device, and then its peer again."""
    connection = node.connect_to(app)
    node.migrate(connection)
    dut.serves(connection)
    move = dut.move()
    syn, _ = dut.requests(connection, move)
    dut.resumes(node, connection, move, syn)
    node.migrate(connection)
    dut.serves(connection)


@exclusive
@valid
@requirement("MIGRATE-requesting-01", case=1)
def test_slow_start_after_the_move(node: MigrateHost, dut: DutNode, app: Application, case: Case) -> None:
    """After its move the first flight of the device is at most the initial window."""
    connection = node.connect_to(app)
    open_window(case, connection.local, connection.socket, 2 * INITIAL_WINDOW)
    connection.skip()
    dut.complete_move(node, connection)
    dut.starts_slowly(connection)


@exclusive
@valid
@requirement("MIGRATE-requesting-04", case=1)
@waits(1)
def test_acknowledged_data_is_not_sent_again(node: MigrateHost, dut: DutNode, app: Application, case: Case) -> None:
    """Data that the SYN-ACK acknowledges is not sent again, and what follows is numbered on."""
    connection = node.connect_to(app)
    dut.serves(connection)
    data = b"received, and not acknowledged at the old address"
    asked_ns = dut.delivers_without_ack(connection, data)
    move = dut.move()
    syn, _ = dut.await_request(connection, move)
    mark = case.mark()
    end = connection.local
    end.follow_remote(move.new, mark)
    answer = node.answer_migrate(connection, syn)
    case.wait_until(answer.ns + max(round(LONGEST_TIMER_S * NANO), 2 * (answer.ns - asked_ns)))
    again = [one.frame for one in dut.segments(end, mark) if one.data]
    require_none("segments that repeat data which the SYN-ACK has acknowledged", again)
    expected = end.rcv_nxt
    dut.serves(connection)
    first = next(one for one in dut.segments(end, mark) if one.data)
    require(first.seq == expected % SEQUENCE_SPACE, "number of the next data", expected, first.seq, first.frame)


@pytest.mark.parametrize("state", ["CLOSE-WAIT", "FIN-WAIT-2"])
@exclusive
@inopportune
@requirement("MIGRATE-basic-01", case=11)
def test_half_closed_connection_follows(node: MigrateHost, dut: DutNode, app: Application, state: str) -> None:
    """A connection of which one side is closed follows the device's move, and the other side goes on."""
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
    move = dut.move()
    syn, _ = dut.requests(connection, move)
    connection.local.follow_remote(move.new, move.mark)
    node.answer_migrate(connection, syn)
    data = b"this side is open"
    if state == "CLOSE-WAIT":
        dut.delivers_on(connection, data, connection.socket.send(data))
    else:
        node.send(connection, data)
        dut.application_reads(connection.socket, data)


@inopportune
@requirement("MIGRATE-2-23", case=11)
def test_reset_does_not_close_what_the_device_opened(node: MigrateHost, dut: DutNode, app: Application) -> None:
    """After a reset the application of a connection that the device has opened sees no end."""
    connection = node.accept_from(app)
    dut.serves(connection)
    since = dut.reset_by_its_peer(connection, judged=True)
    dut.quiesce()
    dut.still_waits(since)
    dut.has_no_end(connection.socket)


@inopportune
@requirement("MIGRATE-2-26", case=11)
def test_the_device_is_silent_in_the_wait(node: MigrateHost, dut: DutNode, app: Application, case: Case) -> None:
    """In MIGRATE-WAIT a connection that the device has opened sends nothing."""
    connection = node.accept_from(app)
    dut.serves(connection)
    dut.reset_by_its_peer(connection)
    mark = case.mark()
    connection.socket.send(b"nobody is there to read this")
    dut.quiesce()
    require_none("segments sent in MIGRATE-WAIT", [one.frame for one in dut.segments(connection.local, mark)])


@inopportune
@requirement("MIGRATE-wait-01", case=11)
def test_resets_in_the_wait_change_nothing(node: MigrateHost, dut: DutNode, app: Application) -> None:
    """More resets do not end the MIGRATE-WAIT of a connection that the device has opened."""
    connection = node.accept_from(app)
    dut.serves(connection)
    since = dut.reset_by_its_peer(connection)
    connection.local.transmit(connection.local.segment("R"))
    dut.quiesce()
    dut.still_waits(since)
    dut.has_no_end(connection.socket)


@exclusive
@valid
@requirement("MIGRATE-wait-01", case=12)
def test_the_device_moves_out_of_the_wait(node: MigrateHost, dut: DutNode, app: Application) -> None:
    """A connection in MIGRATE-WAIT, whose resets were about an address left too late, follows the device's move."""
    connection = node.connect_to(app)
    dut.serves(connection)
    since = dut.reset_by_its_peer(connection)
    connection.local.transmit(connection.local.segment("R"))
    dut.barrier()
    dut.still_waits(since)
    move = dut.move()
    syn, _ = dut.requests(connection, move)
    dut.resumes(node, connection, move, syn)


@valid
@requirement("MIGRATE-2-25", case=11)
@waits(3)
def test_the_wait_ends(node: MigrateHost, dut: DutNode, app: Application, case: Case) -> None:
    """When nobody comes the application of a connection that the device has opened sees the end."""
    wait_s = dut.wait_s()
    connection = node.accept_from(app)
    dut.serves(connection)
    since = dut.reset_by_its_peer(connection)
    case.wait_until(since + round(wait_s * NANO))
    dut.reports_the_end(connection.socket, wait_s + 1.0 + case.setup.profile.ixit.tcp_within_s, since)
