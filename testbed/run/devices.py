# SPDX-License-Identifier: GPL-2.0-or-later
"""The devices of one process: one for each role that its cases need, and one for each exclusive case while it runs."""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from profiles import NamespaceLink as NamespaceLinkTable
from profiles import Profile, Role
from testbed.case.case import CaseSpec, Setup
from testbed.device.dut import Wiring
from testbed.device.dut_config import network_names
from testbed.device.interface_link import InterfaceLink
from testbed.device.lag import LagProbe
from testbed.device.namespace_link import NamespaceLink
from testbed.device.supervisor import LinkError
from testbed.interruptions import DeviceLost
from testbed.run.overlap import MOST_AT_ONCE
from testbed.run.sanity import Doubt, check_alive
from testbed.wire.clock import Clock
from testbed.wire.network import Network, networks
from testbed.wire.station import ADDRESSES_PER_CASE, AddressPool

IPFF_ETHERTYPE = 0x88B5
EXCLUSIVE_AT_ONCE = 32
"""Devices of exclusive cases that run at once on one machine, all processes together: they mostly wait."""

STARTING_AT_ONCE = 4
"""Of these, the ones that start: starting keeps a processor busy, and a case that runs wants one too."""


class Devices:
    """Starts devices, lends them to cases, stops them. The clock and the lag probe are shared by all.

    `processes` is the number of test processes: they share the machine, and on a real wire the tester's addresses.
    """

    def __init__(self, profile: Profile, processes: int, clock: Clock) -> None:
        self._profile = profile
        self._processes = processes
        self._clock = clock
        self._lag = LagProbe()
        self._link: NamespaceLink | InterfaceLink | None = None
        self._shared: dict[Role, Setup] = {}
        self._room = threading.BoundedSemaphore(max(1, EXCLUSIVE_AT_ONCE // processes))
        self._start_room = threading.BoundedSemaphore(max(1, STARTING_AT_ONCE // processes))
        self.said = ("", "")

    def bring_up(self, specs: Iterable[CaseSpec]) -> None:
        """Bring up the link, and one device for each role of the cases that is not up yet."""
        for spec in specs:
            if self._link is None:
                self._link = self._make_link()
            if not spec.exclusive and spec.role not in self._shared and not self.rules_out(spec):
                self._shared[spec.role] = self._start(spec.role)

    def rules_out(self, spec: CaseSpec) -> str:
        """The line of the profile by which the link has no device for this case, or nothing."""
        if not isinstance(self._link, InterfaceLink):
            return ""
        path, kind = self._profile.path, 'link.kind is "interface"'
        if spec.exclusive:
            return f"{path}: {kind}: there is no second device for a case that moves the whole device"
        if self._profile.dut.command and self._shared and spec.role not in self._shared:
            return (
                f'{path}: {kind}: dut.command runs in one role at a time, here "{next(iter(self._shared)).qualified}"'
            )
        return ""

    @contextmanager
    def lend(self, spec: CaseSpec) -> Iterator[Setup]:
        """The device for one attempt at a case; called by a thread that holds the baton, which is laid down meanwhile.

        An exclusive case gets a fresh one that is stopped afterwards. Raises DeviceLost if it does not start.
        """
        if not spec.exclusive:
            yield self._shared[spec.role]
            return
        assert isinstance(self._link, NamespaceLink)
        with self._clock.waiting():
            self._room.acquire()
        try:
            try:
                with self._clock.waiting(), self._start_room:
                    setup = self._start(spec.role)
            except LinkError as error:
                raise DeviceLost(str(error)) from None
            try:
                yield setup
            finally:
                with self._clock.waiting():
                    self._link.stop(setup.dut)
        finally:
            self._room.release()

    def cases_at_once(self) -> int:
        """How many cases the tester's addresses are enough for. LinkError if it is not a single one."""
        pools = [pool for setup in self._shared.values() for pool in setup.pools.values()]
        room = min((pool.size // ADDRESSES_PER_CASE for pool in pools), default=MOST_AT_ONCE)
        if not room:
            wanted = ADDRESSES_PER_CASE * self._processes
            raise LinkError(
                f"{self._profile.path}: ixit: the range tester_first to tester_last must hold at least {wanted} "
                f"addresses for {self._processes} test processes"
            )
        return room

    def interrupt(self, why: Exception) -> None:
        """Let the cases that wait for a shared device end with `why`."""
        for setup in self._shared.values():
            for port in setup.dut.interfaces:
                port.fail(why)

    def check(self) -> None:
        """Look whether the devices that cases share still serve; DeviceLost if one does not."""
        for setup in self._shared.values():
            check_alive(setup)

    def close(self) -> None:
        """Take everything down."""
        if self._link:
            self._link.close()

    def _make_link(self) -> NamespaceLink | InterfaceLink:
        ipff = self._profile.ixit.ipff
        wiring = Wiring(self._clock, ipff.ethertype if ipff else IPFF_ETHERTYPE)
        if isinstance(self._profile.link, NamespaceLinkTable):
            return NamespaceLink(self._profile, wiring, self._lag)
        return InterfaceLink(self._profile, self._profile.link, wiring, self._lag, self._processes)

    def _start(self, role: Role) -> Setup:
        """A device in `role`, which answered ordinary TCP. A device on a real wire is one for all roles."""
        assert self._link
        if isinstance(self._link, InterfaceLink) and self._shared:
            return next(iter(self._shared.values()))
        dut = self._link.start(role)
        self.said = dut.name, dut.version
        known = networks(self._profile)
        if isinstance(self._link, NamespaceLink) or self._profile.dut.command:
            known = {name: known[name] for name in network_names(self._profile, role)}
        pools = {name: self._pool(network) for name, network in known.items()}
        setup = Setup(self._profile, dut, self._clock, self._lag, known, pools)
        setup.confirm_alive = Doubt(setup).settle
        check_alive(setup)
        return setup

    def _pool(self, network: Network) -> AddressPool:
        # Processes share a real wire; virtual wires are each process's own.
        if isinstance(self._link, InterfaceLink):
            return AddressPool(network, self._clock, self._link.share, self._link.shares)
        return AddressPool(network, self._clock)
