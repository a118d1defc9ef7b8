# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.1: the session after a successful Migrate."""

import pytest

from conformance.mops.dut.server import Server
from conformance.mops.tester.mobile_node import MobileNode
from layers.mops import FAILED, MIGRATE, MIGRATE_ATOMIC, SUCCESS
from testbed import requirement, valid, waits
from testbed.case.case import Case
from testbed.case.verdict import require
from testbed.wire.clock import NANO

BOTH_CODES = pytest.mark.parametrize("code", [MIGRATE, MIGRATE_ATOMIC], ids=["best-effort", "atomic"])


@BOTH_CODES
@valid
@requirement("MOPS-4.1-15", "MOPS-4.1-16", case=1)
def test_data_flows_at_the_new_tuple(node: MobileNode, server: Server, code: int) -> None:
    """After success the server takes and sends the connection's data at the migrated address and port."""
    session = node.connects()
    node.migrates(session, code=code, use=False)
    server.serves(session)


@valid
@requirement("MOPS-4.1-17", case=1)
def test_nothing_is_sent_to_the_old_tuple(node: MobileNode, server: Server, case: Case) -> None:
    """After success nothing of the connection is sent to the previous address and port."""
    session = node.connects()
    node.migrates(session, use=False)
    # From the reply on: before it the server may still have had something to send again.
    mark = case.mark()
    session.peer.send(b"echo this at the new address")
    server.sends_nothing_to(session.left[0], mark)


@valid
@requirement("MOPS-4.1-18", case=1)
def test_data_from_the_old_tuple_does_not_reach_the_connection(node: MobileNode, server: Server) -> None:
    """After success data from the previous address and port is not accepted, and the connection goes on."""
    session = node.connects()
    node.migrates(session)
    server.has_left(session.left[0])
    server.serves(session)


@valid
@requirement("MOPS-4.1-19", case=1)
def test_server_keeps_its_own_address_and_port(node: MobileNode, server: Server) -> None:
    """The connection's segments carry the server's address and port as before."""
    session = node.connects()
    request = node.migrates(session, use=False)
    session.peer.send(b"who is there")
    server.has_gone_on()
    segments = server.segments_to(session.peer, request.mark)
    require(bool(segments), "segments at the new tuple", "some", "none")
    for frame, packet, tcp in segments:
        seen, wanted = (packet.src, tcp.sport), (server.address, session.peer.remote_port)
        require(seen == wanted, "source of a segment", wanted, seen, frame)


@pytest.mark.parametrize("change", ["port", "address"])
@valid
@requirement("MOPS-4.1-20", case=1)
def test_address_and_port_move_each_on_its_own(node: MobileNode, server: Server, change: str) -> None:
    """An entry that changes the port alone, or the address alone, is served."""
    session = node.connects()
    if change == "address":
        node.moves()
    port = session.peer.port if change == "address" else node.new_port()
    server.goes_along(node, node.migrate(session, entries=[node.entry(session, migrated_port=port)]), session)


@valid
@requirement("MOPS-4.1-21", case=1)
def test_stream_goes_on_byte_exact(node: MobileNode, server: Server) -> None:
    """Both streams go on across three migrations without a byte lost, repeated or reordered."""
    session = node.connects()
    for part in range(3):
        server.serves(session, bytes((part + byte) % 256 for byte in range(1200)))
        node.migrates(session, use=False)
    server.serves(session, b"the end")


@valid
@requirement("MOPS-4.1-22", case=1)
def test_unlisted_connection_stays(node: MobileNode, server: Server) -> None:
    """A connection that the Migrate does not list stays where it is."""
    listed, unlisted = node.connects(), node.connects()
    node.migrates(listed)
    server.serves(unlisted)


@valid
@requirement("MOPS-4.1-23", case=1)
def test_connection_is_neither_reset_nor_closed(node: MobileNode, server: Server) -> None:
    """No SYN, FIN or RST comes to the migrated address and port."""
    session = node.connects()
    request = node.migrates(session, use=False)
    session.peer.send(b"go on")
    server.has_gone_on()
    for frame, _, tcp in server.segments_to(session.peer, request.mark):
        flags = str(tcp.flags)
        require(not set("SFR") & set(flags), "flags of a segment", "none of S, F, R", flags, frame)


