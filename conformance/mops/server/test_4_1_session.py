# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.1: the connection after a successful Migrate."""

import pytest

from conformance.mops.dut.server import Server
from conformance.mops.dut.sockets import listen_mobile
from conformance.mops.tester.mobile_node import MobileNode
from layers.mops import FAILED, MIGRATE, MIGRATE_ATOMIC, SUCCESS
from testbed import requirement, valid, waits
from testbed.case.case import Case
from testbed.case.verdict import require
from testbed.device.application import Application
from testbed.peers.stream import fitting
from testbed.wire.clock import NANO

BOTH_CODES = pytest.mark.parametrize("code", [MIGRATE, MIGRATE_ATOMIC], ids=["best-effort", "atomic"])


@BOTH_CODES
@valid
@requirement("MOPS-4.1-15", "MOPS-4.1-16", case=1)
def test_data_flows_at_the_new_tuple(node: MobileNode, dut: Server, code: int) -> None:
    """After success the server takes and sends the connection's data at the migrated address and port."""
    connection = node.connect()
    node.migrate(connection, code=code, use=False)
    dut.serves(connection)


@valid
@requirement("MOPS-4.1-17", case=1)
def test_nothing_is_sent_to_the_old_tuple(node: MobileNode, dut: Server, case: Case) -> None:
    """After success nothing of the connection is sent to the previous address and port."""
    connection = node.connect()
    node.migrate(connection, use=False)
    # From the reply on: before it the server may still have had something to retransmit.
    mark = case.mark()
    connection.local.send(b"echo this at the new address")
    dut.expect_silence(connection.previous[0], mark)


@valid
@requirement("MOPS-4.1-18", case=1)
def test_data_from_the_old_tuple_does_not_reach_the_connection(node: MobileNode, dut: Server) -> None:
    """After success data from the previous address and port is not accepted, and the connection continues."""
    connection = node.connect()
    node.migrate(connection)
    dut.old_tuple_is_dead(connection)
    dut.serves(connection)


@valid
@requirement("MOPS-4.1-19", case=1)
def test_server_keeps_its_own_address_and_port(node: MobileNode, dut: Server, case: Case) -> None:
    """The connection's segments carry the server's address and port as before."""
    connection = node.connect()
    request = node.migrate(connection, use=False)
    deadline = case.deadline(since_ns=connection.local.send(b"who is there").ns)
    first = dut.await_segment(connection.local, request.mark, lambda one: one.data, deadline)
    require(first, "data on the new tuple", "some", "none", deadline)
    for segment in dut.segments(connection.local, request.mark):
        seen, wanted = (segment.source, segment.source_port), (dut.address, connection.local.remote_port)
        require(seen == wanted, "source of a segment", wanted, seen, segment.frame)


@pytest.mark.parametrize("change", ["port", "address"])
@valid
@requirement("MOPS-4.1-20", case=1)
def test_address_and_port_move_each_on_its_own(node: MobileNode, dut: Server, change: str) -> None:
    """An entry that changes the port alone, or the address alone, is served."""
    connection = node.connect()
    if change == "address":
        node.move()
    port = connection.local.port if change == "address" else node.new_port()
    dut.accepts_migrate(
        node, node.request(connection, entries=[node.entry(connection, migrated_port=port)]), connection
    )


@valid
@requirement("MOPS-4.1-21", case=2)
@waits(11)
def test_streams_continue_byte_exact(node: MobileNode, dut: Server) -> None:
    """Both streams continue across three migrations without a byte lost, duplicated or reordered."""
    connection = node.connect()
    for part in range(3):
        dut.serves(connection, data=bytes((part + byte) % 256 for byte in range(1200)))
        node.rest()
        node.migrate(connection, use=False)
    dut.serves(connection, data=b"the end")


@valid
@requirement("MOPS-4.1-22", case=1)
def test_unlisted_connection_stays(node: MobileNode, dut: Server) -> None:
    """A connection that the Migrate does not list stays where it is."""
    listed, unlisted = node.connect(), node.connect()
    node.migrate(listed)
    dut.serves(unlisted)


@valid
@requirement("MOPS-4.1-23", case=1)
def test_connection_is_neither_reset_nor_closed(node: MobileNode, dut: Server) -> None:
    """No SYN, FIN or RST comes to the migrated address and port."""
    connection = node.connect()
    request = node.migrate(connection, use=False)
    connection.local.send(b"continue")
    dut.barrier()
    dut.sends_no_flags(connection, request.mark, "SFR")


