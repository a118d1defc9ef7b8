# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.1: what both sides have agreed on for a TCP connection stays in use after a move."""

from conformance.mops.dut.mobile_node import Applications, MobileNode
from conformance.mops.tester.server import Connection, Correspondent
from testbed import exclusive, requirement, valid
from testbed.case.case import Case
from testbed.case.expect import preamble
from testbed.case.verdict import require
from testbed.interruptions import NotApplicable
from testbed.peers.segment import Segment
from testbed.peers.sequence import SEQUENCE_SPACE, after
from testbed.peers.tcp import TIMESTAMPS
from testbed.wire.capture import BEGINNING, Mark

SACK_PERMITTED, SACK = 4, 5
OUT_OF_ORDER, MISSING = b"second", b"first "


def connect_with(app: Applications, server: Correspondent, kind: int, name: str) -> Connection:
    """A connection with Timestamps and SACK; NotApplicable where the device's SYN does not ask for this option."""
    attempt = app.begin_connect(server, {"timestamps": True})
    if attempt.syn.option(kind) is None:
        attempt.local.reset()
        raise NotApplicable(f"the device's SYN does not carry {name}")
    return server.accept(attempt)


def stamp(segment: Segment) -> int | None:
    """TSval of a segment."""
    option = segment.option(TIMESTAMPS)
    return None if option is None else int.from_bytes(option.raw[2:6], "big")


def require_stamps(dut: MobileNode, connection: Connection, since: Mark, before: int) -> int:
    """Each segment since a mark, resets apart, carries Timestamps not older than before; the last one."""
    last = before
    for segment in dut.segments(connection.local, since):
        if segment.is_reset:
            continue
        value = stamp(segment)
        require(value is not None, "Timestamps", "present", "absent", segment.frame)
        assert value is not None
        require(after(value, last) >= 0, "TSval", f"{last} or later", value, segment.frame)
        last = value
    return last


@exclusive
@valid
@requirement("MOPS-4.1-175", case=1)
def test_timestamps_go_on(case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent) -> None:
    """After a move, and after another, each segment carries Timestamps, and they do not go back."""
    connection = connect_with(app, correspondent, TIMESTAMPS, "Timestamps")
    dut.continues(connection)
    with preamble():
        last = require_stamps(dut, connection, BEGINNING, stamp(dut.segments(connection.local)[0]) or 0)
    for _ in range(2):
        mark = dut.complete_move(connection).mark
        dut.continues(connection)
        last = require_stamps(dut, connection, mark, last)


def sack_blocks(dut: MobileNode, connection: Connection, mark: Mark) -> list[tuple[int, int]]:
    """The blocks of the first acknowledgement since a mark that has some; none if there is none in time."""
    found = dut.await_segment(connection.local, mark, lambda one: one.option(SACK) is not None)
    return [] if found is None else list(found.sack)


@exclusive
@valid
@requirement("MOPS-4.1-290", case=1)
def test_sack_goes_on(case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent) -> None:
    """After a move what comes out of order is named in a SACK block, and the application reads all in order."""
    connection = connect_with(app, correspondent, SACK_PERMITTED, "SACK-permitted")
    local = connection.local
    for moved in (False, True):
        if moved:
            dut.complete_move(connection)
        mark, missing = case.mark(), local.segment("PA", MISSING)
        first = (local.snd_nxt + len(MISSING)) % SEQUENCE_SPACE
        local.send_lost(MISSING)
        local.send(OUT_OF_ORDER)
        asked = case.deadline()
        blocks, expected = sack_blocks(dut, connection, mark), (first, (first + len(OUT_OF_ORDER)) % SEQUENCE_SPACE)
        if not moved and expected not in blocks:
            raise NotApplicable("the device does not send SACK blocks before the move either")
        require(expected in blocks, "SACK blocks", [expected], blocks, asked)
        local.transmit(missing)
        dut.application_reads(connection.socket, MISSING + OUT_OF_ORDER)


@exclusive
@valid
@requirement("MOPS-4.1-132", case=3)
def test_server_numbers_that_wrap(dut: MobileNode, app: Applications, correspondent: Correspondent) -> None:
    """The server's next sequence number is 0 at the move, and data flows both ways after it."""
    attempt = app.begin_connect(correspondent, {"initial_sequence": (1 << 32) - 60})
    connection = correspondent.accept(attempt)
    dut.continues(connection, b"before the numbers wrap")
    rest = bytes(SEQUENCE_SPACE - connection.local.snd_nxt)
    connection.local.send(rest)
    dut.application_reads(connection.socket, rest)
    for _ in range(2):
        dut.complete_move(connection)
        dut.continues(connection)
