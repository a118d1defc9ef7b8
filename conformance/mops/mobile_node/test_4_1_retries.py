# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.1, retransmission by client: how often a Migrate is repeated, what ends the repeats, and what follows.

Times are in intervals, `mops.retry_interval_s` of the profile (the draft recommends 2 s).
"""

import contextlib

import pytest

from conformance.mops.dut.mobile_node import Device
from conformance.mops.tester.server import Asked, Correspondent
from conformance.mops.tester.sessions import Move, Session
from layers.mops import FAILED, SUCCESS
from testbed import exclusive, inopportune, requirement, valid, waits
from testbed.case.case import Case
from testbed.case.verdict import Broken, Finding, require
from testbed.interruptions import Inconclusive, NotApplicable
from testbed.wire.capture import Frame
from testbed.wire.clock import NANO, Deadline

MOST_REPEATS = 3
TOLERANCE = 0.25


class Silence:
    """A server that has fallen silent: the device's Migrate and its repeats."""

    def __init__(self, case: Case, device: Device, session: Session, move: Move) -> None:
        mops = case.setup.profile.ixit.mops
        if not mops.retries:
            raise NotApplicable(f"{case.setup.profile.path}: ixit.mops.retries is 0")
        self._case, self._session, self._move = case, session, move
        self.interval_s, self.retries = mops.retry_interval_s, mops.retries
        self.first = device.asks(move, session)

    @property
    def sent(self) -> list[Asked]:
        """Every Migrate for the session so far, the first one included."""
        return self._session.server.asked(self._move.mark)

    def waits_for(self, number: int) -> Asked | None:
        """Repeat `number`, if it comes within twice the time."""

        def came() -> Frame | None:
            return self.sent[number].frame if len(self.sent) > number else None

        return (
            self.sent[number] if self._case.look(came, Deadline(self.first.frame.ns, self.after(2 * number))) else None
        )

    def after(self, intervals: float) -> float:
        """So many intervals, in seconds, with a little for the device to do its work."""
        return intervals * self.interval_s + 0.2

    def lasts(self, intervals: float) -> None:
        """The server stays silent until so many intervals have passed since the first Migrate, and a little more."""
        self._case.wait_until(self.first.frame.ns + round(self.after(intervals) * NANO))
        self._case.watch(0.01)

    @property
    def end_ns(self) -> int:
        """When a device that keeps only half the pace, which is judged elsewhere, must have given up."""
        return self.first.frame.ns + round((self.after(2 * (self.retries + 1)) + 1) * NANO)

    def last_position(self) -> int:
        """Where in the trace the end of the last repeat's interval stands, a little before."""
        almost_ns = self.first.frame.ns + round((self.retries + 0.9) * self.interval_s * NANO)
        return sum(frame.ns < almost_ns for frame in self._case.trace.frames)

    def runs_out(self, device: Device) -> bool:
        """Wait until the application is told, or must have been; whether it was."""
        with contextlib.suppress(Broken):
            device.gives_up(self._session, self.end_ns)
            return True
        return False

    def kills(self, device: Device) -> None:
        """The device gives the connection up, as preamble."""
        device.preamble(lambda: device.gives_up(self._session, self.end_ns))


def moves_into_silence(case: Case, device: Device, correspondent: Correspondent) -> tuple[Session, Silence]:
    """A connection whose server no longer answers, of a device that has moved."""
    session = device.connects(correspondent)
    return session, Silence(case, device, session, device.moves())


@exclusive
@valid
@requirement("MOPS-4.1-124", case=1)
@waits(0.4)
def test_migrate_is_repeated(case: Case, device: Device, correspondent: Correspondent) -> None:
    """A Migrate that is not answered is sent again."""
    _, silence = moves_into_silence(case, device, correspondent)
    if silence.waits_for(1) is None:
        within = silence.after(2)
        finding = Finding("the Migrate was not repeated", f"a repeat within {within:.1f} s", "none")
        raise Broken(finding, Deadline(silence.first.frame.ns, within))


@exclusive
@valid
@requirement("MOPS-4.1-125", case=1)
@waits(1.2)
def test_repeats_keep_the_interval(case: Case, device: Device, correspondent: Correspondent) -> None:
    """From each Migrate to its repeat the interval passes, a quarter more or less."""
    _, silence = moves_into_silence(case, device, correspondent)
    for number in range(1, silence.retries + 1):
        repeat = silence.waits_for(number)
        if repeat is None:
            raise NotApplicable(f"repeat {number} did not come: that is MOPS-4.1-124")
        earlier = silence.sent[number - 1].frame
        gap = (repeat.frame.ns - earlier.ns) / NANO
        least, most = silence.interval_s * (1 - TOLERANCE), silence.interval_s * (1 + TOLERANCE) + 0.05
        if not least <= gap <= most:
            finding = Finding("the interval is wrong", f"{least:.2f} to {most:.2f} s", f"{gap:.3f} s")
            finding.frames = [earlier, repeat.frame]
            # The gap is short where the machine held the device up before the earlier one, long where before the later.
            late = earlier if gap < least else repeat.frame
            half = round(silence.interval_s / 2 * NANO)
            raise Broken(finding, Deadline(late.ns - half, (half) / NANO))


