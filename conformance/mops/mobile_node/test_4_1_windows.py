# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.1: windows and their scales, gaps, clocks and urgent data on both sides of a move (RFC 9293, 7323)."""

from conformance.mops.dut.mobile_node import Applications, MobileNode
from conformance.mops.tester.server import Connection, Correspondent
from testbed import exclusive, inopportune, requirement, valid
from testbed.case.case import Case
from testbed.case.verdict import Broken, Finding, require
from testbed.interruptions import NotApplicable
from testbed.peers.sequence import SEQUENCE_SPACE
from testbed.peers.tcp import TIMESTAMPS, WINDOW_SCALE
from testbed.peers.window import PROBE, announce, fill

SEGMENT = 1024
"""The most data of a segment that the server takes, and its window in bytes."""

LEAST = 256
"""Of a window of a segment a device uses so much at least, whatever its own segments are."""

SCALES = (0, 7, 14)
WAITING = b"waits for a window"
FIRST, SECOND = b"the first of two, ", b"the second"
URGENT, MORE = b"urgent", b" and more"


@exclusive
@valid
@requirement("MOPS-4.1-188", case=1)
def test_scale_of_the_servers_window_counts(dut: MobileNode, app: Applications, correspondent: Correspondent) -> None:
    """After a move the window that the server announces then is used with its scale, and not exceeded."""
    attempts = {scale: app.begin_connect(correspondent, {"scale": scale, "mss": SEGMENT}) for scale in SCALES}
    if attempts[0].syn.option(WINDOW_SCALE) is None:
        raise NotApplicable("the device does not use the window scale option")
    connections = {scale: correspondent.accept(attempt) for scale, attempt in attempts.items()}
    for connection in connections.values():
        dut.continues(connection, b"hello")
    dut.complete_move(*connections.values())
    for scale, connection in connections.items():
        local, field = connection.local, max(1, SEGMENT >> scale)
        announce(dut, local, field)
        start = len(local.stream)
        sending = connection.socket.begin_send(bytes(2 * SEGMENT))
        flight = dut.flight(local, LEAST, (field << scale) + PROBE)
        since_ns, rest = local.acknowledge().ns, bytes(2 * SEGMENT - flight)
        sending.result()
        if rest:
            dut.delivers(local, rest, since_ns, start + flight)


@exclusive
@inopportune
@requirement("MOPS-4.1-189", case=1)
def test_data_waits_for_the_servers_window(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """Data for which the server has no room, from before the move or after it, comes when it has, and not before."""
    connections = [app.connect(correspondent) for _ in range(4)]
    starts = [len(connection.local.stream) for connection in connections]
    for connection, window in zip(connections[:2], (0, 1), strict=True):
        announce(dut, connection.local, window)
        connection.socket.send(WAITING)
    dut.barrier()
    dut.complete_move(*connections, use=False)
    for connection, window in zip(connections, (0, 1, 0, 1), strict=True):
        announce(dut, connection.local, window)
    for connection in connections[2:]:
        connection.socket.send(WAITING)
    deadline = case.deadline()
    dut.quiesce()
    for connection, start, window in zip(connections, starts, (0, 1, 0, 1), strict=True):
        connection.local.read()
        came = len(connection.local.stream) - start
        require(came <= window + PROBE, "bytes for a window that is shut", f"{window} and a probe", came, deadline)
        dut.delivers(connection.local, WAITING[came:], connection.local.acknowledge().ns, start + came)


@exclusive
@valid
@requirement("MOPS-4.1-190", case=1)
def test_window_of_the_device_is_there(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """Whatever the server sends into the window that is announced after the move is acknowledged until it is full."""
    connection = app.connect(correspondent)
    dut.complete_move(connection)
    fill(case, connection.local)


@exclusive
@inopportune
@requirement("MOPS-4.1-191", case=1)
def test_gap_is_filled_after_the_move(dut: MobileNode, app: Applications, correspondent: Correspondent) -> None:
    """Data that came out of order before the move, and the gap in front of it after it, are read once and in order."""
    connections = [app.connect(correspondent), app.connect(correspondent, {"timestamps": True})]
    for connection in connections:
        connection.local.send_lost(FIRST)
        connection.local.send(SECOND)
    dut.barrier()
    dut.complete_move(*connections, use=False)
    for connection in connections:
        connection.local.send_out_of_window(FIRST, -len(FIRST + SECOND))
        connection.local.retransmit(SECOND)
        dut.application_reads(connection.socket, FIRST + SECOND)
        dut.continues(connection)


@exclusive
@inopportune
@requirement("MOPS-4.1-192", case=1)
def test_clock_of_the_server_at_the_move(dut: MobileNode, app: Applications, correspondent: Correspondent) -> None:
    """Data after the move is taken whose timestamp is that of the last segment, or 0 after the end of its space."""
    end = {"timestamps": True, "clock": SEQUENCE_SPACE - 100}
    attempts = [app.begin_connect(correspondent, end) for _ in range(2)]
    if attempts[0].syn.option(TIMESTAMPS) is None:
        raise NotApplicable("the device uses no timestamps")
    still, wrapping = connections = [correspondent.accept(attempt) for attempt in attempts]
    for connection in connections:
        dut.continues(connection, b"hello")
    dut.complete_move(*connections, use=False)
    still.local.clock -= 1
    wrapping.local.clock = SEQUENCE_SPACE - 1
    for connection in connections:
        connection.local.send(SECOND)
        dut.application_reads(connection.socket, SECOND)
        dut.continues(connection)


@exclusive
@valid
@requirement("MOPS-4.1-193", case=1)
def test_urgent_data_after_the_move(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """Of a segment with urgent data the application reads after the move what another one has read before it."""
    before, after = app.connect(correspondent), app.connect(correspondent)
    expected, _ = send_urgent(case, before)
    dut.complete_move(after)
    deadline = case.deadline()
    came, trouble = send_urgent(case, after)
    if came != expected:
        raise Broken(Finding("what the application reads", f"{expected!r}", f"{came!r} {trouble}".strip()), deadline)


def send_urgent(case: Case, connection: Connection) -> tuple[bytes, str]:
    """Send urgent data and more; what the application reads, where the urgent byte may be missing, and its trouble."""
    connection.local.send(URGENT, "PAU", urgptr=3)
    connection.local.send(MORE)
    return connection.socket.read(len(URGENT + MORE) - 1, case.deadline().within_s)
