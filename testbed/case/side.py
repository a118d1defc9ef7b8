# SPDX-License-Identifier: GPL-2.0-or-later
"""One link of the device as a case sees it: stations there, and what the device sends there."""

from collections.abc import Iterator

from testbed.case.setup import LinkSetup
from testbed.wire.capture import BEGINNING, Frame, Mark, Trace
from testbed.wire.clock import Clock
from testbed.wire.interface import Interface
from testbed.wire.network import Network
from testbed.wire.station import Station


class Side:
    """One link in one case."""

    def __init__(self, link: LinkSetup, network: str, trace: Trace, clock: Clock) -> None:
        self.name = link.name
        self.network = link.networks[network]
        self.stations: list[Station] = []
        self._link = link
        self._trace = trace
        self._clock = clock
        self._observed: list[tuple[Network, str]] = []
        self._losses = self.interface.count_losses()
        self._outages = self._count_outages()

    @property
    def interface(self) -> Interface:
        """The tester's interface."""
        return self._link.interface

    @property
    def dut_mac(self) -> str:
        """The Ethernet address of the device's wire."""
        return self._link.dut_mac

    @property
    def dut_address(self) -> str:
        """The device's address on this link, on the case's network."""
        return self.network.dut

    def station(self, address: str = "", network: Network | None = None) -> Station:
        """A station at an address that no other case uses, or at this one as soon as no other case uses it.

        It is on the case's network unless another one is named.
        """
        network = network or self.network
        pool = self._link.pools[network.name]
        with self._clock.waiting():
            if not address:
                address = pool.lease()
            elif all(one.address != address for one in self.stations):
                pool.lease_this(address)
        station = Station(network, self.interface, self.dut_mac, address, self._trace)
        self.stations.append(station)
        return station

    def observe(self, address: str) -> None:
        """Take in what passes from and to an address that is not the tester's: on the wires between devices."""
        self._observed.append((self.network, address))
        self.interface.observe(self.network.key(address), self._trace)

    def received(self, since: Mark = BEGINNING) -> Iterator[Frame]:
        """What the device has sent on this link since a mark."""
        return (frame for frame in self._trace.received(since) if frame.interface == self.name)

    def losses(self) -> int:
        """Frames of this link that the tester has lost, or got too late to judge by, since the case began."""
        return self.interface.count_losses() - self._losses

    def was_down(self) -> bool:
        """Whether the tester's interface was down since the case began."""
        return self._count_outages() > self._outages

    def _count_outages(self) -> int:
        return self.interface.carrier.outages if self.interface.carrier else 0

    def leave(self) -> None:
        """Give the addresses back."""
        for station in self.stations:
            station.leave()
            self._link.pools[station.network.name].give_back(station.address)
        for network, address in self._observed:
            self.interface.remove_observer(network.key(address))
