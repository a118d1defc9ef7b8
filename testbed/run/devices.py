# SPDX-License-Identifier: GPL-2.0-or-later
"""The devices of one process: one for each role that its cases need, and one for each exclusive case while it runs."""

import threading
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager

from profiles import Profile, Role
from profiles.table import SIDES
from testbed.case.answers import AnswerTimes
from testbed.case.case import CaseSpec
from testbed.case.setup import LinkSetup, Setup, source_ports
from testbed.device.chain import Chain
from testbed.device.dut import Wire, Wiring
from testbed.device.interface_link import InterfaceLink
from testbed.device.lag import LagProbe
from testbed.device.links import Link
from testbed.device.namespace_link import NamespaceLink
from testbed.device.supervisor import LinkError
from testbed.interruptions import DeviceLost, Inconclusive
from testbed.peers.leftovers import Leftovers
from testbed.run.overlap import MOST_AT_ONCE
from testbed.run.probing import AT_ONCE, check_free
from testbed.run.restoring import FirstState
from testbed.run.sanity import Doubt, check_alive, check_moves
from testbed.run.turns import Turns
from testbed.wire.clock import Clock
from testbed.wire.ipff import ipff_ends
from testbed.wire.network import Network, networks
from testbed.wire.pace import Pace, Rate
from testbed.wire.station import ADDRESSES_PER_CASE, AddressPool

EXCLUSIVE_AT_ONCE = 32
"""Devices of exclusive cases that run at once on one machine, all processes together: they mostly wait."""

STARTING_AT_ONCE = 4
"""Of these, the ones that start: starting keeps a processor busy, and a case that runs wants one too."""

NEIGHBOURS_PER_CASE = 2
"""Stations of a case that the device has to find at the same time: its own, and one that asks whether it lives."""


