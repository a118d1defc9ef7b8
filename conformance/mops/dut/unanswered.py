# SPDX-License-Identifier: GPL-2.0-or-later
"""A Migrate of the device that its server does not answer: its retransmissions and their end (section 4.1)."""

import contextlib

from conformance.mops.dut.mobile_node import MobileNode
from conformance.mops.migrate import ReceivedMigrate
from conformance.mops.tester.server import Connection, UdpFlow
from testbed.case.case import Case
from testbed.case.expect import preamble
from testbed.case.verdict import Broken, Finding
from testbed.interruptions import NotApplicable
from testbed.peers.host import Move
from testbed.wire.capture import Frame, Mark
from testbed.wire.clock import NANO, Deadline

MOST_RETRANSMISSIONS = 3
_WORK_S = 0.2
"""What a device may need for its own work beside an interval."""


class UnansweredMigrate:
    """The device has moved, and its server does not reply: the Migrate and its retransmissions.

    The pace of retransmissions is judged by one case: all others count from the last one that came.
    """

    def __init__(self, case: Case, dut: MobileNode, connection: Connection | UdpFlow, move: Move | None = None) -> None:
        mops = case.setup.profile.ixit.mops
        if not mops.retries:
            raise NotApplicable(f"{case.setup.profile.path}: ixit.mops.retries is 0")
        self._case, self._dut, self._connection = case, dut, connection
        self.interval_s, self.retries = mops.retry_interval_s, mops.retries
        self._move = move or dut.move()
        self.first = dut.request(self._move, connection)

    @property
    def migrates(self) -> list[ReceivedMigrate]:
        """Every Migrate for the connection so far, the first one included."""
        sent = self._connection.server.requests(self._move.mark)
        return [one for one in sent if one.find_entry(self._connection)]

    def deadline(self, intervals: float) -> Deadline:
        """So many intervals after the first Migrate, and a little for the device to do its work."""
        return Deadline(self.first.frame.ns, intervals * self.interval_s + _WORK_S)

    def await_retransmission(self, number: int) -> ReceivedMigrate | None:
        """The retransmission of this number, if each up to it comes within twice the time after the one before it."""
        for one in range(1, number + 1):
            if self._case.look(lambda: self._frame(one), self.next_deadline(one)) is None:  # noqa: B023
                return None
        return self.migrates[number]

    def next_deadline(self, number: int) -> Deadline:
        """When the retransmission of this number is late: twice the gap before it, or twice the interval."""
        sent = self.migrates[:number]
        return Deadline(sent[-1].frame.ns, 2 * self._gap_s(sent) + _WORK_S)

    def _frame(self, number: int) -> Frame | None:
        sent = self.migrates
        return sent[number].frame if len(sent) > number else None

    def _gap_s(self, sent: list[ReceivedMigrate]) -> float:
        """The last gap; the interval where there is none or it is shorter."""
        stamps = [one.frame.ns for one in sent[-2:]]
        return max(self.interval_s, (stamps[-1] - stamps[0]) / NANO)

    def goes_on(self) -> None:
        """The device still waits for an answer: a further retransmission comes."""
        known = len(self.migrates)
        if self.await_retransmission(known) is None:
            finding = Finding("the Migrate is not retransmitted any more", "a retransmission", "none")
            raise Broken(finding, self.next_deadline(known))

    def stay_silent(self) -> None:
        """Stay silent until no further retransmission can come: twice the last gap after the last one."""
        while (end := self.next_deadline(len(self.migrates))).end_ns > self._case.clock.now_ns():
            self._case.wait_until(end.end_ns)
            self._case.watch(0.01)
            if len(self.migrates) > MOST_RETRANSMISSIONS + 1:
                return

    def shortly_before_the_end(self) -> Mark:
        """Shortly before a device that keeps its interval gives up."""
        sent = self.migrates
        return Mark(ns=sent[-1].frame.ns + round(0.9 * self._gap_s(sent) * NANO))

    def gives_up(self) -> None:
        """The application's socket fails, at the latest twice the last gap after the last retransmission."""
        while True:
            known = len(self.migrates)
            late = self.next_deadline(known)
            try:
                told = Deadline(late.start_ns, late.within_s + 1)  # the application may be asked a moment later
                self._dut.application_sees_error(self._connection.socket, told)
                return
            except Broken:
                if len(self.migrates) == known:
                    raise
                if known > MOST_RETRANSMISSIONS + 1:
                    seen = f"{known} Migrates"
                    finding = Finding("the device does not give up", "an error of the socket", seen)
                    raise Broken(finding, self.migrates[-1].frame) from None

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
