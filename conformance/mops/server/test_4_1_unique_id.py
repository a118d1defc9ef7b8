# SPDX-License-Identifier: GPL-2.0-or-later
"""Sections 4.1 and 7: Unique IDs of TCP sockets, at a server and at a mobile node."""

import pytest

from conformance.mops.dut.application import Application, next_unique_id
from conformance.mops.dut.mobile_node import Device
from conformance.mops.dut.server import Server
from conformance.mops.tester.mobile_node import MobileNode, Session
from conformance.mops.tester.server import Correspondent
from conformance.mops.tester.sessions import listed
from layers.mops import FAILED, SUCCESS
from testbed import exclusive, invalid, requirement, role, valid
from testbed.case.verdict import require
from testbed.peers.tcp import SEQUENCE_SPACE

UNIQUE_ID = 0x51AC0FFE
LOWEST, HIGHEST = 0, 0xFFFFFFFF
at_server = role("server")
at_node = role("mobile node")


def refuses(node: MobileNode, server: Server, session: Session, identifier: int) -> None:
    """The server answers "failed" to this identifier, and the session stays where it is."""
    node.moves()
    request = node.sends(node.migrate(session, entries=[node.entry(session, identifier=identifier)]))
    server.answers(request, FAILED)
    server.serves(session)


def accepts(node: MobileNode, server: Server, session: Session, identifier: int) -> None:
    """The server answers success to this identifier, and the session goes on at the new tuple."""
    node.moves()
    message = node.migrate(session, entries=[node.entry(session, identifier=identifier)])
    server.goes_along(node, message, session)


@at_server
@valid
@requirement("MOPS-4.1-82", case=1)
def test_socket_migrates_by_its_unique_id(node: MobileNode, server: Server, application: Application) -> None:
    """A TCP socket with a Unique ID migrates when the entry carries it."""
    accepts(node, server, application.serves_tcp(node, unique_id=UNIQUE_ID), UNIQUE_ID)


@at_server
@invalid
@requirement("MOPS-4.1-83", case=1)
def test_right_sequence_number_is_no_unique_id(node: MobileNode, server: Server, application: Application) -> None:
    """A socket with a Unique ID refuses the sequence number that it would have accepted without one."""
    session = application.serves_tcp(node, unique_id=UNIQUE_ID)
    refuses(node, server, session, session.peer.snd_nxt)


@pytest.mark.parametrize(
    "other",
    [UNIQUE_ID + 1, UNIQUE_ID - 1, UNIQUE_ID ^ 1 << 31, UNIQUE_ID & 0xFFFF, UNIQUE_ID & 0xFFFF0000, 0xFE0FAC51],
    ids=["one more", "one less", "first bit", "low half", "high half", "bytes reversed"],
)
@at_server
@invalid
@requirement("MOPS-4.1-84", case=1)
def test_other_unique_id_is_refused(node: MobileNode, server: Server, application: Application, other: int) -> None:
    """A Unique ID that differs anywhere in its 32 bits is refused."""
    refuses(node, server, application.serves_tcp(node, unique_id=UNIQUE_ID), other)


@pytest.mark.parametrize("edge", [LOWEST, HIGHEST], ids=["0", "0xffffffff"])
@at_server
@invalid
@requirement("MOPS-4.1-85", case=1)
def test_no_unique_id_is_a_wildcard(node: MobileNode, server: Server, application: Application, edge: int) -> None:
    """0 and 0xffffffff are refused where another Unique ID is required, and accepted where they are required."""
    refuses(node, server, application.serves_tcp(node, unique_id=UNIQUE_ID), edge)
    accepts(node, server, application.serves_tcp(node, unique_id=edge), edge)


@at_server
@invalid
@requirement("MOPS-4.1-86", case=1)
def test_unique_id_of_another_socket_is_refused(node: MobileNode, server: Server, application: Application) -> None:
    """A socket without a Unique ID refuses that of another socket of the same node."""
    plain = node.connects()
    # Far from the sequence number, so that it is refused for what it is.
    other = (plain.peer.snd_nxt + 2**31) % SEQUENCE_SPACE
    application.serves_tcp(node, unique_id=other)
    refuses(node, server, plain, other)


@at_server
@valid
@requirement("MOPS-7-05", case=1)
def test_server_migrates_by_what_the_application_gave(
    node: MobileNode, server: Server, application: Application
) -> None:
    """Two sockets with a Unique ID each migrate by their own."""
    sessions = {one: application.serves_tcp(node, unique_id=one) for one in (7, UNIQUE_ID)}
    for unique_id, session in sessions.items():
        accepts(node, server, session, unique_id)


def migrates_once(node: MobileNode, server: Server, application: Application) -> Session:
    """A session with a one-time Unique ID that has been used."""
    session = application.serves_tcp(node, unique_id=UNIQUE_ID, one_time=True)
    node.moves()
    request = node.sends(node.migrate(session, entries=[node.entry(session, identifier=UNIQUE_ID)]))
    server.replies(request, SUCCESS)
    node.follows(request, session)
    return session


@at_server
@invalid
@requirement("MOPS-4.1-89", case=1)
def test_one_time_unique_id_is_refused_afterwards(node: MobileNode, server: Server, application: Application) -> None:
    """After one success the same Unique ID is refused."""
    session = migrates_once(node, server, application)
    refuses(node, server, session, UNIQUE_ID)


@at_server
@valid
@requirement("MOPS-4.1-90", case=1)
def test_next_one_time_unique_id_is_accepted(node: MobileNode, server: Server, application: Application) -> None:
    """After one success the next Unique ID of the sequence is accepted."""
    session = migrates_once(node, server, application)
    accepts(node, server, session, next_unique_id(UNIQUE_ID))


@exclusive
@at_node
@valid
@requirement("MOPS-4.1-118", case=1)
def test_node_gives_the_unique_id(device: Device, correspondent: Correspondent) -> None:
    """The entry of a TCP socket with a Unique ID carries it."""
    session = device.connects(correspondent, unique_id=UNIQUE_ID)
    request = device.asks(device.moves(), session)
    said = listed(request, session)[2]
    require(said == UNIQUE_ID, "identifier", UNIQUE_ID, said, request.frame)


@exclusive
@at_node
@valid
@requirement("MOPS-4.1-122", case=1)
def test_node_gives_the_next_one_time_unique_id(device: Device, correspondent: Correspondent) -> None:
    """The Migrate after a successful migration carries the next Unique ID of the sequence."""
    session = device.connects(correspondent, unique_id=UNIQUE_ID, one_time=True)
    first = device.has_migrated(session)
    used = listed(device.asks(first, session), session)[2]
    device.preamble(lambda: require(used == UNIQUE_ID, "identifier", UNIQUE_ID, used))
    request = device.asks(device.moves(), session)
    said, expected = listed(request, session)[2], next_unique_id(UNIQUE_ID)
    require(said == expected, "identifier", expected, said, request.frame)


@exclusive
@at_node
@valid
@requirement("MOPS-7-05", case=2)
def test_node_migrates_by_what_the_application_gave(device: Device, correspondent: Correspondent) -> None:
    """Two sockets of a node are asked for with the Unique ID that each was given, and both go on."""
    sessions = [device.connects(correspondent, unique_id=unique_id) for unique_id in (7, UNIQUE_ID)]
    move = device.moves()
    requests = [device.asks(move, session) for session in sessions]
    for session, request in zip(sessions, requests, strict=True):
        said = listed(request, session)[2]
        require(said == session.unique_id, "identifier", session.unique_id, said, request.frame)