@exclusive
@valid
@requirement("MOPS-4.1-126", case=1)
@waits(2)
def test_at_most_three_repeats(case: Case, device: Device, correspondent: Correspondent) -> None:
    """After three repeats no further one comes."""
    _, silence = moves_into_silence(case, device, correspondent)
    silence.lasts(MOST_REPEATS + 1.5)
    repeats = len(silence.sent) - 1
    require(repeats <= MOST_REPEATS, "repeats", f"at most {MOST_REPEATS}", repeats, silence.sent[-1].frame)


@exclusive
@valid
@requirement("MOPS-4.1-127", case=1)
@waits(1.2)
def test_repeat_equals_the_first(case: Case, device: Device, correspondent: Correspondent) -> None:
    """Each repeat has the bytes of the first, also when the application has sent more data meanwhile."""
    session, silence = moves_into_silence(case, device, correspondent)
    device.application_sends(session, b"waiting for the reply")
    if silence.waits_for(silence.retries) is None and len(silence.sent) == 1:
        raise NotApplicable("no repeat came: that is MOPS-4.1-124")
    first = silence.first.octets.hex()
    for repeat in silence.sent[1:]:
        require(repeat.octets.hex() == first, "repeat", first, repeat.octets.hex(), silence.first.frame, repeat.frame)


@exclusive
@valid
@requirement("MOPS-4.1-128", case=1)
@waits(1.7)
def test_application_sees_an_error_in_the_end(case: Case, device: Device, correspondent: Correspondent) -> None:
    """When the last repeat has not been answered either, the application's socket fails."""
    session, silence = moves_into_silence(case, device, correspondent)
    device.gives_up(session, silence.end_ns)
    case.values["the application is told"] = device.error_of(session)


@exclusive
@valid
@requirement("MOPS-4.1-129", case=1)
@waits(2.3)
def test_dead_connection_stays_silent(case: Case, device: Device, correspondent: Correspondent) -> None:
    """A connection given up sends neither its unacknowledged data nor a Migrate any more."""
    session = device.connects(correspondent)
    device.application_sends(session, b"never acknowledged")
    silence = Silence(case, device, session, device.moves())
    is_told, known = silence.runs_out(device), len(silence.sent)
    case.wait_until(case.clock.now_ns() + round(1.5 * silence.interval_s * NANO))
    device.sends_nothing(session, silence.last_position())
    # A device that goes on asking and has told nobody gives nothing up: that is MOPS-4.1-126 and 128.
    require(not is_told or len(silence.sent) == known, "Migrates", known, len(silence.sent), silence.sent[-1].frame)


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(SUCCESS, id="success", marks=requirement("MOPS-4.1-130")),
        pytest.param(FAILED, id="failed", marks=requirement("MOPS-4.1-131")),
    ],
)
@exclusive
@valid
@waits(0.7)
@requirement(case=1)
def test_reply_ends_the_repeats(case: Case, device: Device, correspondent: Correspondent, code: int) -> None:
    """After the reply the Migrate is not sent again."""
    _, silence = moves_into_silence(case, device, correspondent)
    replied = correspondent.replies(silence.first, code)
    left_ns = silence.first.frame.ns + round(silence.interval_s * NANO) - replied.ns
    if left_ns < silence.interval_s / 2 * NANO:
        raise Inconclusive("the tester answered too late")
    silence.lasts(1.5)
    if len(silence.sent) > 1:
        finding = Finding("the Migrate was repeated", "one Migrate", f"{len(silence.sent)}")
        finding.frames = [replied.frame, silence.sent[-1].frame]
        raise Broken(finding, Deadline(replied.ns, (left_ns) / NANO))


@exclusive
@inopportune
@requirement("MOPS-4.1-147", case=1)
@waits(1.8)
def test_late_reply_does_not_revive(case: Case, device: Device, correspondent: Correspondent) -> None:
    """A success that comes after the connection was given up brings nothing back."""
    session, silence = moves_into_silence(case, device, correspondent)
    silence.kills(device)
    case.watch(0.05)
    mark = case.mark()
    correspondent.replies(silence.first, SUCCESS)
    device.sends_nothing(session, mark)
    require(bool(device.error_of(session)), "what the application sees", "an error", "an open socket")
