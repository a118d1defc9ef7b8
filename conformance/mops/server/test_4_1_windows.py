# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.1: windows and their scales, gaps, clocks and urgent data on both sides of a move (RFC 9293, 7323)."""

from typing import Any

import pytest

from conformance.mops.claims import needs_sequence_reading
from conformance.mops.dut.server import Server
from conformance.mops.dut.sockets import listen_mobile
from conformance.mops.server.test_4_1_tcp import connect_with_timestamps
from conformance.mops.tester.mobile_node import Connection, MobileNode
from testbed import inopportune, requirement, valid
from testbed.case.case import Case
from testbed.case.verdict import Broken, Finding, require
from testbed.device.application import Application, Socket
from testbed.interruptions import NotApplicable
from testbed.peers.segment import WINDOW_SCALE
from testbed.peers.sequence import SEQUENCE_SPACE
from testbed.peers.window import PROBE, announce, fill

SEGMENT = 1024
"""The most data of a segment that the node takes, and its window in bytes."""

SMALL_SEGMENT = 536
LEAST = 256
"""Of a window of a segment a device uses so much at least, whatever its own segments are."""

WAITING = b"waits for a window"
FIRST, SECOND = b"the first of two, ", b"the second"


def open_manual(case: Case, node: MobileNode, app: Application, **choices: Any) -> tuple[Connection, Socket]:
    """A connection to an application that reads and writes when it is told to, and its socket."""
    listener = listen_mobile(case, app, service="manual")
    connection = node.connect(remote_port=listener.port, use=False, **choices)
    connection.local.send(b"hello")
    socket = listener.accepted(case.deadline().within_s)
    socket.read(5, case.deadline().within_s)
    return connection, socket


@pytest.mark.parametrize("scale", [0, 7, 14])
@valid
@requirement("MOPS-4.1-244", case=1)
def test_scale_of_the_nodes_window_counts(
    case: Case, node: MobileNode, dut: Server, app: Application, scale: int
) -> None:
    """At the new tuple the window that the node announces there is used with its scale, and not exceeded."""
    connection, socket = open_manual(case, node, app, scale=scale, mss=SEGMENT)
    if dut.segments(connection.local)[0].option(WINDOW_SCALE) is None:
        raise NotApplicable("the device does not use the window scale option")
    node.migrate(connection, use=False)
    peer, field = connection.local, max(1, SEGMENT >> scale)
    announce(dut, peer, field)
    sending = socket.begin_send(bytes(2 * SEGMENT))
    flight = dut.flight(peer, LEAST, (field << scale) + PROBE)
    rest = bytes(2 * SEGMENT - flight)
    since_ns = peer.acknowledge().ns
    sending.result()
    if rest:
        dut.delivers(peer, rest, since_ns, flight)


@pytest.mark.parametrize("shut", ["before the move", "after it"])
@pytest.mark.parametrize("window", [0, 1])
@inopportune
@requirement("MOPS-4.1-245", case=1)
def test_data_waits_for_the_nodes_window(
    case: Case, node: MobileNode, dut: Server, app: Application, window: int, shut: str
) -> None:
    """Data for which the node has no room comes to the new tuple when the node says there that it has, not before."""
    connection, socket = open_manual(case, node, app)
    if shut == "before the move":
        announce(dut, connection.local, window)
        socket.send(WAITING)
        dut.barrier()
    node.migrate(connection, use=False)
    peer = connection.local
    announce(dut, peer, window)
    if shut == "after it":
        socket.send(WAITING)
    came = dut.flight(peer, 0, window + PROBE)
    dut.delivers(peer, WAITING[came:], peer.acknowledge().ns, came)


@valid
@requirement("MOPS-4.1-246", case=1)
def test_window_of_the_server_is_there(case: Case, node: MobileNode, dut: Server, app: Application) -> None:
    """Whatever the node sends into the window that is announced at the new tuple is acknowledged until it is full."""
    connection, socket = open_manual(case, node, app)
    node.migrate(connection, use=False)
    connection.local.send(WAITING)
    dut.application_reads(socket, WAITING)
    fill(case, connection.local)


@pytest.mark.parametrize("options", ["plain", "timestamps and SACK"])
@inopportune
@requirement("MOPS-4.1-247", case=1)
def test_gap_is_filled_at_the_new_tuple(
    case: Case, node: MobileNode, dut: Server, app: Application, options: str
) -> None:
    """Data that came out of order before the move, and the gap in front of it after it, are read once and in order."""
    needs_sequence_reading(case, "window")
    connection, socket = open_manual(case, node, app, timestamps=options != "plain")
    connection.local.send_lost(FIRST)
    connection.local.send(SECOND)
    dut.barrier()
    node.migrate(connection, use=False)
    connection.local.send_out_of_window(FIRST, -len(FIRST + SECOND))
    connection.local.retransmit(SECOND)
    dut.application_reads(socket, FIRST + SECOND)
    dut.acknowledges_all(connection.local, connection.local.acknowledge())


@pytest.mark.parametrize("clock", ["stands still", "wraps"])
@inopportune
@requirement("MOPS-4.1-248", case=1)
def test_clock_of_the_node_at_the_move(node: MobileNode, dut: Server, clock: str) -> None:
    """Data at the new tuple is taken whose timestamp is that of the last segment, or 0 after the end of its space."""
    connection = connect_with_timestamps(node, dut, clock=SEQUENCE_SPACE - 100)
    node.migrate(connection, use=False)
    connection.local.clock = SEQUENCE_SPACE - 1 if clock == "wraps" else connection.local.clock - 1
    dut.serves(connection)


@valid
@requirement("MOPS-4.1-249", case=1)
def test_urgent_data_at_the_new_tuple(case: Case, node: MobileNode, dut: Server, app: Application) -> None:
    """Of a segment with urgent data the application of a session that has moved reads what that of another one does."""
    (moved, socket), (stayed, other) = (open_manual(case, node, app) for _ in range(2))
    home = node.station
    node.migrate(moved, use=False)
    for connection in (moved, stayed):
        connection.local.send(b"urgent", "PAU", urgptr=3)
        connection.local.send(b" and more")
    node.return_to(home)
    dut.barrier()
    expected, _ = other.read(len(b"urgent and more") - 1, case.deadline().within_s)
    deadline = case.deadline()
    came, trouble = socket.read(len(expected), deadline.within_s)
    if came != expected:
        finding = Finding("what the application reads", f"{expected!r}", f"{came!r} {trouble}".strip())
        raise Broken(finding, deadline)


@valid
@requirement("MOPS-4.1-259", case=1)
def test_segments_at_the_new_tuple_fit_the_node(node: MobileNode, dut: Server) -> None:
    """At the new tuple no segment carries more data than the node has said that it takes."""
    connection = node.connect(mss=SMALL_SEGMENT)
    request = node.migrate(connection, use=False)
    dut.serves(connection, data=bytes(range(250)) * 16)
    for segment in dut.segments(connection.local, request.mark):
        size = len(segment.data)
        require(size <= SMALL_SEGMENT, "data of a segment", f"at most {SMALL_SEGMENT}", size, segment.frame)
