# SPDX-License-Identifier: GPL-2.0-or-later
"""Stations: owners of an address on an interface, and the pool that their addresses come from."""

import contextlib
import threading
from collections import deque
from collections.abc import Collection

from scapy.packet import Packet

from testbed.interruptions import DeviceLost, Inconclusive
from testbed.wire.capture import Sent, Trace
from testbed.wire.clock import Clock
from testbed.wire.headers import TCP_HEADER
from testbed.wire.interface import ETHERTYPE_IPV4, Interface
from testbed.wire.network import Network
from testbed.wire.pace import Pace

ADDRESSES_PER_CASE = 16
"""Addresses that are set aside for a case before it starts; few cases need more than half of them."""

_TIMEOUT_S = 30


class AddressPool:
    """The tester's addresses on one network: each case has its own, and the one unused for longest is next.

    `reserved` addresses are never given out; `most` is how many of the range are, the first ones, until the pool is
    extended. Whoever gets an IPv4 address is a neighbour that `pace` counts.
    """

    def __init__(
        self,
        network: Network,
        clock: Clock,
        reserved: Collection[str] = (),
        pace: Pace | None = None,
        most: int | None = None,
    ) -> None:
        self._network = network
        self._first, self._last = network.place(network.first), network.place(network.last)
        self._next = self._first
        self._end = self._last + 1 if most is None else min(self._last + 1, self._first + most)
        self.size = self._end - self._first
        self._clock = clock
        self._skipped = {self._place(address) for address in reserved}
        self._returned: deque[int] = deque()
        self._elsewhere: set[int] = set()
        self._pace = pace if network.ethertype == ETHERTYPE_IPV4 else None
        self._changed = threading.Condition()

    def lease(self) -> str:
        """An address for one case; waits until one is free, and raises Inconclusive when none is for a long time."""
        with self._clock.waiting(), self._changed:
            if not self._changed.wait_for(self._has_free, _TIMEOUT_S):
                raise Inconclusive(f"none of the tester's {self.size} addresses on {self._network.name} is free")
            if self._pace:
                self._pace.count()
            if self._next == self._end:
                return self._address(self._returned.popleft())
            self._next += 1
            return self._address(self._next - 1)

    def extend(self, count: int) -> None:
        """So many more addresses of the range are given out."""
        with self._changed:
            self._end = min(self._last + 1, self._end + count)
            self._changed.notify_all()

    def lease_this(self, address: str) -> None:
        """Take a certain address, which need not belong to the pool; waits until no other case has it."""
        place = self._place(address)
        with self._changed:
            if self._first <= place <= self._last:
                self._changed.wait_for(lambda: self._is_free(place))
                if place in self._returned:
                    self._returned.remove(place)
                else:
                    self._skipped.add(place)
            elif self._changed.wait_for(lambda: place not in self._elsewhere, _TIMEOUT_S):
                self._elsewhere.add(place)
            else:
                raise Inconclusive(f"{address} is not free")

    def give_back(self, address: str) -> None:
        """Return an address to the end of the queue."""
        place = self._place(address)
        with self._changed:
            if self._first <= place <= self._last:
                self._returned.append(place)
            self._elsewhere.discard(place)
            self._changed.notify_all()

    def _place(self, address: str) -> int:
        return self._network.place(self._network.number(address))

    def _address(self, place: int) -> str:
        return self._network.address(self._network.at(place))

    def _has_free(self) -> bool:
        """Whether an address is free; the next one that was never given out is found then."""
        while self._next < self._end and self._next in self._skipped:
            self._next += 1
        return self._next < self._end or bool(self._returned)

    def _is_free(self, place: int) -> bool:
        if place in self._returned:
            return True
        return self._next <= place < self._end and place not in self._skipped


class Station:
    """An address owner on the wire: the interface answers ARP for it; under IPFF the DUT's neighbours are static."""

    def __init__(self, network: Network, interface: Interface, dut_mac: str, address: str, trace: Trace) -> None:
        self.network = network
        self.interface = interface
        self.address = address
        self.number = network.number(address)
        self.trace = trace
        self._dut_mac = dut_mac
        interface.add(network.key(address), trace)

    def send(self, protocol: int, payload: Packet | bytes, source: str = "", destination: str = "") -> Sent:
        """Send `payload` to the DUT, from and to the addresses of station and device unless others are named."""
        target = destination or self.network.dut
        if isinstance(payload, bytes):
            number = self.network.number(source) if source else self.number
            return self.transmit(self.network.enclose(number, self.network.number(target), protocol, payload))
        return self.transmit(self.network.packet(source or self.address, target, protocol, payload))

    def transmit(self, packet: Packet | bytes) -> Sent:
        """Send a network packet as it is to the DUT's Ethernet address, wherever it is for."""
        return self.interface.send(self.network.frame(self.interface.mac, self._dut_mac, packet), self.trace)

    def leave_behind(self, packet: bytes) -> None:
        """Send a network packet that is no part of the case any more; what the wire does not take is not missed."""
        with contextlib.suppress(OSError, Inconclusive, DeviceLost):
            self.interface.send(self.network.frame(self.interface.mac, self._dut_mac, packet), None)

    @property
    def room(self) -> int:
        """The most bytes that one packet carries on every link of the device: the least MTU less the network header."""
        return self.interface.path_mtu - self.network.header_length

    @property
    def segment_room(self) -> int:
        """The most data of a TCP segment without options that one packet carries here."""
        return self.room - TCP_HEADER

    def leave(self) -> None:
        """Give up the address: nobody answers there any more."""
        self.interface.remove(self.network.key(self.address))
