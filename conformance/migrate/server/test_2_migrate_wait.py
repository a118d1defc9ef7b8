# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 2, "it waits in a MIGRATE_WAIT state": what a reset does to a connection that can migrate."""

import pytest

from conformance.migrate.dut.mobile_node import DutNode
from conformance.migrate.tester.host import MigrateHost
from conformance.migrate.tester.opener import Variant
from testbed import inopportune, invalid, requirement, valid, waits
from testbed.case.case import Case
from testbed.case.verdict import require, require_none
from testbed.device.application import Application
from testbed.peers.icmp import IcmpPeer, error_about
from testbed.wire import chance
from testbed.wire.clock import NANO

VARIANTS = pytest.mark.parametrize("variant", Variant, ids=str)
HOST_UNREACHABLE = 3, 1
SHARE = 0.6
"""Of MIGRATE-WAIT: when something is sent that could put its end off."""

GRACE_S = 1.0
"""How late its end may be seen."""


@VARIANTS
@inopportune
@requirement("MIGRATE-2-23", case=1)
def test_reset_does_not_close(node: MigrateHost, dut: DutNode, app: Application, variant: Variant) -> None:
    """After a reset the application sees neither an error nor the end of the stream."""
    connection = node.connect_to(app, variant=variant)
    dut.serves(connection)
    since = dut.reset_by_its_peer(connection, judged=True)
    dut.quiesce()
    dut.still_waits(since)
    dut.has_no_end(connection.socket)


@inopportune
@requirement("MIGRATE-2-23", case=2)
def test_reset_after_a_migration_does_not_close(node: MigrateHost, dut: DutNode, app: Application) -> None:
    """Nor after a reset at the tuple that it has migrated to."""
    connection = node.connect_to(app)
    node.migrate(connection)
    dut.serves(connection)
    since = dut.reset_by_its_peer(connection, judged=True)
    dut.quiesce()
    dut.still_waits(since)
    dut.has_no_end(connection.socket)


@VARIANTS
@valid
@requirement("MIGRATE-2-24", case=1)
def test_migrate_syn_resumes(node: MigrateHost, dut: DutNode, variant: Variant) -> None:
    """A Migrate SYN after a reset resumes the connection."""
    connection = node.connect(variant=variant)
    node.exchange(connection)
    since = dut.reset_by_its_peer(connection)
    node.move()
    sent = node.send_migrate(connection)
    dut.still_waits(since)
    dut.follows(node, connection, sent)


@valid
@requirement("MIGRATE-2-24", case=2)
def test_migrate_syn_resumes_twice(node: MigrateHost, dut: DutNode) -> None:
    """A connection that was resumed is resumed again after a second reset."""
    connection = node.connect()
    node.exchange(connection)
    for data in (b"once", b"twice"):
        since = dut.reset_by_its_peer(connection)
        node.move()
        sent = node.send_migrate(connection)
        dut.still_waits(since)
        dut.follows(node, connection, sent)
        dut.serves(connection, data=data)


@valid
@requirement("MIGRATE-2-24", case=3)
def test_data_of_the_application_survives_the_wait(node: MigrateHost, dut: DutNode, app: Application) -> None:
    """What the application sends in MIGRATE-WAIT comes when the connection is resumed, in order."""
    connection = node.connect_to(app)
    dut.serves(connection)
    since = dut.reset_by_its_peer(connection)
    connection.socket.send(b"said to nobody, ")
    connection.socket.send(b"heard later")
    node.move()
    sent = node.send_migrate(connection)
    dut.still_waits(since)
    node.complete(connection, sent, node.await_syn_ack(sent))
    dut.retransmits(connection, b"said to nobody, heard later")