@valid
@requirement("MOPS-4.1-24", "MOPS-2.1-01", case=1)
@waits(1)
def test_migration_after_a_silent_time(node: MobileNode, server: Server, case: Case) -> None:
    """A connection that was silent for a while migrates and carries data afterwards."""
    session = node.connects()
    case.wait_until(case.clock.now_ns() + round(case.setup.profile.ixit.mops.rate_limit_s * NANO))
    node.moves()
    server.goes_along(node, node.migrate(session), session)


@valid
@requirement("MOPS-4.1-25", case=1)
def test_unacknowledged_data_is_sent_again_to_the_new_tuple(node: MobileNode, server: Server) -> None:
    """Data that the server sent to the previous address, lost there, arrives at the migrated one."""
    session = node.connects()
    data = bytes(range(256)) * 4
    session.peer.drop_incoming()
    sent = session.peer.send(data)
    server.has_gone_on()
    request = node.migrates(session, use=False)
    server.delivers(session, data, request.sent.ns, unanswered_since_ns=sent.ns)


@valid
@requirement("MOPS-4.1-26", case=1)
def test_second_migration_at_once(node: MobileNode, server: Server) -> None:
    """A migrated connection migrates again: its migrated tuple is the previous one of the next Migrate."""
    session = node.connects()
    node.migrates(session, use=False)
    node.moves()
    server.goes_along(node, node.migrate(session), session)


@valid
@requirement("MOPS-4.1-27", case=1)
def test_migration_back_to_the_first_tuple(node: MobileNode, server: Server) -> None:
    """A connection can return to the address and port that it first had."""
    session = node.connects()
    first_port = session.peer.port
    node.migrates(session)
    node.returns(node.home)
    server.goes_along(node, node.migrate(session, entries=[node.entry(session, migrated_port=first_port)]), session)


@pytest.mark.parametrize("count", [2, 8])
@valid
@requirement("MOPS-4.1-28", case=1)
def test_one_message_migrates_several_connections(node: MobileNode, server: Server, count: int) -> None:
    """One Migrate moves every connection that it lists."""
    sessions = [node.connects() for _ in range(count)]
    node.moves()
    server.goes_along(node, node.migrate(*sessions), *sessions)


@valid
@requirement("MOPS-4.1-29", case=1)
def test_full_packet_of_entries(node: MobileNode, server: Server) -> None:
    """With as many entries as one packet carries, every entry is treated: the last ones migrate, the others fail."""
    sessions = [node.connects() for _ in range(4)]
    node.moves()
    request = node.sends(node.fill_packet(*sessions))
    frame, reply = server.answers(request, FAILED)
    known = len(request.message.entries) - len(sessions)
    require(len(reply.entries) == known, "number of failed entries", known, len(reply.entries), frame)
    node.follows(request, *sessions)
    for session in sessions:
        server.serves(session)


@valid
@requirement("MOPS-4.1-30", case=1)
def test_time_of_the_handover(node: MobileNode, server: Server, case: Case) -> None:
    """Measured: from the Migrate to the reply, and to the first data at the migrated tuple."""
    session = node.connects()
    node.moves()
    request = node.sends(node.migrate(session))
    frame, _ = server.replies(request, SUCCESS)
    node.follows(request, session)
    server.serves(session)
    data = next(found for found, _, tcp in server.segments_to(session.peer, request.mark) if len(tcp.payload))
    case.values["Migrate to reply"] = f"{(frame.ns - request.sent.ns) / 1000:.0f} us"
    case.values["Migrate to first data"] = f"{(data.ns - request.sent.ns) / 1000:.0f} us"


@valid
@requirement("MOPS-7-01", case=1)
def test_application_keeps_its_socket(node: MobileNode, server: Server, case: Case) -> None:
    """The application behind the connection reads and writes the same socket before and after."""
    agent = case.setup.dut.upper_tester()
    listener = agent.call("listen", port=0, service="manual")
    session = node.connects_quietly(listener["port"])
    session.peer.send(b"before ")
    connection = server.socket_of(listener["listener"])
    node.migrates(session, use=False)
    session.peer.send(b"after")
    server.application_reads(connection, b"before after")
    asked_ns = case.clock.now_ns()
    agent.call("send", connection=connection, data=b"and back".hex())
    server.delivers(session, b"and back", asked_ns)
    agent.call("close", connection=connection)
