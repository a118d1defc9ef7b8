# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 6.2: windows, clocks, urgent data and TIME-WAIT of a connection when its peer or the device moves.

What both sides have agreed on, or know, is not agreed on anew (RFC 9293, 7323).
"""

from collections.abc import Callable

import pytest

from conformance.rehash.dut.host import DutHost
from conformance.rehash.tester.closing import TimeWait
from conformance.rehash.tester.connection import Connection
from conformance.rehash.tester.host import RehashHost
from testbed import exclusive, inopportune, requirement, valid
from testbed.case.case import Case
from testbed.case.expect import preamble
from testbed.case.verdict import Broken, Finding
from testbed.device.application import Application
from testbed.interruptions import NotApplicable
from testbed.peers.sequence import SEQUENCE_SPACE
from testbed.peers.window import PROBE, announce, fill

Moves = Callable[[RehashHost, DutHost, Connection], object]

CLOCKS = pytest.mark.parametrize("clock", ["stands still", "wraps"])
URGENT, MORE = b"urgent", b" and more"
SCALE, WINDOW = 7, 1024


def peer_moves(node: RehashHost, dut: DutHost, connection: Connection) -> None:
    """The connection follows its peer; preamble."""
    node.rehash(connection)


def device_moves(node: RehashHost, dut: DutHost, connection: Connection) -> None:
    """The connection follows the device; preamble."""
    dut.complete_move(node, connection)


def window_is_there(case: Case, node: RehashHost, dut: DutHost, app: Application, moves: Moves) -> None:
    """Whatever is sent into the window that is announced after the move is acknowledged until it is full."""
    connection = node.connect_to(app)
    moves(node, dut, connection)
    connection.local.send(MORE)
    fill(case, connection.local)


@valid
@requirement("REHASH-6.2-48", case=1)
def test_window_of_the_device_when_its_peer_moves(case: Case, node: RehashHost, dut: DutHost, app: Application) -> None:
    """What the peer sends into the window that the device announces to its new address is taken."""
    window_is_there(case, node, dut, app, peer_moves)


@exclusive
@valid
@requirement("REHASH-6.2-48", case=2)
def test_window_of_the_device_when_it_moves(case: Case, node: RehashHost, dut: DutHost, app: Application) -> None:
    """What the peer sends into the window that the device announces from its new address is taken."""
    window_is_there(case, node, dut, app, device_moves)


def clock_goes_on(node: RehashHost, dut: DutHost, app: Application, clock: str, moves: Moves) -> None:
    """Segments are taken whose timestamp is that of the last one before the move, or 0 after the end of its space."""
    connection = node.connect_to(app, timestamps=True, clock=SEQUENCE_SPACE - 100)
    dut.agrees_to_timestamps(connection)
    dut.serves(connection)
    connection.local.clock = SEQUENCE_SPACE - 1 if clock == "wraps" else connection.local.clock - 1
    moves(node, dut, connection)
    if clock == "stands still":
        connection.local.clock -= 1
    dut.serves(connection)


@CLOCKS
@inopportune
@requirement("REHASH-6.2-49", case=1)
def test_clock_of_a_peer_that_moves(node: RehashHost, dut: DutHost, app: Application, clock: str) -> None:
    """REHASH-ADDR and data are taken with the last timestamp once more, and with 0 after the end of its space."""
    clock_goes_on(node, dut, app, clock, peer_moves)


@exclusive
@CLOCKS
@inopportune
@requirement("REHASH-6.2-49", case=2)
def test_clock_of_the_peer_when_the_device_moves(node: RehashHost, dut: DutHost, app: Application, clock: str) -> None:
    """REHASH-INIT and data are taken with the last timestamp once more, and with 0 after the end of its space."""
    clock_goes_on(node, dut, app, clock, device_moves)


def urgent_data(case: Case, connection: Connection) -> tuple[bytes, str]:
    """Send urgent data and more; what the application reads, where the urgent byte may be missing, and its trouble."""
    connection.local.send(URGENT, "PAU", urgptr=3)
    connection.local.send(MORE)
    return connection.socket.read(len(URGENT + MORE) - 1, case.deadline().within_s)


def urgent_data_is_as_before(case: Case, node: RehashHost, dut: DutHost, app: Application, moves: Moves) -> None:
    """The application reads of urgent data after the move what another one reads before it."""
    before, after = node.connect_to(app), node.connect_to(app)
    expected, _ = urgent_data(case, before)
    moves(node, dut, after)
    deadline = case.deadline()
    came, trouble = urgent_data(case, after)
    if came != expected:
        raise Broken(Finding("what the application reads", f"{expected!r}", f"{came!r} {trouble}".strip()), deadline)


@valid
@requirement("REHASH-6.2-50", case=1)
def test_urgent_data_of_a_peer_that_has_moved(case: Case, node: RehashHost, dut: DutHost, app: Application) -> None:
    """Urgent data from the peer's new address reaches the application as it does without a move."""
    urgent_data_is_as_before(case, node, dut, app, peer_moves)


@exclusive
@valid
@requirement("REHASH-6.2-50", case=2)
def test_urgent_data_for_a_device_that_has_moved(case: Case, node: RehashHost, dut: DutHost, app: Application) -> None:
    """Urgent data to the device's new address reaches the application as it does without a move."""
    urgent_data_is_as_before(case, node, dut, app, device_moves)


@valid
@requirement("REHASH-6.2-51", case=1)
def test_fin_repeated_after_the_close(node: RehashHost, dut: DutHost, app: Application) -> None:
    """In TIME-WAIT at the peer's new address its FIN, when it comes again, is acknowledged again and not reset."""
    stayed, moved = node.connect_to(app), node.connect_to(app)
    node.rehash(moved)
    with preamble():
        for connection in (stayed, moved):
            TimeWait().reach(connection, dut)
    try:
        dut.acknowledges_fin_again(stayed.local)
    except Broken:
        raise NotApplicable("the device does not keep a connection in TIME-WAIT until then") from None
    dut.acknowledges_fin_again(moved.local)


@exclusive
@valid
@requirement("REHASH-6.2-11", case=4)
def test_scale_of_the_peers_window_when_the_device_moves(node: RehashHost, dut: DutHost, app: Application) -> None:
    """The scale of the peer's window counts after a move of the device: the window is used, and not exceeded."""
    connection = node.connect_to(app, scale=SCALE, mss=WINDOW)
    dut.agrees_to_scale(connection)
    dut.complete_move(node, connection)
    peer = connection.local
    announce(dut, peer, WINDOW >> SCALE)
    sending = connection.socket.begin_send(bytes(2 * WINDOW))
    dut.flight(peer, WINDOW // 4, WINDOW + PROBE)
    peer.acknowledge()
    dut.completes(connection, bytes(2 * WINDOW))
    sending.result()