@valid
@requirement("MIGRATE-2-25", case=1)
@waits(3)
def test_the_wait_ends(node: MigrateHost, dut: DutNode, app: Application, case: Case) -> None:
    """When nobody comes the application sees the end, and a Migrate SYN gets a reset."""
    wait_s = dut.wait_s()
    connection = node.connect_to(app)
    dut.serves(connection)
    since = dut.reset_by_its_peer(connection)
    case.wait_until(since + round(wait_s * NANO))
    within_s = wait_s + GRACE_S + case.setup.profile.ixit.tcp_within_s
    ended = dut.reports_the_end(connection.socket, within_s, since)
    case.values["MIGRATE-WAIT"] = f"over {(ended - since) / NANO:.1f} s after the reset at the latest"
    node.move()
    dut.resets(node.send_migrate(connection))


@inopportune
@requirement("MIGRATE-2-26", case=1)
def test_nothing_is_sent_in_the_wait(node: MigrateHost, dut: DutNode, app: Application, case: Case) -> None:
    """After a reset data of the application goes nowhere, nor is anything else sent."""
    connection = node.connect_to(app)
    dut.serves(connection)
    dut.reset_by_its_peer(connection)
    mark = case.mark()
    connection.socket.send(b"nobody is there to read this")
    dut.quiesce()
    require_none("segments sent in MIGRATE-WAIT", [one.frame for one in dut.segments(connection.local, mark)])


@inopportune
@requirement("MIGRATE-2-27", case=1)
def test_reset_closes_an_ordinary_connection(node: MigrateHost, dut: DutNode, app: Application, case: Case) -> None:
    """A reset ends a connection that cannot migrate, as ever; one that can is not ended."""
    plain, permitted = node.connect_to(app, plainly=True), node.connect_to(app)
    dut.serves(plain, permitted)
    since = dut.reset_by_its_peer(plain, judged=True)
    dut.reports_the_end(plain.socket, case.setup.profile.ixit.tcp_within_s, since)
    since = dut.reset_by_its_peer(permitted)
    dut.still_waits(since)


@valid
@requirement("MIGRATE-2-29", case=1)
def test_peer_that_fell_silent_migrates(node: MigrateHost, dut: DutNode, case: Case) -> None:
    """A connection whose peer has acknowledged nothing for a while migrates, and its data comes again."""
    connection = node.connect()
    node.exchange(connection)
    connection.local.drop_incoming()
    connection.local.send(b"echo this to nobody")
    case.watch(0.5)
    node.move()
    sent = node.send_migrate(connection)
    with dut.control():
        node.complete(connection, sent, dut.answers(node, sent))
        dut.retransmits(connection, b"echo this to nobody")


@pytest.mark.parametrize("flags", ["R", "RA"], ids=["reset", "reset with an acknowledgement"])
@inopportune
@requirement("MIGRATE-wait-01", case=1)
def test_resets_in_the_wait_change_nothing(node: MigrateHost, dut: DutNode, app: Application, flags: str) -> None:
    """Three more resets, of the address that somebody else has now, do not end MIGRATE-WAIT."""
    connection = node.connect_to(app)
    dut.serves(connection)
    since = dut.reset_by_its_peer(connection)
    end = connection.local
    for _ in range(3):
        end.transmit(end.segment(flags))
    dut.barrier()
    dut.still_waits(since)
    dut.has_no_end(connection.socket)
    node.move()
    sent = node.send_migrate(connection)
    dut.still_waits(since)
    dut.follows(node, connection, sent)


@inopportune
@requirement("MIGRATE-wait-02", case=1)
def test_data_in_the_wait_is_taken(node: MigrateHost, dut: DutNode, app: Application) -> None:
    """Data that comes in MIGRATE-WAIT reaches the application, and the SYN-ACK that ends it acknowledges that."""
    connection = node.connect_to(app)
    dut.serves(connection)
    since = dut.reset_by_its_peer(connection)
    data = b"late, and yet in time"
    connection.local.send(data)
    dut.barrier()
    dut.still_waits(since)
    dut.application_reads(connection.socket, data)
    node.move()
    answer = node.await_syn_ack(node.send_migrate(connection))
    expected = connection.local.snd_nxt
    require(answer.ack == expected, "acknowledgement of the SYN-ACK", expected, answer.ack, answer.frame)


