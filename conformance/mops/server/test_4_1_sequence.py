# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.1, Sequence number: which ones a server accepts, and the state after a refusal."""

import pytest

from conformance.mops.claims import needs_sequence_reading
from conformance.mops.dut.server import Server
from conformance.mops.tester.mobile_node import Connection, MobileNode
from layers.mops import FAILED, SUCCESS
from testbed import invalid, requirement, valid
from testbed.case.case import Case

WRAP = 1 << 32


def sequence(connection: Connection, offset: int | str) -> int:
    """RCV.NXT of the server plus `offset`; "end" is the last number inside its receive window."""
    peer = connection.local
    return (peer.snd_una + (peer.window - 1 if offset == "end" else int(offset))) % WRAP


def refuses(node: MobileNode, dut: Server, connection: Connection, identifier: int) -> None:
    """The server answers "failed", and the connection is where it was."""
    dut.answers(node.move_and_send(connection, identifier), FAILED)
    dut.serves(connection)


def accepts(node: MobileNode, dut: Server, connection: Connection, identifier: int) -> None:
    """The server answers "success"."""
    dut.answers(node.move_and_send(connection, identifier), SUCCESS)


@valid
@requirement("MOPS-4.1-31", case=1)
def test_expected_sequence_number_is_accepted(node: MobileNode, dut: Server) -> None:
    """The next sequence number that the server expects is accepted."""
    connection = node.connect()
    accepts(node, dut, connection, sequence(connection, 0))


@pytest.mark.parametrize("offset", [1, 1000, "end"])
@valid
@requirement("MOPS-4.1-32", case=1)
def test_sequence_number_inside_the_window_is_accepted(
    node: MobileNode, dut: Server, case: Case, offset: int | str
) -> None:
    """A sequence number ahead of RCV.NXT inside the receive window is accepted."""
    needs_sequence_reading(case, "window")
    connection = node.connect()
    accepts(node, dut, connection, sequence(connection, offset))


@pytest.mark.parametrize("offset", [1, 1000, "end"])
@invalid
@requirement("MOPS-4.1-33", case=1)
def test_exact_server_refuses_the_window(node: MobileNode, dut: Server, case: Case, offset: int | str) -> None:
    """A server that compares for equality refuses a sequence number ahead of RCV.NXT."""
    needs_sequence_reading(case, "exact")
    connection = node.connect()
    refuses(node, dut, connection, sequence(connection, offset))


@pytest.mark.parametrize("offset", [-1, -1000, -(2**30)])
@invalid
@requirement("MOPS-4.1-34", case=1)
def test_sequence_number_below_the_window_is_refused(node: MobileNode, dut: Server, offset: int) -> None:
    """A sequence number below RCV.NXT is refused."""
    connection = node.connect()
    refuses(node, dut, connection, sequence(connection, offset))


@pytest.mark.parametrize("beyond", [2, 100_000, 2**30])
@invalid
@requirement("MOPS-4.1-35", case=1)
def test_sequence_number_beyond_the_window_is_refused(node: MobileNode, dut: Server, beyond: int) -> None:
    """A sequence number beyond the end of the receive window is refused."""
    connection = node.connect()
    refuses(node, dut, connection, sequence(connection, connection.local.window + beyond))


@pytest.mark.parametrize(("before_wrap", "offset", "reply"), [(3, 0, SUCCESS), (8, -12, FAILED), (10, -1, FAILED)])
@valid
@requirement("MOPS-4.1-36", case=1)
def test_comparison_wraps(node: MobileNode, dut: Server, before_wrap: int, offset: int, reply: int) -> None:
    """The comparison is modulo 2^32: here the connection's sequence numbers stand close to the wrap."""
    connection = node.connect(initial_sequence=WRAP - before_wrap)
    judge = accepts if reply == SUCCESS else refuses
    judge(node, dut, connection, sequence(connection, offset))


@pytest.mark.parametrize("before_wrap", [8, 1000])
@valid
@requirement("MOPS-4.1-36", case=2)
def test_window_wraps(node: MobileNode, dut: Server, case: Case, before_wrap: int) -> None:
    """A sequence number after the wrap is inside a window that begins before it."""
    needs_sequence_reading(case, "window")
    connection = node.connect(initial_sequence=WRAP - before_wrap)
    accepts(node, dut, connection, sequence(connection, 2000))


@valid
@requirement("MOPS-4.1-37", case=1)
def test_connection_survives_data_lost_on_the_way_to_the_server(node: MobileNode, dut: Server) -> None:
    """Data lost at the moment of the move puts SND.NXT ahead of RCV.NXT; the connection survives all the same."""
    connection = node.connect()
    lost = b"lost on the way"
    connection.local.send_lost(lost)
    node.move()
    request = node.send_migrate(connection)
    dut.answers(request, SUCCESS)
    node.rebind(request, connection)
    dut.delivers(connection.local, lost, connection.local.retransmit(lost).ns)


@invalid
@requirement("MOPS-4.1-38", case=1)
def test_refused_entry_leaves_the_connection_unharmed(node: MobileNode, dut: Server, case: Case) -> None:
    """After a refusal data flows at the old tuple, and the new tuple has no connection."""
    connection = node.connect()
    node.move()
    entry = node.entry(connection, identifier=connection.local.snd_nxt + 2**31)
    request = node.send_migrate(connection, entries=[entry])
    dut.collect_replies(request.mark)
    dut.serves(connection)
    dut.new_tuple_is_dead(connection, node.station, entry[1])
    dut.serves(connection)
