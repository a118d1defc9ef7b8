# SPDX-License-Identifier: GPL-2.0-or-later
"""Sections 4.1 and 7: Unique IDs of TCP sockets, at a server."""

import pytest

from conformance.mops.dut.application import Application, next_unique_id
from conformance.mops.dut.server import Server
from conformance.mops.tester.mobile_node import MobileNode, Session
from layers.mops import FAILED, SUCCESS
from testbed import invalid, requirement, valid
from testbed.peers.tcp import SEQUENCE_SPACE

UNIQUE_ID = 0x51AC0FFE
LOWEST, HIGHEST = 0, 0xFFFFFFFF


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


@valid
@requirement("MOPS-4.1-82", case=1)
def test_socket_migrates_by_its_unique_id(node: MobileNode, server: Server, application: Application) -> None:
    """A TCP socket with a Unique ID migrates when the entry carries it."""
    accepts(node, server, application.serves_tcp(node, unique_id=UNIQUE_ID), UNIQUE_ID)


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
@invalid
@requirement("MOPS-4.1-84", case=1)
def test_other_unique_id_is_refused(node: MobileNode, server: Server, application: Application, other: int) -> None:
    """A Unique ID that differs anywhere in its 32 bits is refused."""
    refuses(node, server, application.serves_tcp(node, unique_id=UNIQUE_ID), other)


@pytest.mark.parametrize("edge", [LOWEST, HIGHEST], ids=["0", "0xffffffff"])
@invalid
@requirement("MOPS-4.1-85", case=1)
def test_no_unique_id_is_a_wildcard(node: MobileNode, server: Server, application: Application, edge: int) -> None:
    """0 and 0xffffffff are refused where another Unique ID is required, and accepted where they are required."""
    refuses(node, server, application.serves_tcp(node, unique_id=UNIQUE_ID), edge)
    accepts(node, server, application.serves_tcp(node, unique_id=edge), edge)


@invalid
@requirement("MOPS-4.1-86", case=1)
def test_unique_id_of_another_socket_is_refused(node: MobileNode, server: Server, application: Application) -> None:
    """A socket without a Unique ID refuses that of another socket of the same node."""
    plain = node.connects()
    # Far from the sequence number, so that it is refused for what it is.
    other = (plain.peer.snd_nxt + 2**31) % SEQUENCE_SPACE
    application.serves_tcp(node, unique_id=other)
    refuses(node, server, plain, other)


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


@invalid
@requirement("MOPS-4.1-89", case=1)
def test_one_time_unique_id_is_refused_afterwards(node: MobileNode, server: Server, application: Application) -> None:
    """After one success the same Unique ID is refused."""
    session = migrates_once(node, server, application)
    refuses(node, server, session, UNIQUE_ID)


@valid
@requirement("MOPS-4.1-90", case=1)
def test_next_one_time_unique_id_is_accepted(node: MobileNode, server: Server, application: Application) -> None:
    """After one success the next Unique ID of the sequence is accepted."""
    session = migrates_once(node, server, application)
    accepts(node, server, session, next_unique_id(UNIQUE_ID))
