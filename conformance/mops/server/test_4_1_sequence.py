# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.1, Sequence number: which ones a server accepts, and what refusal leaves behind."""

import pytest

from conformance.mops.dut.server import Server
from conformance.mops.tester.mobile_node import MobileNode, Session
from layers.mops import FAILED, SUCCESS
from testbed import invalid, requirement, valid
from testbed.case.case import Case
from testbed.interruptions import NotApplicable

WRAP = 1 << 32


def claims(case: Case, reading: str) -> None:
    """The case is about servers that read the comparison as `reading`."""
    if case.setup.profile.ixit.mops.migrate_seq != reading:
        raise NotApplicable(f'{case.setup.profile.path}: ixit.mops.migrate_seq is not "{reading}"')


def sequence(session: Session, offset: int | str) -> int:
    """RCV.NXT of the server plus `offset`; "end" is the last number inside its receive window."""
    peer = session.peer
    return (peer.snd_una + (peer.window - 1 if offset == "end" else int(offset))) % WRAP


def refuses(node: MobileNode, server: Server, session: Session, identifier: int) -> None:
    """The server answers "failed", and the connection is where it was."""
    server.answers(node.migrates_with(session, identifier), FAILED)
    server.serves(session)


def accepts(node: MobileNode, server: Server, session: Session, identifier: int) -> None:
    """The server answers "success"."""
    server.answers(node.migrates_with(session, identifier), SUCCESS)


@valid
@requirement("MOPS-4.1-31", case=1)
def test_expected_sequence_number_is_accepted(node: MobileNode, server: Server) -> None:
    """The next sequence number that the server expects is accepted."""
    session = node.connects()
    accepts(node, server, session, sequence(session, 0))


@pytest.mark.parametrize("offset", [1, 1000, "end"])
@valid
@requirement("MOPS-4.1-32", case=1)
def test_sequence_number_inside_the_window_is_accepted(
    node: MobileNode, server: Server, case: Case, offset: int | str
) -> None:
    """A sequence number ahead of RCV.NXT inside the receive window is accepted."""
    claims(case, "window")
    session = node.connects()
    accepts(node, server, session, sequence(session, offset))


@pytest.mark.parametrize("offset", [1, 1000, "end"])
@invalid
@requirement("MOPS-4.1-33", case=1)
def test_exact_server_refuses_the_window(node: MobileNode, server: Server, case: Case, offset: int | str) -> None:
    """A server that compares for equality refuses a sequence number ahead of RCV.NXT."""
    claims(case, "exact")
    session = node.connects()
    refuses(node, server, session, sequence(session, offset))


@pytest.mark.parametrize("offset", [-1, -1000, -(2**30)])
@invalid
@requirement("MOPS-4.1-34", case=1)
def test_sequence_number_below_the_window_is_refused(node: MobileNode, server: Server, offset: int) -> None:
    """A sequence number below RCV.NXT is refused."""
    session = node.connects()
    refuses(node, server, session, sequence(session, offset))


@pytest.mark.parametrize("beyond", [2, 100_000, 2**30])
@invalid
@requirement("MOPS-4.1-35", case=1)
def test_sequence_number_beyond_the_window_is_refused(node: MobileNode, server: Server, beyond: int) -> None:
    """A sequence number beyond the end of the receive window is refused."""
    session = node.connects()
    refuses(node, server, session, sequence(session, session.peer.window + beyond))


@pytest.mark.parametrize(("before_wrap", "offset", "reply"), [(3, 0, SUCCESS), (8, -12, FAILED), (10, -1, FAILED)])
@valid
@requirement("MOPS-4.1-36", case=1)
def test_comparison_wraps(node: MobileNode, server: Server, before_wrap: int, offset: int, reply: int) -> None:
    """The comparison is modulo 2^32: here the connection's sequence numbers stand close to the wrap."""
    session = node.connects(initial_sequence=WRAP - before_wrap)
    judge = accepts if reply == SUCCESS else refuses
    judge(node, server, session, sequence(session, offset))


@pytest.mark.parametrize("before_wrap", [8, 1000])
@valid
@requirement("MOPS-4.1-36", case=2)
def test_window_wraps(node: MobileNode, server: Server, case: Case, before_wrap: int) -> None:
    """A sequence number behind the wrap is inside a window that begins before it."""
    claims(case, "window")
    session = node.connects(initial_sequence=WRAP - before_wrap)
    accepts(node, server, session, sequence(session, 2000))


@valid
@requirement("MOPS-4.1-37", case=1)
def test_session_survives_data_lost_on_the_way_to_the_server(node: MobileNode, server: Server) -> None:
    """Data lost at the moment of the move puts SND.NXT ahead of RCV.NXT; the session survives all the same."""
    session = node.connects()
    lost = b"lost on the way"
    session.peer.send_lost(lost)
    node.moves()
    request = node.sends(node.migrate(session))
    server.answers(request, SUCCESS)
    node.follows(request, session)
    sent = session.peer.transmit(session.peer.segment("PA", lost, seq=session.peer.snd_una))
    server.delivers(session, lost, sent.ns)


@invalid
@requirement("MOPS-4.1-38", case=1)
def test_refused_entry_leaves_the_connection_unharmed(node: MobileNode, server: Server, case: Case) -> None:
    """After a refusal data flows at the old tuple, and nobody is at the new one."""
    session = node.connects()
    node.moves()
    entry = node.entry(session, identifier=session.peer.snd_nxt + 2**31)
    request = node.sends(node.migrate(session, entries=[entry]))
    server.hears_out(request)
    server.serves(session)
    server.is_not_at(session, node.station, entry[1])
    server.serves(session)
