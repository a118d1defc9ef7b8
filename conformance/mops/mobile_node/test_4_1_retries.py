# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.1, retransmission by client: how often a Migrate is retransmitted, what ends that, and what follows.

Times are in intervals, `mops.retry_interval_s` of the profile (the draft recommends 2 s).
"""

import pytest

from conformance.mops.dut.mobile_node import Applications, MobileNode
from conformance.mops.dut.unanswered import MOST_RETRANSMISSIONS, UnansweredMigrate
from conformance.mops.tester.server import Connection, Correspondent
from layers.mops import FAILED, SUCCESS
from testbed import exclusive, inopportune, requirement, valid, waits
from testbed.case.case import Case
from testbed.case.verdict import Broken, Finding, Witness, require
from testbed.interruptions import Inconclusive, NotApplicable
from testbed.wire.clock import NANO, Deadline

TOLERANCE = 0.25
NO_RETRANSMISSION = "no retransmission came: that is MOPS-4.1-124"


@pytest.fixture
def connection(app: Applications, correspondent: Correspondent) -> Connection:
    """A connection of the device."""
    return app.connect(correspondent)


@pytest.fixture
def unanswered(case: Case, dut: MobileNode, connection: Connection) -> UnansweredMigrate:
    """The Migrate of a device that has moved, to a server that no longer replies."""
    return UnansweredMigrate(case, dut, connection)


@exclusive
@valid
@requirement("MOPS-4.1-124", case=1)
@waits(2)
def test_unanswered_migrate_is_retransmitted(unanswered: UnansweredMigrate) -> None:
    """A Migrate that is not answered is retransmitted."""
    if unanswered.await_retransmission(1) is None:
        deadline = unanswered.next_deadline(1)
        expected = f"a retransmission within {deadline.within_s:.1f} s"
        raise Broken(
            Finding(f"retransmissions of the Migrate: expected {expected}, got none", expected, "none"), deadline
        )


@exclusive
@valid
@requirement("MOPS-4.1-125", case=1)
@waits(6)
def test_retransmissions_keep_the_interval(unanswered: UnansweredMigrate) -> None:
    """From each Migrate to its retransmission the interval passes, a quarter more or less."""
    for number in range(1, unanswered.retries + 1):
        later = unanswered.await_retransmission(number)
        if later is None:
            raise NotApplicable(f"retransmission {number} did not come: that is MOPS-4.1-124")
        earlier = unanswered.migrates[number - 1].frame
        gap = (later.frame.ns - earlier.ns) / NANO
        least = unanswered.interval_s * (1 - TOLERANCE)
        most = unanswered.interval_s * (1 + TOLERANCE) + 0.05
        if not least <= gap <= most:
            expected, seen = f"{least:.2f} to {most:.2f} s", f"{gap:.3f} s"
            finding = Finding(f"interval: expected {expected}, got {seen}", expected, seen)
            finding.frames = [earlier, later.frame]
            # The gap is short where the machine held the device up before the earlier one, long where before the later.
            late = earlier if gap < least else later.frame
            half_s = unanswered.interval_s / 2
            raise Broken(finding, Deadline(late.ns - round(half_s * NANO), half_s))


@exclusive
@valid
@requirement("MOPS-4.1-126", case=1)
@waits(10)
def test_at_most_three_retransmissions(unanswered: UnansweredMigrate) -> None:
    """After three retransmissions no further one comes."""
    unanswered.stay_silent()
    migrates = unanswered.migrates
    expected, seen = f"at most {MOST_RETRANSMISSIONS}", len(migrates) - 1
    require(seen <= MOST_RETRANSMISSIONS, "retransmissions", expected, seen, migrates[-1].frame)


@pytest.mark.parametrize(
    "what",
    [
        pytest.param("bytes", marks=requirement("MOPS-4.1-127")),
        pytest.param("entries", marks=requirement("MOPS-4.1-161")),
    ],
)
@exclusive
@valid
@requirement(case=1)
@waits(6)
def test_retransmission_equals_the_first(
    dut: MobileNode, connection: Connection, unanswered: UnansweredMigrate, what: str
) -> None:
    """Each retransmission has bytes and entries of the first, also when the application has sent data meanwhile."""
    dut.application_takes(connection.socket, b"waiting for the reply")
    if unanswered.await_retransmission(unanswered.retries) is None and len(unanswered.migrates) == 1:
        raise NotApplicable(NO_RETRANSMISSION)
    first = unanswered.first
    for later in unanswered.migrates[1:]:
        if what == "bytes":
            expected, seen = first.octets.hex(), later.octets.hex()
        else:
            expected, seen = str(sorted(first.entries)), str(sorted(later.entries))
        require(seen == expected, f"{what} of a retransmission", expected, seen, first.frame, later.frame)


@exclusive
@valid
@requirement("MOPS-4.1-128", case=1)
@waits(8.5)
def test_application_sees_an_error_in_the_end(
    case: Case, connection: Connection, unanswered: UnansweredMigrate
) -> None:
    """When the last retransmission has not been answered either, the application's socket fails."""
    unanswered.gives_up()
    case.values["socket error"] = connection.socket.error()


