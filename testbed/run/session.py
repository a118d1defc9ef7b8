# SPDX-License-Identifier: GPL-2.0-or-later
"""One process's part of a run: brings link and device up, runs its cases ahead, takes everything down."""

import resource
from collections.abc import Callable, Iterable
from typing import Any

from profiles import Profile
from testbed.case.case import Case, CaseSpec
from testbed.case.verdict import Finding, Verdict
from testbed.device.supervisor import LinkError
from testbed.interruptions import DeviceLost, MachineError, check_open_files, machine_error
from testbed.run.attempts import Outcome, run_case, without_verdict
from testbed.run.devices import Devices
from testbed.run.overlap import MOST_AT_ONCE, Body, Overlap
from testbed.run.room import Room
from testbed.wire.clock import NANO, Clock, RunOver


class TestSession:
    """The cases of one process. Every process has its own link and, where the link can make them, its own devices."""

    __test__ = False

    def __init__(self, profile: Profile, processes: int, seed: int) -> None:
        self._seed = str(seed)
        self.clock = Clock()
        self._overlap = Overlap(self.clock)
        self._devices = Devices(profile, processes, self.clock, self._seed)
        self.lost: BaseException | None = None
        self.room = Room()
        self.waits_ns = 0
        self.longest_chain_ns = 0

    def start(self, cases: Iterable[tuple[CaseSpec, Callable[[Case], None]]]) -> None:
        """Bring up the devices that these cases need, then start the cases in this order."""
        mine = list(cases)
        at_once = MOST_AT_ONCE
        if self.lost is None:
            try:
                check_open_files(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
                applicable = [spec for spec, _ in mine if not spec.not_applicable]
                self._devices.bring_up(applicable)
                self._devices.check_moves(applicable)
                at_once = self._devices.cases_at_once()
            except Exception as error:
                self.lost = error if isinstance(error, LinkError | DeviceLost) else machine_error("set-up", error)
                if self.lost is None:
                    raise
        bodies = [Body(spec.id, self._runner(spec, body), spec.parameters["network"] == "ipv4") for spec, body in mine]
        self._overlap.start(bodies, at_once, self._devices.pace)

    def knows(self, identifier: str) -> bool:
        """Whether the case has been started."""
        return self._overlap.knows(identifier)

    def outcome(self, spec: CaseSpec) -> Outcome:
        """The outcome of a case that was started; waits for it, unless that is given up meanwhile."""
        try:
            outcome = self._overlap.outcome(spec.id)
        except Exception as error:
            outcome = without_verdict(spec, error)
        if isinstance(outcome.error, DeviceLost | MachineError):
            self.lost = self.lost or outcome.error
        if outcome.case:
            self.waits_ns += outcome.case.waits_ns
            self.longest_chain_ns = max(self.longest_chain_ns, outcome.case.waits_ns)
        return outcome

    def close(self, *, interrupted: bool = False) -> None:
        """Check that the devices still serve, unless the run was interrupted, then take everything down."""
        if not self.lost and not interrupted:
            try:
                self._devices.check()
            except DeviceLost as error:
                self.lost = error
        self._overlap.stop()
        self._devices.interrupt(RunOver("the run was stopped"))
        self._overlap.join()
        self._devices.close()

    def give_up(self, why: str) -> None:
        """Wait for no more outcomes: the run has an end already, elsewhere. May be called by a signal's handler."""
        self._overlap.given_up = why

    def gave_out(self) -> dict[str, Any]:
        """What ended this part of the run, `why` and whether it is a `limit` of the machine; empty if nothing did."""
        return {"why": str(self.lost), "limit": isinstance(self.lost, MachineError)} if self.lost else {}

    def figures(self) -> dict[str, float]:
        """Sum of mandated waits, longest chain of them and processor time of this process and its children."""
        spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return {
            "waits_sum_s": self.waits_ns / NANO,
            "longest_chain_s": self.longest_chain_ns / NANO,
            "cpu_s": sum(usage.ru_utime + usage.ru_stime for usage in spent),
        }

    def device(self) -> tuple[str, str]:
        """Name and version as the device itself tells them."""
        return self._devices.said

    def _runner(self, spec: CaseSpec, body: Callable[[Case], None]) -> Callable[[], Outcome]:
        def run() -> Outcome:
            if ruled_out := spec.not_applicable or self._devices.rules_out(spec):
                return Outcome(spec, Verdict.NOT_APPLICABLE, Finding(ruled_out))
            if self.lost:
                return Outcome(spec, Verdict.NOT_RUN, Finding(str(self.lost)), error=self.lost)
            return run_case(spec, self._devices.lend, body, self._seed)

        return run
