# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 6.2: how often REHASH-ADDR is sent at most, whatever carries it, and by a host that names no maximum."""

from conformance.rehash.dut.host import DutHost
from conformance.rehash.tester.host import RehashHost
from testbed import exclusive, inopportune, requirement, valid, waits
from testbed.case.case import Case
from testbed.case.verdict import require
from testbed.device.application import Application
from testbed.interruptions import NotApplicable

pytestmark = exclusive

PAUSE_S = 0.08
"""Shorter than the time after which anything that is sent again is sent for the second time."""

MANY = 8


@inopportune
@requirement("REHASH-6.2-08", case=12)
@waits(15)
def test_acknowledgements_count_against_the_maximum(
    node: RehashHost, dut: DutHost, app: Application, case: Case
) -> None:
    """Acknowledgements of a peer whose REHASH-INIT is lost and whose data comes now and then exceed no maximum."""
    most = dut.max_retries()
    if not dut.gives_up_by_count:
        raise NotApplicable("the device gives up by time")
    connection = node.connect_to(app)
    move = dut.move()
    dut.await_rehash_addr(move, connection.local)
    connection.local.follow_remote(move.new, move.mark)
    for _ in app.polls(dut.give_up_s):
        connection.local.send(b".")
        case.watch(PAUSE_S)
        frames = [one.frame for one in dut.segments(connection.local, move.mark) if one.rehash_addr]
        require(len(frames) <= most, "number of REHASH-ADDRs", f"at most {most}", len(frames), frames[-1], *frames)
        if connection.socket.error():
            break


@valid
@requirement("REHASH-6.2-08", case=13)
@waits(4)
def test_rehash_addr_is_repeated_without_a_maximum(node: RehashHost, dut: DutHost, app: Application) -> None:
    """A host that names no maximum repeats REHASH-ADDR many times, and is heard when REHASH-INIT comes at last."""
    if dut.has_maximum:
        raise NotApplicable("the profile names a maximum")
    connection = node.connect_to(app)
    move = dut.move()
    segment, _ = dut.await_rehash_addr(move, connection.local)
    for _ in range(MANY):
        segment = dut.repeats_rehash_addr(connection, segment)
    node.follow_move(connection, move)
    dut.serves(connection)
