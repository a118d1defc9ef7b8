# SPDX-License-Identifier: GPL-2.0-or-later
"""Stations: owners of an address on an interface, and the pool that their addresses come from."""

import threading
from collections import deque
from collections.abc import Collection

from scapy.packet import Packet

from testbed.interruptions import Inconclusive
from testbed.wire.capture import Sent, Trace
from testbed.wire.clock import Clock
from testbed.wire.interface import Interface
from testbed.wire.network import Network

ADDRESSES_PER_CASE = 16
"""Addresses that are set aside for a case before it starts; few cases need more than half of them."""

_TIMEOUT_S = 30


class AddressPool:
    """The tester's addresses on one network: each case has its own, and the one unused for longest is next.

    `share` of `shares` picks a part of the range, so that test processes on one wire do not meet; `reserved` addresses
    are never given out.
    """

    def __init__(
        self, network: Network, clock: Clock, share: int = 0, shares: int = 1, reserved: Collection[str] = ()
    ) -> None:
        self.size = (network.last - network.first + 1) // shares
        start = network.first + share * self.size
        self._network = network
        self._clock = clock
        taken = {network.number(address) for address in reserved}
        self._free = deque(number for number in range(start, start + self.size) if number not in taken)
        self._changed = threading.Condition()

    def lease(self) -> str:
        """An address for one case; waits until one is free, and raises Inconclusive when none is for a long time."""
        with self._clock.waiting(), self._changed:
            if not self._changed.wait_for(lambda: self._free, _TIMEOUT_S):
                raise Inconclusive(f"none of the tester's {self.size} addresses on {self._network.name} is free")
            return self._network.address(self._free.popleft())

    def lease_this(self, address: str) -> None:
        """Take a certain address, which need not belong to the pool; waits until no other case has it."""
        number = self._network.number(address)
        with self._changed:
            if self._network.first <= number <= self._network.last:
                self._changed.wait_for(lambda: number in self._free)
                self._free.remove(number)

    def give_back(self, address: str) -> None:
        """Return an address to the end of the queue."""
        number = self._network.number(address)
        if self._network.first <= number <= self._network.last:
            with self._changed:
                self._free.append(number)
                self._changed.notify_all()


class Station:
    """An address owner on the wire: the interface answers ARP for it; under IPFF the DUT's neighbours are static."""

    def __init__(self, network: Network, interface: Interface, dut_mac: str, address: str, trace: Trace) -> None:
        self.network = network
        self.interface = interface
        self.address = address
        self.trace = trace
        self._dut_mac = dut_mac
        interface.add(network.key(address), trace)

    def send(self, protocol: int, payload: Packet | bytes, source: str = "", destination: str = "") -> Sent:
        """Send `payload` to the DUT, from and to the addresses of station and device unless others are named."""
        return self.transmit(
            self.network.packet(source or self.address, destination or self.network.dut, protocol, payload)
        )

    def transmit(self, packet: Packet) -> Sent:
        """Send a network packet as it is to the DUT's Ethernet address, wherever it is for."""
        return self.interface.send(self.network.frame(self.interface.mac, self._dut_mac, packet), self.trace)

    def leave(self) -> None:
        """Give up the address: nobody answers there any more."""
        self.interface.remove(self.network.key(self.address))
