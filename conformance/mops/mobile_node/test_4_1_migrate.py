# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.1, the mobile node's Migrate: when it is sent, to whom, and what its fields say."""

from functools import partial

from scapy.utils import checksum

from conformance.mops.dut.mobile_node import Device
from conformance.mops.tester.mobile_node import ENTRY, MIGRATE_HEADER
from conformance.mops.tester.server import Asked, Correspondent
from conformance.mops.tester.sessions import Session, listed
from testbed import exclusive, requirement, valid
from testbed.case.case import Case
from testbed.case.verdict import require
from testbed.wire.capture import Frame
from testbed.wire.clock import NANO, Deadline


def asks(device: Device, correspondent: Correspondent) -> tuple[Session, Asked]:
    """One connection, a move, and the Migrate that follows: what most cases begin with."""
    session = device.connects(correspondent)
    return session, device.asks(device.moves(), session)


@exclusive
@valid
@requirement("MOPS-4.1-101", case=1)
def test_move_draws_a_migrate_to_each_server(case: Case, device: Device, correspondent: Correspondent) -> None:
    """After a move each server gets a Migrate, Version 1, Code 0 or 1."""
    sessions = [device.connects(correspondent), device.connects(Correspondent(case))]
    move = device.moves()
    for session in sessions:
        request = device.migrates(move, session)
        require(request.message.version == 1, "version", 1, request.message.version, request.frame)
        require(request.message.code in (0, 1), "code", "0 or 1", request.message.code, request.frame)


@exclusive
@valid
@requirement("MOPS-4.1-102", case=1)
def test_checksum_is_right(device: Device, correspondent: Correspondent) -> None:
    """The one's complement sum over the whole message is right."""
    _, request = asks(device, correspondent)
    require(checksum(request.octets) == 0, "sum over the message", 0, checksum(request.octets), request.frame)


@exclusive
@valid
@requirement("MOPS-4.1-103", case=1)
def test_reserved_is_zero(device: Device, correspondent: Correspondent) -> None:
    """The Reserved field is zero."""
    _, request = asks(device, correspondent)
    require(request.message.reserved == 0, "reserved", 0, request.message.reserved, request.frame)


@exclusive
@valid
@requirement("MOPS-4.1-104", case=1)
def test_protocol_is_that_of_the_socket(device: Device, correspondent: Correspondent) -> None:
    """The Protocol of a Migrate for a TCP socket is 6."""
    _, request = asks(device, correspondent)
    require(request.message.protocol == 6, "protocol", 6, request.message.protocol, request.frame)


@exclusive
@valid
@requirement("MOPS-4.1-106", case=1)
def test_previous_address_is_the_one_before_the_move(device: Device, correspondent: Correspondent) -> None:
    """Previous Source Address is the address that the connection had."""
    session = device.connects(correspondent)
    move = device.moves()
    request = device.asks(move, session)
    said, old = request.address("previous_source"), correspondent.network.in_mops(move.old)
    require(said == old, "previous address", old, said, request.frame)


@exclusive
@valid
@requirement("MOPS-4.1-108", case=1)
def test_previous_port_is_the_one_before_the_move(device: Device, correspondent: Correspondent) -> None:
    """Previous Source Port is the port that the socket had."""
    session, request = asks(device, correspondent)
    port = listed(request, session)[0]
    require(port == session.previous_port, "previous port", session.previous_port, port, request.frame)


@exclusive
@valid
@requirement("MOPS-4.1-110", case=1)
def test_migrated_address_is_the_new_one(device: Device, correspondent: Correspondent) -> None:
    """Migrated Source Address is the node's new address, which is the source of the packet too."""
    session = device.connects(correspondent)
    move = device.moves()
    request = device.asks(move, session)
    said, new = request.address("migrated_source"), correspondent.network.in_mops(move.new)
    require(said == new, "migrated address", new, said, request.frame)
    require(request.packet.src == move.new, "source of the packet", move.new, request.packet.src, request.frame)


@exclusive
@valid
@requirement("MOPS-4.1-111", case=1)
def test_session_is_received_at_the_migrated_port(device: Device, correspondent: Correspondent) -> None:
    """What the server sends to the migrated address and port reaches the application."""
    session, request = asks(device, correspondent)
    device.is_told(request, session)
    session.end.send(b"to the migrated port")
    device.application_reads(session, b"to the migrated port")


@exclusive
@valid
@requirement("MOPS-4.1-112", case=1)
def test_count_is_that_of_the_entries(device: Device, correspondent: Correspondent) -> None:
    """Count says how many entries the message carries."""
    sessions = [device.connects(correspondent) for _ in range(2)]
    move = device.moves()
    request = device.asks(move, sessions[0])
    entries = (len(request.octets) - MIGRATE_HEADER) / ENTRY
    require(request.message.count == entries >= 1, "count", entries, request.message.count, request.frame)


