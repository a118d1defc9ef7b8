# SPDX-License-Identifier: GPL-2.0-or-later
"""One process's part of a run: brings link and device up, runs its cases ahead, takes everything down."""

import resource
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from profiles import NamespaceLink as NamespaceLinkTable
from profiles import Profile
from testbed.carriage import Carriage, carriages
from testbed.case import NANO, Bench, Case, CaseSpec
from testbed.clock import Clock
from testbed.dut import DUT, Wiring
from testbed.interface_link import InterfaceLink
from testbed.lag import LagProbe
from testbed.namespace_link import LinkError, NamespaceLink
from testbed.overlap import Overlap
from testbed.run import Outcome, run_case
from testbed.sanity import check_alive
from testbed.station import AddressPool
from testbed.verdict import DeviceLost, Finding, Verdict

IPFF_ETHERTYPE = 0x88B5


@dataclass(frozen=True)
class Share:
    """Which part of the tester's addresses this process may use: number `index` of `count` processes."""

    index: int = 0
    count: int = 1


class TestSession:
    """The cases of one process. Every process has its own link and, where the link can make one, its own device."""

    __test__ = False

    def __init__(self, profile: Profile, share: Share) -> None:
        self._profile = profile
        self._share = share
        self._clock = Clock()
        self._overlap = Overlap(self._clock)
        self._link: NamespaceLink | InterfaceLink | None = None
        self._bench: Bench | None = None
        self.lost: BaseException | None = None
        self.waits_ns = 0
        self.longest_chain_ns = 0

    def start(self, cases: Iterable[tuple[CaseSpec, Callable[[Case], None]]]) -> None:
        """Bring the device up if it is not, then start the cases in this order."""
        if self._bench is None and self.lost is None:
            try:
                self._bench = self._bring_up()
            except (LinkError, DeviceLost) as error:
                self.lost = error
        self._overlap.start([(spec.id, self._runner(spec, body)) for spec, body in cases])

    def knows(self, identifier: str) -> bool:
        """Whether the case has been started."""
        return self._overlap.knows(identifier)

    def outcome(self, identifier: str) -> Outcome:
        """The outcome of a case that was started; waits for it."""
        outcome = self._overlap.outcome(identifier)
        if isinstance(outcome.error, DeviceLost):
            self.lost = self.lost or outcome.error
        if outcome.case:
            self.waits_ns += outcome.case.waits_ns
            self.longest_chain_ns = max(self.longest_chain_ns, outcome.case.waits_ns)
        return outcome

    def close(self) -> None:
        """Check that the device still serves, then take everything down."""
        if self._bench and not self.lost:
            try:
                check_alive(self._bench)
            except DeviceLost as error:
                self.lost = error
        self._overlap.stop()
        if self._link:
            self._link.close()

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
        dut: DUT | None = self._bench.dut if self._bench else None
        return (dut.name, dut.version) if dut else ("", "")

    def _runner(self, spec: CaseSpec, body: Callable[[Case], None]) -> Callable[[], Outcome]:
        def run() -> Outcome:
            if self._bench is None or self.lost:
                if spec.not_applicable:
                    return Outcome(spec, Verdict.NOT_APPLICABLE, Finding(spec.not_applicable))
                return Outcome(spec, Verdict.NOT_RUN, Finding(str(self.lost)), error=self.lost)
            return run_case(spec, self._bench, body)

        return run

    def _bring_up(self) -> Bench:
        ixit = self._profile.ixit
        found = carriages(self._profile)
        wiring = Wiring(self._clock, ixit.ipff.ethertype if ixit.ipff else IPFF_ETHERTYPE)
        lag = LagProbe()
        if isinstance(self._profile.link, NamespaceLinkTable):
            self._link = NamespaceLink(self._profile, wiring, lag)
        else:
            self._link = InterfaceLink(self._profile, self._profile.link, wiring)
        dut = self._link.start("server")
        pools = {name: self._pool(carriage) for name, carriage in found.items()}
        bench = Bench(self._profile, dut, self._clock, lag, found, pools)
        check_alive(bench)
        return bench

    def _pool(self, carriage: Carriage) -> AddressPool:
        # Processes share a real wire; virtual wires are each process's own.
        shared = isinstance(self._link, InterfaceLink)
        return AddressPool(carriage, self._share.index, self._share.count) if shared else AddressPool(carriage)
