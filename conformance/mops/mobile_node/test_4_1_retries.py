# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.1, retransmission by client: how often a Migrate is retransmitted, what ends that, and what follows.

Times are in intervals, `mops.retry_interval_s` of the profile (the draft recommends 2 s).
"""

import contextlib

import pytest

from conformance.mops.dut.mobile_node import Applications, MobileNode
from conformance.mops.migrate import ReceivedMigrate
from conformance.mops.tester.server import Connection, Correspondent
from layers.mops import FAILED, SUCCESS
from testbed import exclusive, inopportune, requirement, valid, waits
from testbed.case.case import Case
from testbed.case.expect import preamble
from testbed.case.verdict import Broken, Finding, require
from testbed.interruptions import Inconclusive, NotApplicable
from testbed.wire.capture import Frame, Mark
from testbed.wire.clock import NANO, Deadline

MOST_RETRANSMISSIONS = 3
TOLERANCE = 0.25


class UnansweredMigrate:
    """The device has moved, and its server does not reply: the Migrate and its retransmissions."""

    def __init__(self, case: Case, dut: MobileNode, connection: Connection) -> None:
        mops = case.setup.profile.ixit.mops
        if not mops.retries:
            raise NotApplicable(f"{case.setup.profile.path}: ixit.mops.retries is 0")
        self._case, self._dut, self._connection = case, dut, connection
        self.interval_s, self.retries = mops.retry_interval_s, mops.retries
        self._move = dut.move()
        self.first = dut.request(self._move, connection)

    @property
    def migrates(self) -> list[ReceivedMigrate]:
        """Every Migrate to the server so far, the first one included."""
        return self._connection.server.requests(self._move.mark)

    def deadline(self, intervals: float) -> Deadline:
        """So many intervals after the first Migrate, and a little for the device to do its work."""
        return Deadline(self.first.frame.ns, intervals * self.interval_s + 0.2)

    def await_retransmission(self, number: int) -> ReceivedMigrate | None:
        """The retransmission of this number, if it comes within twice the time."""
        if self._case.look(lambda: self._frame(number), self.deadline(2 * number)) is None:
            return None
        return self.migrates[number]

    def _frame(self, number: int) -> Frame | None:
        sent = self.migrates
        return sent[number].frame if len(sent) > number else None

    def stay_silent(self, intervals: float) -> None:
        """Stay silent until so many intervals have passed since the first Migrate, and a little more."""
        self._case.wait_until(self.deadline(intervals).end_ns)
        self._case.watch(0.01)

    def shortly_before_the_end(self) -> Mark:
        """Shortly before the interval of the last retransmission is over."""
        return Mark(ns=self.first.frame.ns + round((self.retries + 0.9) * self.interval_s * NANO))

    def gives_up(self) -> None:
        """The application's socket fails, at the latest when a device that keeps half the pace must have given up.

        The pace is judged elsewhere.
        """
        end_ns = self.deadline(2 * (self.retries + 1)).end_ns + NANO
        left_s = max(0, end_ns - self._case.clock.now_ns()) / NANO
        self._dut.application_sees_error(self._connection.socket, self._case.deadline(left_s))

    def gave_up(self) -> bool:
        """Wait until the application's socket fails, or must have failed; whether it did."""
        with contextlib.suppress(Broken):
            self.gives_up()
            return True
        return False

    def await_give_up(self) -> None:
        """The device gives the connection up, as preamble."""
        with preamble():
            self.gives_up()


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
        deadline = unanswered.deadline(2)
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
    unanswered.stay_silent(MOST_RETRANSMISSIONS + 1.5)
    migrates = unanswered.migrates
    expected, seen = f"at most {MOST_RETRANSMISSIONS}", len(migrates) - 1
    require(seen <= MOST_RETRANSMISSIONS, "retransmissions", expected, seen, migrates[-1].frame)


@exclusive
@valid
@requirement("MOPS-4.1-127", case=1)
@waits(6)
def test_retransmission_equals_the_first(connection: Connection, unanswered: UnansweredMigrate) -> None:
    """Each retransmission has the bytes of the first, also when the application has sent more data meanwhile."""
    connection.socket.send(b"waiting for the reply")
    if unanswered.await_retransmission(unanswered.retries) is None and len(unanswered.migrates) == 1:
        raise NotApplicable("no retransmission came: that is MOPS-4.1-124")
    first = unanswered.first.octets.hex()
    for later in unanswered.migrates[1:]:
        seen = later.octets.hex()
        require(seen == first, "retransmission", first, seen, unanswered.first.frame, later.frame)


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
    case.wait_until(case.clock.now_ns() + round(1.5 * unanswered.interval_s * NANO))
    dut.expect_silence(connection.local, unanswered.shortly_before_the_end())
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
@waits(3.5)
@requirement(case=1)
def test_reply_ends_the_retransmissions(correspondent: Correspondent, unanswered: UnansweredMigrate, code: int) -> None:
    """After the reply the Migrate is not retransmitted."""
    replied = correspondent.reply(unanswered.first, code)
    left_s = unanswered.interval_s - (replied.ns - unanswered.first.frame.ns) / NANO
    if left_s < unanswered.interval_s / 2:
        raise Inconclusive("the tester answered too late")
    unanswered.stay_silent(1.5)
    migrates = unanswered.migrates
    if len(migrates) > 1:
        finding = Finding(f"Migrates: expected 1, got {len(migrates)}", "1", f"{len(migrates)}")
        finding.frames = [replied.frame, migrates[-1].frame]
        raise Broken(finding, Deadline(replied.ns, left_s))


@exclusive
@inopportune
@requirement("MOPS-4.1-147", case=1)
@waits(9)
def test_late_success_revives_nothing(
    case: Case, dut: MobileNode, correspondent: Correspondent, connection: Connection, unanswered: UnansweredMigrate
) -> None:
    """A success that comes after the connection was given up brings nothing back."""
    unanswered.await_give_up()
    case.watch(0.05)
    mark = case.mark()
    correspondent.reply(unanswered.first, SUCCESS)
    dut.expect_silence(connection.local, mark)
    require(bool(connection.socket.error()), "socket error", "one", "none")
