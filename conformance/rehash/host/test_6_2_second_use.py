# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 6.2: what holds for a first move, or a first forged REHASH-ADDR, holds for the ones after it."""

import pytest

from conformance.rehash.dut.host import DutHost
from conformance.rehash.tester.host import INITIAL_WINDOW, RehashHost
from testbed import exclusive, inopportune, invalid, requirement, valid, waits
from testbed.case.case import LATER_S, Case
from testbed.case.expect import preamble
from testbed.case.verdict import require
from testbed.device.application import Application
from testbed.interruptions import NotApplicable
from testbed.peers.flight import open_window

GUESSES = 3


@exclusive
@valid
@requirement("REHASH-6.2-12", case=11)
def test_slow_start_after_a_second_move(node: RehashHost, dut: DutHost, app: Application, case: Case) -> None:
    """After a second move the first flight of the host that moved is at most the initial window."""
    connection = node.connect_to(app)
    dut.complete_move(node, connection)
    open_window(case, connection.local, connection.socket, 2 * INITIAL_WINDOW)
    move = dut.move()
    dut.await_rehash_addr(move, connection.local)
    node.follow_move(connection, move)
    dut.starts_slowly(connection)


@valid
@requirement("REHASH-6.2-33", case=11)
def test_slow_start_after_the_peer_has_moved_twice(
    node: RehashHost, dut: DutHost, app: Application, case: Case
) -> None:
    """After a second move of its peer the first flight of the host is at most the initial window."""
    connection = node.connect_to(app)
    node.rehash(connection)
    open_window(case, connection.local, connection.socket, 2 * INITIAL_WINDOW)
    node.rehash(connection)
    dut.starts_slowly(connection)


@inopportune
@requirement("REHASH-6.2-24", case=11)
def test_no_address_before_reaches_the_connection(node: RehashHost, dut: DutHost) -> None:
    """After two moves segments from the first address do not reach the connection, nor do those from the second."""
    connection = node.connect()
    node.exchange(connection)
    for _ in range(2):
        node.rehash(connection)
    for number, end in enumerate(connection.previous):
        late = node.transmitted(end, connection.local.at(end.station).segment("PA", b"from before"))
        dut.expect_silence(end, late.mark)
        dut.serves(connection, data=f"these bytes too {number}".encode())


@pytest.mark.parametrize("field", ["nonce", "old", "new"])
@valid
@requirement("REHASH-6.2-19", case=11)
def test_second_acknowledgement_is_an_ordinary_one(node: RehashHost, dut: DutHost, field: str) -> None:
    """REHASH-INIT that acknowledges a second move carries what that of the first one did."""
    connection = node.connect()
    node.rehash(connection)
    node.move()
    segment = node.await_init(node.send_rehash_addr(connection))
    expected = {"nonce": connection.state.device_nonce, "old": "0.0.0.0", "new": dut.address}[field]
    seen = getattr(segment.init, field)
    require(seen == expected, f"{field} of the acknowledging REHASH-INIT", expected, seen, segment.frame)


@exclusive
@valid
@requirement("REHASH-6.2-08", case=11)
@waits(15)
def test_second_move_has_a_maximum_of_its_own(node: RehashHost, dut: DutHost, app: Application) -> None:
    """REHASH-ADDRs of one move, some of them repeated, are not counted against the maximum of the next one."""
    most = dut.max_retries()
    if not dut.gives_up_by_count:
        raise NotApplicable("the device gives up by time")
    connection = node.connect_to(app)
    first = dut.move()
    segment, _ = dut.await_rehash_addr(first, connection.local)
    dut.await_repeat(connection, segment)
    node.follow_move(connection, first)
    with preamble():
        dut.serves(connection)
    second = dut.move()
    dut.await_rehash_addr(second, connection.local)
    dut.await_give_up(connection)
    frames = [one.frame for one in dut.segments(connection.local, second.mark) if one.rehash_addr]
    require(len(frames) == most, "number of REHASH-ADDRs", most, len(frames), *frames)


@invalid
@requirement("REHASH-6.2-21", case=11)
def test_no_number_of_wrong_nonces_moves(node: RehashHost, dut: DutHost) -> None:
    """Of several REHASH-ADDRs with wrong nonces, another one each time, none moves the connection."""
    connection = node.connect()
    for number in range(GUESSES):
        node.move()
        sent = node.send_rehash_addr(connection, nonce=connection.device_nonce() ^ 1 << number)
        dut.does_not_rehash(connection, sent, f"still here {number}".encode())


@invalid
@requirement("REHASH-6.2-21", case=12)
@waits(1)
def test_wrong_nonce_does_not_move_later(case: Case, node: RehashHost, dut: DutHost) -> None:
    """Nor has a REHASH-ADDR with a wrong nonce moved the connection half a second later."""
    connection = node.connect()
    node.move()
    sent = node.send_rehash_addr(connection, nonce=connection.device_nonce() ^ 1)
    case.watch(LATER_S)
    dut.does_not_rehash(connection, sent)
