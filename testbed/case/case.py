# SPDX-License-Identifier: GPL-2.0-or-later
"""One attempt at one case: its addresses, its part of the capture, its waits and its verdict."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from scapy.packet import Packet

from profiles import Role
from testbed.case.answers import SLOWER
from testbed.case.setup import Setup, only
from testbed.case.side import Side
from testbed.case.verdict import Broken, Finding, Requirement, Verdict
from testbed.device.chain import Chain
from testbed.interruptions import Inconclusive
from testbed.wire.capture import BEGINNING, Frame, Mark, Sent, Trace
from testbed.wire.clock import NANO, Deadline
from testbed.wire.interface import Interface
from testbed.wire.machine import dropped_frames, overflows
from testbed.wire.network import Network
from testbed.wire.station import Station

Behaviour = Literal["valid", "invalid", "inopportune"]

LATER_S = 0.6
"""Longer than what a device may need for its second thoughts, or TCP for its first retransmission."""

_MOST_NAMED = 20


@dataclass(frozen=True)
class CaseSpec:
    """A case before it runs.

    `id` lives as long as the requirements do; `node` is what pytest calls the case today.
    `unsolicited` is the requirement that a message breaks which nothing asked for; without one those of the case.
    `role` is what the device has to be for it; `not_applicable` is the line of the profile that rules it out, empty if
    none does. An `exclusive` case changes the whole device and gets one of its own, `moves` where it is the device's
    address that it changes; where there is a `chain`, that device stands in it.
    """

    id: str
    node: str
    purpose: str
    behaviour: Behaviour
    requirements: tuple[Requirement, ...]
    parameters: dict[str, str]
    rerun: str
    role: Role
    unsolicited: Requirement | None = None
    not_applicable: str = ""
    exclusive: bool = False
    moves: bool = False
    chain: Chain | None = None

    def verdict_when_broken(self) -> Verdict:
        """What a finding against the DUT amounts to: the strongest requirement decides."""
        strengths = {requirement.strength for requirement in self.requirements}
        if "M" in strengths or not strengths:
            return Verdict.FAIL
        return Verdict.DEVIATION if "S" in strengths else Verdict.INFO


class Case:
    """One attempt: what a fixture of a protocol builds its stations from.

    `sides` are the links of the device by name. A device with one link has one side: it is meant where none is named.
    """

    def __init__(self, spec: CaseSpec, setup: Setup, network: str) -> None:
        self.spec = spec
        self.setup = setup
        self.clock = setup.clock
        self.trace = Trace(setup.clock)
        self.values: dict[str, str] = {}
        self.explains: Callable[[Packet], bool] = lambda _: True
        """Which messages of these numbers have to be explained; all unless a protocol says otherwise."""
        self.waits_ns = 0
        self.sides = {name: Side(link, network, self.trace, self.clock) for name, link in setup.links.items()}
        self.solicited = {side.network.icmp_protocol for side in self.sides.values()}
        """Protocol numbers of which the DUT sends a packet only for a reason: at the end each must be explained."""
        setup.dut.run_queue.sample()
        self.started_ns = self.clock.now_ns()
        self.ended_ns = 0
        self._clock_offset_ns = self.clock.offset_ns()
        self._overflows = overflows() if self._shares_neighbours else 0
        self._dropped_frames = dropped_frames()

    @property
    def inside(self) -> Side:
        """The inside of a device with two links."""
        return self.sides["inside"]

    @property
    def outside(self) -> Side:
        """The outside of a device with two links."""
        return self.sides["outside"]

    def between(self, wire: int) -> Side:
        """The tester's interface on a wire between the devices of a chain; 1 is the one after the first device."""
        return self.sides[f"between {wire}"]

    @property
    def network(self) -> Network:
        """The network of the case, on the only link."""
        return only(self.sides).network

    @property
    def interface(self) -> Interface:
        """The tester's interface on the only link."""
        return only(self.sides).interface

    @property
    def dut_mac(self) -> str:
        """The Ethernet address of the device's wire, on the only link."""
        return only(self.sides).dut_mac

    def station(self, address: str = "", network: Network | None = None) -> Station:
        """A station on the only link (see `Side.station`)."""
        return only(self.sides).station(address, network)

    def wait_until(self, ns: int) -> None:
        """Let mandated time pass until the wall clock shows `ns`; it counts in the run's figures.

        A device that is lost meanwhile ends it, as it ends every wait.
        """
        before = self.clock.now_ns()
        self.trace.wait(lambda: None, ns, self.clock.now_ns)
        self.waits_ns += max(0, self.clock.now_ns() - before)

    def send_paced(self, per_second: int, send: Callable[[], Sent]) -> Sent:
        """Send something of which the device gets at most so many in any second, from all cases together."""
        return self.setup.rate.send(per_second, send, self.wait_until)

    def mark(self) -> Mark:
        """Now, as a moment of the trace."""
        return self.trace.mark()

    def deadline(self, within_s: float | None = None, since_ns: int | None = None) -> Deadline:
        """A deadline from `since_ns` on, or from now: the profile's for ordinary TCP unless another one is named."""
        within = self.setup.profile.ixit.tcp_within_s if within_s is None else within_s
        self.setup.dut.run_queue.sample()
        return Deadline(self.clock.now_ns() if since_ns is None else since_ns, within)

    def answered(self, kind: str, start_ns: int, end_ns: int) -> None:
        """The device has given an answer of this kind between two stamps; what the machine withheld does not count.

        An answer so fast that no silence lasts longer for it tells nothing.
        """
        seconds = (end_ns - start_ns) / NANO
        if seconds * SLOWER > self.setup.profile.ixit.silence_s:
            self.setup.answers.note(kind, seconds, lambda: self.setup.withheld_ns(start_ns, end_ns) / NANO)

    def quiet_window(self, kind: str, at_most: float) -> float:
        """How long silence has to last where there could be an answer of this kind; it stands in the evidence."""
        window = self.setup.answers.window(kind, self.setup.profile.ixit.silence_s, at_most)
        self.values[f"quiet window ({kind})"] = f"{window:.3f} s"
        return window

    def look(self, find: Callable[[], Frame | None], deadline: Deadline) -> Frame | None:
        """The frame that `find` finds with a stamp up to the deadline; None proves that there was none on any link."""
        return self.trace.wait(find, deadline.end_ns, self.drained_ns)

    def drained_ns(self) -> int:
        """The stamp up to which the frames of every link have been read."""
        return min(side.interface.drained_ns for side in self.sides.values())

    def watch(self, seconds: float) -> None:
        """Let `seconds` pass with everything read to the end: what was to come has come."""
        self.look(lambda: None, self.deadline(seconds))
        self.waits_ns += round(seconds * NANO)

    def messages(
        self, protocol: int, since: Mark = BEGINNING, network: Network | None = None
    ) -> list[tuple[Frame, Packet]]:
        """Frame and network packet of everything with this protocol number that the DUT sent since a mark.

        It is looked for on the case's network unless another one is named.
        """
        found = []
        for frame in self.trace.received(since):
            spoken = network or self.sides[frame.interface].network
            if spoken.protocol(frame.data) == protocol:
                found.append((frame, spoken.dissect(frame.data)))
        return found

    def settle(self) -> None:
        """At the end: every message that has to be solicited is explained, and the tester has not lost frames.

        Where the device sends such messages by itself (their number is not in `solicited`) cases of their own judge
        them.
        """
        unexplained = [
            frame
            for number in self.solicited
            for frame, packet in self.messages(number)
            if not frame.accounted and self.explains(packet)
        ]
        if unexplained:
            more = f" and {len(unexplained) - _MOST_NAMED} more" if len(unexplained) > _MOST_NAMED else ""
            numbers = ", ".join(f"#{frame.index}" for frame in unexplained[:_MOST_NAMED]) + more
            for frame in unexplained:
                frame.note, frame.deciding = "unexplained", True
            finding = Finding(f"unsolicited messages from the DUT: {numbers}", "no further message", numbers)
            raise Broken(finding, *unexplained, breaks=self.spec.unsolicited)
        self.check_tester()

    def check_tester(self) -> None:
        """Raise Inconclusive or ClockStepped if the tester disturbed the case."""
        if any(side.was_down() for side in self.sides.values()):
            raise Inconclusive("the tester's interface was down meanwhile")
        if lost := sum(side.losses() for side in self.sides.values()):
            raise Inconclusive(f"the tester lost {lost} frames of its capture, or got them too late")
        if dropped := dropped_frames() - self._dropped_frames:
            raise Inconclusive(f"the machine has dropped {dropped} frames, on whatever wire, for its queues were full")
        if self._shares_neighbours and overflows() > self._overflows:
            raise Inconclusive("the machine's table of ARP neighbours was full, which the device shares")
        self.clock.check_step(self._clock_offset_ns)

    @property
    def _shares_neighbours(self) -> bool:
        """Whether the device stands between links in namespaces of this machine, and has to find neighbours by ARP."""
        is_here = len(self.sides) > 1 and not self.setup.profile.link.interfaces
        return is_here and any(side.network.has_arp for side in self.sides.values())

    @property
    def addresses(self) -> frozenset[str]:
        """The addresses of the case's stations: what to look for in the device's log."""
        return frozenset(station.address for side in self.sides.values() for station in side.stations)

    def leave(self) -> None:
        """Give the addresses back; the case has ended."""
        self.ended_ns = self.clock.now_ns()
        for side in self.sides.values():
            side.leave()
