# SPDX-License-Identifier: GPL-2.0-or-later
"""One attempt at one case: its addresses, its part of the capture, its waits and its verdict."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from scapy.packet import Packet

from profiles import Profile, Role
from testbed.case.verdict import Broken, Finding, Verdict
from testbed.device.dut import DUT
from testbed.device.lag import LagProbe
from testbed.interruptions import Inconclusive
from testbed.wire.capture import BEGINNING, Frame, Mark, Trace
from testbed.wire.clock import NANO, Clock, Deadline
from testbed.wire.interface import Interface
from testbed.wire.network import Network
from testbed.wire.station import AddressPool, Station

Behaviour = Literal["valid", "invalid", "inopportune"]


@dataclass(frozen=True)
class Requirement:
    """What a case judges, as far as the testbed has to know: id, strength (M, S, I) and the sentence it comes from."""

    id: str
    strength: str
    section: str
    quote: str


@dataclass(frozen=True)
class CaseSpec:
    """A case before it runs.

    `id` lives as long as the requirements do; `node` is what pytest calls the case today.
    `role` is what the device has to be for it; `not_applicable` is the line of the profile that rules it out, empty if
    none does. An `exclusive` case changes the whole device and gets one of its own.
    """

    id: str
    node: str
    purpose: str
    behaviour: Behaviour
    requirements: tuple[Requirement, ...]
    parameters: dict[str, str]
    rerun: str
    role: Role
    not_applicable: str = ""
    exclusive: bool = False

    def verdict_when_broken(self) -> Verdict:
        """What a finding against the DUT amounts to: the strongest requirement decides."""
        strengths = {requirement.strength for requirement in self.requirements}
        if "M" in strengths or not strengths:
            return Verdict.FAIL
        return Verdict.DEVIATION if "S" in strengths else Verdict.INFO


@dataclass
class Setup:
    """What the cases at one running DUT share: the profile, the DUT, the tester's side of the wire."""

    profile: Profile
    dut: DUT
    clock: Clock
    lag: LagProbe
    networks: dict[str, Network]
    pools: dict[str, AddressPool]
    source_ports: "itertools.cycle[int]" = field(default_factory=lambda: itertools.cycle(range(20_000, 60_000)))
    """Source ports for crafted connections: a port comes again only after all others."""
    confirm_alive: Callable[[], None] = lambda: None
    """Raises DeviceLost where the device has stopped to answer at all."""


class Case:
    """One attempt: what a fixture of a protocol builds its stations from."""

    def __init__(self, spec: CaseSpec, setup: Setup, network: Network) -> None:
        self.spec = spec
        self.setup = setup
        self.network = network
        self.clock = setup.clock
        self.trace = Trace(setup.clock)
        self.values: dict[str, str] = {}
        self.waits_ns = 0
        self.solicited = {network.icmp_protocol}
        """Protocol numbers of which the DUT sends a packet only for a reason: at the end each must be explained."""
        self.started_ns = self.clock.now_ns()
        self._stations: list[Station] = []
        self._losses = self.interface.count_losses()
        self._clock_offset_ns = self.clock.offset_ns()

    @property
    def interface(self) -> Interface:
        """The tester's interface (of a device with one link)."""
        return self.setup.dut.interfaces[0]

    @property
    def dut_mac(self) -> str:
        """The Ethernet address of the device's wire."""
        return self.setup.dut.macs[0]

    def station(self, address: str = "", network: Network | None = None) -> Station:
        """A station at an address that no other case uses, or at this one as soon as no other case uses it.

        It is on the case's network unless another one is named.
        """
        network = network or self.network
        pool = self.setup.pools[network.name]
        with self.clock.waiting():
            if address:
                pool.lease_this(address)
            else:
                address = pool.lease()
        station = Station(network, self.interface, self.dut_mac, address, self.trace)
        self._stations.append(station)
        return station

    def wait_until(self, ns: int) -> None:
        """Let mandated time pass until the wall clock shows `ns`; it counts in the run's figures.

        A device that is lost meanwhile ends it, as it ends every wait.
        """
        before = self.clock.now_ns()
        self.trace.wait(lambda: None, ns, self.clock.now_ns)
        self.waits_ns += max(0, self.clock.now_ns() - before)

    def mark(self) -> Mark:
        """Now, as a moment of the trace."""
        return self.trace.mark()

    def deadline(self, within_s: float | None = None, since_ns: int | None = None) -> Deadline:
        """A deadline from `since_ns` on, or from now: the profile's for ordinary TCP unless another one is named."""
        within = self.setup.profile.ixit.tcp_within_s if within_s is None else within_s
        return Deadline(self.clock.now_ns() if since_ns is None else since_ns, within)

    def look(self, find: Callable[[], Frame | None], deadline: Deadline) -> Frame | None:
        """The frame that `find` finds with a stamp up to the deadline; None proves that there was none."""
        return self.trace.wait(find, deadline.end_ns, lambda: self.interface.drained_ns)

    def watch(self, seconds: float) -> None:
        """Let `seconds` pass with the port read to the end: what was to come has come."""
        self.look(lambda: None, self.deadline(seconds))
        self.waits_ns += round(seconds * NANO)

    def messages(
        self, protocol: int, since: Mark = BEGINNING, network: Network | None = None
    ) -> list[tuple[Frame, Packet]]:
        """Frame and network packet of everything with this protocol number that the DUT sent since a mark.

        It is looked for on the case's network unless another one is named.
        """
        network = network or self.network
        packets = ((frame, network.dissect(frame.data)) for frame in self.trace.received(since))
        return [(frame, packet) for frame, packet in packets if network.protocol(packet) == protocol]

    def settle(self) -> None:
        """At the end: every message that has to be solicited is explained, and the tester has not lost frames.

        Where the device sends such messages by itself (their number is not in `solicited`) cases of their own judge
        them.
        """
        unexplained = [frame for number in self.solicited for frame, _ in self.messages(number) if not frame.accounted]
        if unexplained:
            numbers = ", ".join(f"#{frame.index}" for frame in unexplained)
            for frame in unexplained:
                frame.note, frame.deciding = "unexplained", True
            raise Broken(Finding(f"unsolicited messages from the DUT: {numbers}", "no further message", numbers))
        self.check_tester()

    def check_tester(self) -> None:
        """Raise Inconclusive or ClockStepped if the tester disturbed the case."""
        if lost := self.interface.count_losses() - self._losses:
            raise Inconclusive(f"the tester lost {lost} frames of its capture, or got them too late")
        self.clock.check_step(self._clock_offset_ns)

    @property
    def addresses(self) -> frozenset[str]:
        """The addresses of the case's stations: what to look for in the device's log."""
        return frozenset(station.address for station in self._stations)

    def leave(self) -> None:
        """Give the addresses back."""
        for station in self._stations:
            station.leave()
            self.setup.pools[station.network.name].give_back(station.address)