@exclusive
@valid
@requirement("MOPS-4.1-129", case=1)
@waits(11.5)
def test_connection_given_up_stays_silent(case: Case, dut: MobileNode, connection: Connection) -> None:
    """A connection given up sends neither its unacknowledged data nor a Migrate any more."""
    connection.socket.send(b"never acknowledged")
    unanswered = UnansweredMigrate(case, dut, connection)
    gave_up, known = unanswered.gave_up(), len(unanswered.migrates)
    # A device that reports no error has its end where one that keeps the interval has it.
    mark = case.mark() if gave_up else unanswered.shortly_before_the_end()
    case.wait_until(case.clock.now_ns() + round(1.5 * unanswered.interval_s * NANO))
    dut.expect_silence(connection.local, mark)
    # A device that keeps retransmitting and reports no error has not given up: that is MOPS-4.1-126 and 128.
    migrates = unanswered.migrates
    require(not gave_up or len(migrates) == known, "Migrates", known, len(migrates), migrates[-1].frame)


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(SUCCESS, id="success", marks=requirement("MOPS-4.1-130")),
        pytest.param(FAILED, id="failed", marks=requirement("MOPS-4.1-131")),
    ],
)
@exclusive
@valid
@waits(7)
@requirement(case=1)
def test_reply_ends_the_retransmissions(correspondent: Correspondent, unanswered: UnansweredMigrate, code: int) -> None:
    """After the reply to a retransmission, or to the Migrate where there is but one, no further one comes."""
    if unanswered.retries > 1 and unanswered.await_retransmission(1) is None:
        raise NotApplicable(NO_RETRANSMISSION)
    sent = unanswered.migrates
    replied = correspondent.reply(sent[-1], code)
    left_s = unanswered.interval_s - (replied.ns - sent[-1].frame.ns) / NANO
    if left_s < unanswered.interval_s / 2:
        raise Inconclusive("the tester answered too late")
    unanswered.stay_silent()
    migrates = unanswered.migrates
    if len(migrates) > len(sent):
        finding = Finding(f"Migrates: expected {len(sent)}, got {len(migrates)}", f"{len(sent)}", f"{len(migrates)}")
        raise Broken(finding, Deadline(replied.ns, left_s), replied.frame, migrates[-1].frame)


@exclusive
@inopportune
@requirement("MOPS-4.1-147", case=1)
@waits(9)
def test_late_success_revives_nothing(
    case: Case, dut: MobileNode, app: Applications, connection: Connection, unanswered: UnansweredMigrate
) -> None:
    """A success that comes after the connection was given up brings nothing back; one in time moves another one."""
    unanswered.await_give_up()
    case.watch(0.05)
    mark = case.mark()
    connection.server.reply(unanswered.first, SUCCESS)
    dut.expect_silence(connection.local, mark)
    require(bool(connection.socket.error()), "socket error", "one", "none", Witness.APPLICATION)
    dut.complete_move(app.connect(connection.server))