@inopportune
@requirement("MIGRATE-wait-03", case=1)
def test_data_in_the_wait_is_not_acknowledged(node: MigrateHost, dut: DutNode, app: Application, case: Case) -> None:
    """Data that comes in MIGRATE-WAIT is not acknowledged before the connection is resumed."""
    connection = node.connect_to(app)
    dut.serves(connection)
    dut.reset_by_its_peer(connection)
    mark = case.mark()
    connection.local.send(b"late, and yet in time")
    dut.quiesce()
    require_none("segments sent in MIGRATE-WAIT", [one.frame for one in dut.segments(connection.local, mark)])


@pytest.mark.parametrize("what", ["wrong Request", "older ReqNo", "ICMP error"])
@inopportune
@requirement("MIGRATE-wait-04", case=1)
def test_what_counts_for_nothing_does_not_end_the_wait(
    node: MigrateHost, dut: DutNode, app: Application, case: Case, what: str
) -> None:
    """After a refused Migrate SYN, or a soft ICMP error, a connection in MIGRATE-WAIT is resumed all the same."""
    connection = node.connect_to(app)
    node.migrate(connection)
    dut.serves(connection)
    since = dut.reset_by_its_peer(connection)
    if what == "ICMP error":
        router = IcmpPeer(case.station())
        router.remote = dut.address
        router.send(error_about(connection.local, *HOST_UNREACHABLE, dut.address))
    else:
        node.move()
        wrong = {"request": chance.token_bytes(8)} if what == "wrong Request" else {"reqno": 0}
        node.send_migrate(connection, **wrong)
    dut.barrier()
    dut.still_waits(since)
    dut.has_no_end(connection.socket)
    node.move()
    sent = node.send_migrate(connection)
    dut.still_waits(since)
    dut.follows(node, connection, sent)


@pytest.mark.parametrize("what", ["resets", "refused Migrate SYNs"])
@invalid
@requirement("MIGRATE-wait-05", case=1)
@waits(3)
def test_nothing_puts_the_end_off(node: MigrateHost, dut: DutNode, app: Application, case: Case, what: str) -> None:
    """Resets and refused Migrate SYNs in MIGRATE-WAIT leave its end where it was."""
    wait_s = dut.wait_s()
    connection = node.connect_to(app)
    dut.serves(connection)
    since = dut.reset_by_its_peer(connection)
    case.wait_until(since + round(wait_s * SHARE * NANO))
    end = connection.local
    if what == "resets":
        end.transmit(end.segment("R"))
    else:
        node.move()
        node.send_migrate(connection, request=chance.token_bytes(8))
    late_s = (case.clock.now_ns() - since) / NANO + wait_s
    case.wait_until(since + round(wait_s * NANO))
    asked = min(wait_s + GRACE_S, late_s - 0.2)
    dut.reports_the_end(connection.socket, asked, since)


@valid
@requirement("MIGRATE-2-20", case=2)
def test_application_keeps_its_socket_through_the_wait(node: MigrateHost, dut: DutNode, app: Application) -> None:
    """The application's socket says nothing of MIGRATE-WAIT and what ends it, and reads and writes go on."""
    connection = node.connect_to(app)
    dut.serves(connection)
    since = dut.reset_by_its_peer(connection)
    node.move()
    sent = node.send_migrate(connection)
    dut.still_waits(since)
    node.complete(connection, sent, node.await_syn_ack(sent))
    dut.has_no_end(connection.socket)
    dut.serves(connection)


@inopportune
@requirement("MIGRATE-2-24", case=4)
def test_peer_comes_back_to_its_old_tuple(node: MigrateHost, dut: DutNode) -> None:
    """A Migrate SYN from the tuple that the connection has resumes it, too."""
    connection = node.connect()
    node.exchange(connection)
    since = dut.reset_by_its_peer(connection)
    sent = node.send_migrate(connection)
    dut.still_waits(since)
    dut.follows(node, connection, sent)