class Devices:
    """Starts devices, lends them to cases, stops them. The clock and the lag probe are shared by all.

    `processes` is the number of test processes: they share the machine. `seed` decides which ports come first.
    """

    def __init__(self, profile: Profile, processes: int, clock: Clock, seed: str = "") -> None:
        self._profile = profile
        self._clock = clock
        self._seed = seed
        self._lag = LagProbe()
        self.pace = Pace(clock, processes)
        self._answers = AnswerTimes()
        self._turns = Turns(clock)
        self._links: dict[str, Link] = {}
        self._shared: dict[Hashable, Setup] = {}
        self._first_states: dict[Hashable, FirstState] = {}
        self._room = threading.BoundedSemaphore(max(1, EXCLUSIVE_AT_ONCE // processes))
        self._start_room = threading.BoundedSemaphore(max(1, STARTING_AT_ONCE // processes))
        self.said = ("", "")

    def bring_up(self, specs: Iterable[CaseSpec]) -> None:
        """Bring up the links, and one device for each role of the cases that is not up yet."""
        for spec in specs:
            link = self._bring_up_link(self._kind(spec.role))
            at_shared = link.has_one_device or not spec.exclusive
            if at_shared and link.instance(spec.role) not in self._shared and not self.rules_out(spec):
                shared, instance = self._start(spec.role), link.instance(spec.role)
                if link.has_one_device:
                    self._first_states[instance] = self._first_state(shared)
                self._shared[instance] = shared

    def _first_state(self, setup: Setup) -> FirstState:
        try:
            return FirstState(setup)
        except Inconclusive as trouble:
            raise LinkError(f"{self._profile.path}: the device does not list its sockets: {trouble}") from None

    def check_moves(self, specs: Iterable[CaseSpec]) -> None:
        """Move a device of each role that cases move, once; LinkError with what it says where that fails."""
        for spec in {spec.role: spec for spec in specs if spec.moves and not self.rules_out(spec)}.values():
            with self._clock.announced(), self.lend(spec) as setup:
                check_moves(setup)

    def rules_out(self, spec: CaseSpec) -> str:
        """The line of the profile by which the link has no device for this case, or nothing."""
        kind = self._kind(spec.role)
        link = self._links.get(kind)
        running = [setup.role for setup in self._shared.values() if self._kind(setup.role) == kind]
        return link.rules_out(spec.role, running, chained=spec.chain is not None) if link else ""

    @contextmanager
    def lend(self, spec: CaseSpec) -> Iterator[Setup]:
        """The device for one attempt at a case; called by a thread with the execution token, which is released.

        An exclusive case gets a fresh one that is stopped afterwards, or the only one to itself, which is brought back
        afterwards. Raises DeviceLost if it does not start.
        """
        link = self._link(spec.role)
        instance = link.instance(spec.role)
        shared = self._shared.get(instance)
        if shared and link.has_one_device:
            with self._at_the_one(instance, alone=spec.exclusive):
                yield shared
        elif shared and not spec.exclusive:
            yield shared
        else:
            with self._fresh(link, spec) as setup:
                yield setup

    @contextmanager
    def _at_the_one(self, instance: Hashable, *, alone: bool) -> Iterator[None]:
        with self._turns.alone() if alone else self._turns.side_by_side():
            with self._clock.waiting():
                self._shared[instance].dut.await_wires()
            yield
            if alone:
                self._first_states[instance].restore()

    @contextmanager
    def _fresh(self, link: Link, spec: CaseSpec) -> Iterator[Setup]:
        with self._clock.waiting():
            self._room.acquire()
        try:
            try:
                with self._clock.waiting(), self._start_room:
                    setup = self._start(spec.role, spec.chain)
            except LinkError as error:
                raise DeviceLost(str(error)) from None
            try:
                yield setup
            finally:
                with self._clock.waiting():
                    link.stop(setup.dut)
        finally:
            self._room.release()

    def cases_at_once(self) -> int:
        """How many cases the tester's addresses are enough for. LinkError if it is not a single one."""
        links = [link for setup in self._shared.values() for link in setup.links.values()]
        pools = [pool for link in links for pool in link.pools.values()]
        room = min((pool.size // ADDRESSES_PER_CASE for pool in pools), default=MOST_AT_ONCE)
        if not room:
            raise LinkError(
                f"{self._profile.path}: ixit: the range tester_first to tester_last must hold at least "
                f"{ADDRESSES_PER_CASE} addresses"
            )
        return min(room, self._neighbours_at_once(), *self._parallel())

    def _neighbours_at_once(self) -> int:
        """How many cases the device's ARP table is large enough for: a neighbour that is pushed out is not answered."""
        sizes = [table.neighbours for table in self._profile.ixit.ipv4.all if table.neighbours]
        return max(1, min(sizes) // NEIGHBOURS_PER_CASE) if sizes else MOST_AT_ONCE

    def _parallel(self) -> list[int]:
        """How many cases the profile allows at the device of each real wire."""
        return [table.max_parallel for table in self._profile.link.interfaces.values()]

    def interrupt(self, why: Exception) -> None:
        """Let the cases that wait for a shared device end with `why`."""
        for setup in self._shared.values():
            for link in setup.links.values():
                link.interface.fail(why)

    def check(self) -> None:
        """Look whether the devices that cases share still serve; DeviceLost if one does not."""
        for setup in self._shared.values():
            check_alive(setup)

    def close(self) -> None:
        """Take everything down."""
        for link in self._links.values():
            link.close()

    def _link(self, role: Role) -> Link:
        """The link that a device in this role is on."""
        return self._links[self._kind(role)]

    def _kind(self, role: Role) -> str:
        table = self._profile.link.of(role.links[0])
        return table.kind if table else ""

    def _bring_up_link(self, kind: str) -> Link:
        """The link of this kind. To be called in the main thread, which the supervisor's process ends with."""
        if kind not in self._links:
            self._links[kind] = self._make_link(kind)
        return self._links[kind]

    def _make_link(self, kind: str) -> Link:
        tables = self._profile.ixit.ipff.all
        wiring = Wiring(self._clock, ipff_ends(tables[0] if tables else None))
        makers: dict[str, Callable[[], Link]] = {
            "namespace": lambda: NamespaceLink(self._profile, wiring, self._lag),
            "interface": lambda: InterfaceLink(self._profile, wiring, self._lag),
        }
        return makers[kind]()

    def begin(self, role: Role) -> Setup:
        """A device in a role that nobody has looked at yet: for a check of its contract, which ends it (`end`)."""
        self._bring_up_link(self._kind(role))
        return self._make(role)

    def end(self, setup: Setup) -> None:
        """Stop a device that was begun."""
        self._link(setup.role).stop(setup.dut)

    def _start(self, role: Role, chain: Chain | None = None) -> Setup:
        """A device in `role`, which does what any such device does."""
        setup = self._make(role, chain)
        check_alive(setup)
        return setup

    def _make(self, role: Role, chain: Chain | None = None) -> Setup:
        dut = self._link(role).start(role, chain)
        self.said = dut.name, dut.version
        reserved = chain.reserved if chain else frozenset()
        links = {
            name: self._link_setup(role, dut.wires[name], name, known, reserved)
            for name, known in self._known(role, chain).items()
        }
        path_mtu = min(self._mtu(link) for link in links.values())
        for link in links.values():
            link.interface.path_mtu = path_mtu
        if self._profile.is_bridge(role):
            for link, other in zip(links.values(), reversed(links.values()), strict=True):
                link.dut_mac = other.interface.mac
        if self._link(role).has_one_device:
            for link in links.values():
                check_free(self._profile, link, self._clock)
                Leftovers(link.interface)
        rate, ports = Rate(self._clock), source_ports(self._seed)
        setup = Setup(self._profile, role, dut, self._clock, self._lag, links, rate, ports, answers=self._answers)
        setup.confirm_alive = Doubt(setup).settle
        return setup

    def _mtu(self, link: LinkSetup) -> int:
        """The most bytes of a packet on a link: what the tester's interface carries, or less where the device does."""
        table = self._profile.link.of(link.name) if link.name in ("link", *SIDES) else None
        stated = table.mtu if table else None
        return link.interface.mtu if stated is None else min(stated, link.interface.mtu)

    def _known(self, role: Role, chain: Chain | None) -> dict[str, dict[str, Network]]:
        """The networks on each wire of the tester, by the link's name."""
        names = self._link(role).networks(role)
        if chain is None:
            return {link: networks(self._profile, names, link) for link in role.links}
        return {
            chain.link(wire): networks(self._profile, names, side)
            if (side := chain.side(wire))
            else dict(chain.networks[wire])
            for wire in chain.wires
        }

    def _link_setup(
        self, role: Role, wire: Wire, name: str, known: dict[str, Network], reserved: frozenset[str]
    ) -> LinkSetup:
        # Whoever is in a namespace has the neighbours of all namespaces of the machine's kernel in its table.
        pace = self.pace if isinstance(self._link(role), NamespaceLink) else None
        most = AT_ONCE if self._link(role).has_one_device else None
        pools = {
            network.name: AddressPool(network, self._clock, reserved, pace, most if network.has_arp else None)
            for network in known.values()
        }
        return LinkSetup(name, wire.interface, wire.mac, known, pools)