@valid
@requirement("MOPS-4.1-24", "MOPS-2.1-01", case=1)
@waits(1)
def test_migration_after_a_silent_time(node: MobileNode, dut: Server, case: Case) -> None:
    """A connection that was silent for a while migrates and carries data afterwards."""
    connection = node.connect()
    case.wait_until(case.clock.now_ns() + round(case.setup.profile.ixit.mops.rate_limit_s * NANO))
    node.move()
    dut.accepts_migrate(node, node.request(connection), connection)


@valid
@requirement("MOPS-4.1-25", case=1)
def test_unacknowledged_data_is_retransmitted_to_the_new_tuple(node: MobileNode, dut: Server) -> None:
    """Data that the server sent to the previous address, lost there, arrives at the migrated one."""
    connection = node.connect()
    data = (bytes(range(256)) * 4)[: fitting(connection.local)]
    connection.local.drop_incoming()
    sent = connection.local.send(data)
    dut.barrier()
    request = node.migrate(connection, use=False)
    dut.delivers(connection.local, data, request.sent.ns, unanswered_since_ns=sent.ns)


@valid
@requirement("MOPS-4.1-26", case=2)
@waits(6)
def test_second_migration_after_the_interval(node: MobileNode, dut: Server) -> None:
    """A migrated connection migrates again: its migrated tuple is the previous one of the next Migrate."""
    connection = node.connect()
    node.migrate(connection, use=False)
    node.rest()
    node.move()
    dut.accepts_migrate(node, node.request(connection), connection)


@valid
@requirement("MOPS-4.1-208", case=1)
def test_second_migration_at_once(node: MobileNode, dut: Server) -> None:
    """Inside the interval too: the tuple that it names has been no previous one before."""
    connection = node.connect()
    node.migrate(connection, use=False)
    node.move()
    dut.accepts_migrate(node, node.request(connection), connection)


@valid
@requirement("MOPS-4.1-27", case=2)
@waits(6)
def test_migration_back_to_the_first_tuple(node: MobileNode, dut: Server) -> None:
    """A connection can return to the address and port that it first had."""
    connection = node.connect()
    first_port = connection.local.port
    node.migrate(connection)
    node.rest()
    node.return_to(node.home)
    message = node.request(connection, entries=[node.entry(connection, migrated_port=first_port)])
    dut.accepts_migrate(node, message, connection)


@pytest.mark.parametrize("count", [2, 8])
@valid
@requirement("MOPS-4.1-28", case=1)
def test_one_message_migrates_several_connections(node: MobileNode, dut: Server, count: int) -> None:
    """One Migrate moves every connection that it lists."""
    connections = [node.connect() for _ in range(count)]
    node.move()
    dut.accepts_migrate(node, node.request(*connections), *connections)


@valid
@requirement("MOPS-4.1-29", case=1)
def test_full_packet_of_entries(node: MobileNode, dut: Server) -> None:
    """With as many entries as one packet carries, every entry is treated: the last ones migrate, the others fail."""
    connections = [node.connect() for _ in range(4)]
    node.move()
    request = node.send(node.full_request(*connections))
    frame, reply = dut.answers(request, FAILED)
    unknown = request.entries[: -len(connections)]
    require(reply.entries == unknown, "failed entries", f"{len(unknown)}", f"{len(reply.entries)} or others", frame)
    node.rebind(request, *connections)
    dut.serves(*connections)


@valid
@requirement("MOPS-4.1-30", case=1)
def test_time_of_the_handover(node: MobileNode, dut: Server, case: Case) -> None:
    """Measured: from the Migrate to the reply, and to the first data at the migrated tuple."""
    connection = node.connect()
    node.move()
    request = node.send_migrate(connection)
    frame, _ = dut.reply_to(request, SUCCESS)
    node.rebind(request, connection)
    dut.serves(connection)
    data = next(one.frame for one in dut.segments(connection.local, request.mark) if one.data)
    case.values["Migrate to reply"] = f"{(frame.ns - request.sent.ns) / 1000:.0f} us"
    case.values["Migrate to first data"] = f"{(data.ns - request.sent.ns) / 1000:.0f} us"


@valid
@requirement("MOPS-7-01", case=1)
def test_application_keeps_its_socket(node: MobileNode, dut: Server, app: Application, case: Case) -> None:
    """The application of the connection reads and writes the same socket before and after."""
    listener = listen_mobile(case, app)
    connection = node.connect(remote_port=listener.port, use=False)
    connection.local.send(b"before ")
    socket = listener.accepted(case.deadline().within_s)
    node.migrate(connection, use=False)
    connection.local.send(b"after")
    dut.application_reads(socket, b"before after")
    dut.delivers(connection.local, b"and back", socket.send(b"and back"))
    socket.close()