@exclusive
@valid
@requirement("MOPS-4.1-113", case=1)
def test_only_sockets_of_that_server_are_listed(case: Case, device: Device, correspondent: Correspondent) -> None:
    """A Migrate lists sockets connected to the server that it is sent to, each once, and no others."""
    servers = [correspondent, Correspondent(case)]
    sessions = [device.connects(server) for server in servers for _ in range(2)]
    move = device.moves()
    device.asks(move, sessions[0])
    device.calms_down()
    known = {session.previous_port for session in sessions}
    for server in servers:
        own = {session.previous_port for session in sessions if session.server is server}
        for request in server.asked(move.mark):
            ports = [previous for previous, _, _ in request.entries]
            device.preamble(partial(require, known.issuperset(ports), "ports", f"some of {known}", ports))
            require(own.issuperset(ports), "ports listed", f"some of {sorted(own)}", ports, request.frame)
            require(len(set(ports)) == len(ports), "ports listed", "each once", ports, request.frame)


@exclusive
@valid
@requirement("MOPS-4.1-114", case=1)
def test_every_connection_is_migrated(device: Device, correspondent: Correspondent) -> None:
    """All connections to a server are asked for, in one Migrate or several."""
    sessions = [device.connects(correspondent) for _ in range(3)]
    move = device.moves()
    for session in sessions:
        device.migrates(move, session)


@exclusive
@valid
@requirement("MOPS-4.1-115", case=1)
def test_one_message_or_several(device: Device, correspondent: Correspondent, case: Case) -> None:
    """Reported: how many Migrates ask for three connections to one server."""
    sessions = [device.connects(correspondent) for _ in range(3)]
    move = device.moves()
    requests = {device.asks(move, session).frame.index for session in sessions}
    case.values["messages for 3 connections"] = str(len(requests))


@exclusive
@valid
@requirement("MOPS-4.1-116", case=1)
def test_identifier_is_the_next_sequence_number(device: Device, correspondent: Correspondent) -> None:
    """With nothing outstanding the entry carries SND.NXT."""
    session, request = asks(device, correspondent)
    number = listed(request, session)[2]
    require(number == session.end.rcv_nxt, "sequence number", session.end.rcv_nxt, number, request.frame)


@exclusive
@valid
@requirement("MOPS-4.1-117", case=1)
def test_identifier_counts_unacknowledged_data(device: Device, correspondent: Correspondent, case: Case) -> None:
    """With data sent and not acknowledged the entry still carries SND.NXT, not the oldest unacknowledged number."""
    session = device.connects(correspondent)
    before = session.end.rcv_nxt
    data = b"sent and never acknowledged"
    asked_ns = device.application_sends(session, data)

    def sent() -> Frame | None:
        found = [frame for frame, packet in device.segments(session, 0) if bytes(packet.payload.payload) == data]
        return found[-1] if found else None

    device.preamble(lambda: require(case.look(sent, Deadline(asked_ns, 2)) is not None, "data", "sent", "none"))
    move = device.moves()
    request = device.asks(move, session)
    number, expected = listed(request, session)[2], (before + len(data)) % (1 << 32)
    require(number == expected, "sequence number", expected, number, request.frame)


@exclusive
@valid
@requirement("MOPS-4.1-119", case=1)
def test_socket_without_unique_id_gives_its_sequence_number(
    device: Device, correspondent: Correspondent, case: Case
) -> None:
    """The entry of a socket without a Unique ID carries its sequence number, also beside a socket that has one."""
    if case.setup.profile.ics.mops.unique_id:
        device.connects(correspondent, unique_id=0x0BADCAFE)
    session = device.connects(correspondent)
    request = device.asks(device.moves(), session)
    number = listed(request, session)[2]
    require(number == session.end.rcv_nxt, "sequence number", session.end.rcv_nxt, number, request.frame)


@exclusive
@valid
@requirement("MOPS-4.1-123", case=1)
def test_time_to_the_migrate_and_to_the_first_data(device: Device, correspondent: Correspondent, case: Case) -> None:
    """Measured: from the order to move to the Migrate, and from the reply to data at the new tuple."""
    session = device.connects(correspondent)
    move = device.moves()
    request = device.asks(move, session)
    case.values["order to Migrate"] = f"{(request.frame.ns - move.ns) / NANO * 1000:.1f} ms"
    told_ns = device.is_told(request, session)
    device.preamble(lambda: device.goes_on(session))
    first = next(frame for frame, _ in device.segments(session, move.mark, move.new) if frame.ns > told_ns)
    case.values["reply to first segment"] = f"{(first.ns - told_ns) / NANO * 1000:.1f} ms"


@exclusive
@valid
@requirement("MOPS-A-03", case=1)
def test_migrated_ports_are_free_ports(device: Device, correspondent: Correspondent) -> None:
    """No migrated port is that of another socket towards the same server."""
    sessions = [device.connects(correspondent) for _ in range(3)]
    move = device.moves()
    entries = [(session, listed(device.asks(move, session), session)) for session in sessions]
    for session, (_, migrated, _) in entries:
        others = [two for other, one in entries if other is not session for two in (other.previous_port, one[1])]
        require(migrated not in others, "migrated port", f"none of {others}", migrated)
