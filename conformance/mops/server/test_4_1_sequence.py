# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.1, Sequence number: which ones a server accepts, and the state after a refusal.

RCV.NXT is what the server has acknowledged last, the window what it has announced.
"""

from collections.abc import Callable

import pytest

from conformance.mops.claims import needs_below_reading, needs_sequence_reading
from conformance.mops.dut.server import Server
from conformance.mops.tester.mobile_node import Connection, MobileNode
from conformance.mops.tester.numbers import (
    EDGE,
    HALF_THE_SPACE,
    below_window,
    beyond_window,
    inside_window,
    is_refused,
    margin,
    wrong_number,
)
from layers.mops import FAILED, SUCCESS
from testbed import invalid, requirement, valid
from testbed.case.case import Case
from testbed.peers.sequence import SEQUENCE_SPACE

NAMED = 0x1234_5678
"""An initial sequence number whose halves and bytes, exchanged, lie far from it."""


def sequence(connection: Connection, offset: int) -> int:
    """RCV.NXT of the server plus `offset`."""
    return (connection.local.snd_una + offset) % SEQUENCE_SPACE


def refuses(node: MobileNode, dut: Server, connection: Connection, identifier: int) -> None:
    """The server answers "failed", and the connection is where it was alone."""
    dut.refuses(node.move_and_send(connection, identifier), connection)


def accepts(node: MobileNode, dut: Server, connection: Connection, identifier: int) -> None:
    """The server answers "success", and the connection continues at the new tuple."""
    request = node.move_and_send(connection, identifier)
    dut.answers(request, SUCCESS)
    node.rebind(request, connection)
    dut.serves(connection)


@valid
@requirement("MOPS-4.1-31", case=1)
def test_expected_sequence_number_is_accepted(node: MobileNode, dut: Server) -> None:
    """The next sequence number that the server expects is accepted."""
    connection = node.connect()
    accepts(node, dut, connection, sequence(connection, 0))


@pytest.mark.parametrize("offset", [1, 1000, EDGE])
@valid
@requirement("MOPS-4.1-32", case=2)
def test_sequence_number_inside_the_window_is_accepted(
    node: MobileNode, dut: Server, case: Case, offset: int | str
) -> None:
    """A sequence number ahead of RCV.NXT inside the announced receive window, its edge included, is accepted."""
    needs_sequence_reading(case, "window")
    connection = node.connect()
    accepts(node, dut, connection, sequence(connection, inside_window(case, connection, offset)))


@pytest.mark.parametrize("offset", [1, 1000, EDGE])
@invalid
@requirement("MOPS-4.1-33", case=2)
def test_exact_server_refuses_the_window(node: MobileNode, dut: Server, case: Case, offset: int | str) -> None:
    """A server that compares for equality refuses a sequence number ahead of RCV.NXT."""
    needs_sequence_reading(case, "exact")
    connection = node.connect()
    refuses(node, dut, connection, sequence(connection, inside_window(case, connection, offset)))


@pytest.mark.parametrize("offset", [-1, -1000])
@invalid
@requirement("MOPS-4.1-201", case=1)
def test_sequence_number_just_below_the_window_is_refused(
    node: MobileNode, dut: Server, case: Case, offset: int
) -> None:
    """Where the profile says so, a sequence number less than a window below RCV.NXT is refused."""
    needs_below_reading(case)
    connection = node.connect()
    refuses(node, dut, connection, sequence(connection, offset))


@pytest.mark.parametrize("further", [0, 100_000, 2**30], ids=["a window", "a window and 100000", "a window and 2^30"])
@invalid
@requirement("MOPS-4.1-34", case=2)
def test_sequence_number_below_the_window_is_refused(node: MobileNode, dut: Server, further: int) -> None:
    """A sequence number more than a window below RCV.NXT is refused."""
    connection = node.connect()
    refuses(node, dut, connection, sequence(connection, below_window(connection) - further))


@pytest.mark.parametrize("further", [0, 100_000, 2**30], ids=["a segment", "100000 more", "2^30 more"])
@invalid
@requirement("MOPS-4.1-35", case=2)
def test_sequence_number_beyond_the_window_is_refused(node: MobileNode, dut: Server, further: int) -> None:
    """A sequence number a segment, or what the window scale cuts off, beyond the receive window is refused."""
    connection = node.connect()
    refuses(node, dut, connection, sequence(connection, beyond_window(connection, further)))


@pytest.mark.parametrize("beyond", [1, 2])
@valid
@requirement("MOPS-4.1-202", case=1)
def test_sequence_number_just_beyond_the_window(node: MobileNode, dut: Server, case: Case, beyond: int) -> None:
    """Reported: the answer to a sequence number just beyond the window that was announced."""
    connection = node.connect()
    case.values["refused in any case from"] = f"{margin(connection)} beyond the edge"
    request = node.move_and_send(connection, sequence(connection, connection.local.window + beyond))
    case.values["answer"] = dut.collect_replies(request.mark)


def halves_swapped(connection: Connection) -> int:
    number = connection.local.snd_nxt
    return number >> 16 | (number & 0xFFFF) << 16


def bytes_reversed(connection: Connection) -> int:
    return int.from_bytes(connection.local.snd_nxt.to_bytes(4, "big"), "little")


def low_half(connection: Connection) -> int:
    return connection.local.snd_nxt & 0xFFFF


def same_low_half(connection: Connection) -> int:
    return connection.local.snd_nxt ^ 0x4000_0000


def servers_own(connection: Connection) -> int:
    return connection.local.rcv_nxt


def half_the_space(connection: Connection) -> int:
    return connection.local.snd_nxt + HALF_THE_SPACE


@pytest.mark.parametrize(
    "other",
    [halves_swapped, bytes_reversed, low_half, same_low_half, servers_own, half_the_space],
    ids=lambda other: other.__name__.replace("_", " "),
)
@invalid
@requirement("MOPS-4.1-203", case=1)
def test_another_number_is_no_sequence_number(
    node: MobileNode, dut: Server, case: Case, other: Callable[[Connection], int]
) -> None:
    """A number made of the right one, or that of the other direction, is refused."""
    connection = node.connect(initial_sequence=NAMED)
    number = other(connection)
    refuses(node, dut, connection, number if is_refused(connection, number) else wrong_number(case, connection))


BEFORE_THE_WRAP = 6
"""Bytes of SYN and greeting: with an initial number so far before the wrap, RCV.NXT is 0 when the node moves."""


@pytest.mark.parametrize(
    ("expected", "offset", "reply"),
    [
        (0, 0, SUCCESS),
        (0xFFFFFFFF, 0, SUCCESS),
        (3, 0, SUCCESS),
        (1, below_window, FAILED),
        (0, below_window, FAILED),
        (0xFFFFFFFF, beyond_window, FAILED),
    ],
    ids=["0", "0xffffffff", "3", "below 1", "below 0", "beyond 0xffffffff"],
)
@valid
@requirement("MOPS-4.1-36", case=3)
def test_comparison_wraps(
    node: MobileNode, dut: Server, expected: int, offset: int | Callable[[Connection], int], reply: int
) -> None:
    """The comparison is modulo 2^32: here RCV.NXT stands close to the wrap, or at it."""
    connection = node.connect(initial_sequence=(expected - BEFORE_THE_WRAP) % SEQUENCE_SPACE)
    judge = accepts if reply == SUCCESS else refuses
    judge(node, dut, connection, sequence(connection, offset if isinstance(offset, int) else offset(connection)))


@pytest.mark.parametrize("before_wrap", [1, 8, 400])
@valid
@requirement("MOPS-4.1-36", case=4)
def test_window_wraps(node: MobileNode, dut: Server, case: Case, before_wrap: int) -> None:
    """A sequence number after the wrap is inside a window that begins before it."""
    needs_sequence_reading(case, "window")
    connection = node.connect(initial_sequence=SEQUENCE_SPACE - BEFORE_THE_WRAP - before_wrap)
    accepts(node, dut, connection, sequence(connection, inside_window(case, connection, 500)))


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


@pytest.mark.parametrize("row", range(3), ids=["below", "beyond", "half the space away"])
@invalid
@requirement("MOPS-4.1-38", case=2)
def test_refused_entry_leaves_the_connection_unharmed(node: MobileNode, dut: Server, case: Case, row: int) -> None:
    """After a refusal the new tuple has no connection, and data flows at the old one, whatever the answer was."""
    connection = node.connect()
    request = node.move_and_send(connection, wrong_number(case, connection, row))
    dut.collect_replies(request.mark)
    dut.leaves_alone(request, connection)
