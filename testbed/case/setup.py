# SPDX-License-Identifier: GPL-2.0-or-later
"""What the cases at one running device share."""

import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from profiles import Profile, Role
from testbed.case.answers import AnswerTimes
from testbed.device.dut import DUT
from testbed.device.lag import LagProbe
from testbed.wire.clock import Clock, Deadline
from testbed.wire.interface import Interface
from testbed.wire.network import Network
from testbed.wire.pace import Rate
from testbed.wire.station import AddressPool

T = TypeVar("T")

_FIRST_PORT, _LAST_PORT = 20_000, 59_999


@dataclass
class LinkSetup:
    """The tester's side of one link: interface, the Ethernet address that it sends to, networks and free addresses."""

    name: str
    interface: Interface
    dut_mac: str
    networks: dict[str, Network]
    pools: dict[str, AddressPool]


@dataclass
class Setup:
    """What the cases at one running DUT share: the profile, the DUT, the tester's side of each link."""

    profile: Profile
    role: Role
    dut: DUT
    clock: Clock
    lag: LagProbe
    links: dict[str, LinkSetup]
    rate: Rate
    """How often the device may be sent what floods it."""
    source_ports: "itertools.cycle[int]"
    """Source ports for crafted connections: a port comes again only after all others."""
    known: dict[str, int] = field(default_factory=dict)
    """What cases have made at the device, or found out about it, for those that come after them."""
    answers: AnswerTimes = field(default_factory=AnswerTimes)
    """How slow the devices of this process have answered."""
    confirm_alive: Callable[[], None] = lambda: None
    """Raises DeviceLost where the device has stopped to answer at all."""

    def move(self, network: str, address: str) -> None:
        """Tell the device to move on the only link."""
        self.dut.upper_tester().call("move", address=address)
        self.moved(network, address)

    def moved(self, network: str, address: str) -> None:
        """The device is at another address on the only link: whoever asks whether it is alive asks there."""
        self.networks[network] = replace(self.networks[network], dut=address)

    def starved(self, deadline: Deadline) -> bool:
        """Whether so much of the time until a deadline that has passed was withheld that it says nothing."""
        return self.lag.starved(deadline.start_ns, deadline.budget_ns, self.dut.run_queue)

    def withheld_ns(self, start_ns: int, end_ns: int, shortest_ns: int = 0) -> int:
        """How much of the time between two stamps was withheld from the device, as far as is known."""
        waited = self.dut.run_queue.withheld_ns(start_ns, end_ns)
        return max(self.lag.lag_ns(start_ns, end_ns, shortest_ns), waited)

    @property
    def networks(self) -> dict[str, Network]:
        """The networks on the only link."""
        return only(self.links).networks

    @property
    def pools(self) -> dict[str, AddressPool]:
        """The free addresses on the only link."""
        return only(self.links).pools


def source_ports(seed: str) -> "itertools.cycle[int]":
    """Every source port of the tester, round and round; the seed says where it begins, so that runs do not meet."""
    first = random.Random(f"{seed} source ports").randint(_FIRST_PORT, _LAST_PORT)
    return itertools.cycle(itertools.chain(range(first, _LAST_PORT + 1), range(_FIRST_PORT, first)))


def only(links: dict[str, T]) -> T:
    """What belongs to the only link. LookupError where there are more: the case has to say which it means."""
    if len(links) > 1:
        raise LookupError(f"the device has several links ({', '.join(links)}): inside or outside?")
    return next(iter(links.values()))
