# SPDX-License-Identifier: GPL-2.0-or-later
"""A host with two addresses of its own on each network: the one that it is known by, and one that is its alone.

The kernel has both, so an application sees the address that its peer has called. A tuple holds the own address above
the own port, in one number, and a flow knows its own address on the wire and its own address in the kernel: a migration
may change the former. `own` and `kernel_own` of a network are those of the packet in hand.
"""

import struct
from abc import abstractmethod

from reference.bump.flows import Flow, Tuple
from reference.bump.ipff import IpffNetwork
from reference.bump.ipv4 import Ipv4Network
from reference.bump.network import Network, Packet
from reference.bump.tcp import ACK
from reference.bump.udp import UdpFlow, UdpFlows
from reference.mops.context import MopsFlows

_PORT_BITS = 16
_PORT = (1 << _PORT_BITS) - 1
_KERNEL_SOURCE = 16  # where the low half of an IPv6 source address stands
_IPV4_SOURCE, _IPV4_DESTINATION = 12, 16


def own_end(address: int, port: int) -> int:
    """An own address and port as the third member of a tuple."""
    return address << _PORT_BITS | port


class PlacedFlow(Flow):
    """A connection with one of the own addresses."""

    __slots__ = ("kernel_own", "own", "owns")

    def __init__(self, wire: Tuple, kernel: Tuple, now: float, own_delta: int) -> None:
        self.own, self.kernel_own = wire[2] >> _PORT_BITS, kernel[2] >> _PORT_BITS
        self.owns: list[int] = []  # those that it has left
        ends = (*wire[:2], wire[2] & _PORT), (*kernel[:2], kernel[2] & _PORT)
        super().__init__(*ends, now, self.kernel_own - self.own)

    @property
    def wire(self) -> Tuple:
        return self.wire_address, self.wire_port, own_end(self.own, self.own_port)

    @property
    def kernel(self) -> Tuple:
        return self.kernel_address, self.kernel_port, own_end(self.kernel_own, self.local_port)


class PlacedUdpFlow(PlacedFlow, UdpFlow):
    """Two UDP sockets, ours with one of the own addresses."""

    __slots__ = ()


def placed(flow: Flow) -> PlacedFlow:
    """The flow as one that knows its own address: all of such a host are."""
    assert isinstance(flow, PlacedFlow)
    return flow


class PlacedFlows(MopsFlows):
    """The connections of a network with two own addresses; `own` is that of the packet in hand."""

    role = "anycast server"
    flow_type = PlacedFlow
    own = 0

    def inbound(self, address: int, port: int, local_port: int, flags: int, now: float) -> Flow | None:
        return super().inbound(address, port, own_end(self.own, local_port), flags, now)

    def outbound(self, address: int, port: int, local_port: int, now: float, flags: int = ACK) -> Flow | None:
        return super().outbound(address, port, own_end(self.own, local_port), now, flags)

    def rebind(self, flow: Flow, address: int, port: int) -> None:
        self.put(placed(flow), address, port, placed(flow).own)

    def put(self, flow: PlacedFlow, address: int, port: int, own: int) -> None:
        """Give a flow another tuple on the wire, its own address included."""
        stale = self.by_wire.get((address, port, own_end(own, flow.own_port)))
        if stale is not None and stale is not flow:
            self.free(stale)
        self._leave(flow)
        flow.own, flow.own_delta = own, flow.kernel_own - own
        flow.set_wire(address, port)
        self._enter(flow)


class PlacedUdpFlows(PlacedFlows, UdpFlows):
    """The UDP flows of a network with two own addresses."""

    flow_type = PlacedUdpFlow


class TwoAddresses(Network):
    """What both networks have in common."""

    role = "anycast server"
    unicast = anycast = 0

    def answer_at(self, anycast: int) -> None:
        """Have an anycast address too; the other one is the host's alone."""
        self.unicast, self.anycast = self.own, anycast
        self.udp = PlacedUdpFlows()

    @property
    def addresses(self) -> tuple[int, int]:
        """Both."""
        return self.unicast, self.anycast

    def is_peer(self, address: int) -> bool:
        return super().is_peer(address) and address not in self.addresses  # type: ignore[safe-super]

    def parse_wire(self, buffer: bytearray, at: int, end: int) -> Packet | None:
        called = self.called(buffer, at, end)
        if called in self.addresses:
            self.own = called
            self._place_new(called)
        return super().parse_wire(buffer, at, end)  # type: ignore[safe-super]

    def parse_kernel(self, buffer: bytearray, at: int, end: int) -> Packet | None:
        source = self.kernel_source(buffer, at)
        if source in self.addresses:
            self.kernel_own = source
            self._place_new(source)
        return super().parse_kernel(buffer, at, end)  # type: ignore[safe-super]

    def enter_kernel(self, buffer: bytearray, at: int, packet: Packet, flow: Flow | None) -> int:
        self.kernel_own = self.own if flow is None else placed(flow).kernel_own
        return super().enter_kernel(buffer, at, packet, flow)  # type: ignore[safe-super]

    def enter_wire(self, buffer: bytearray, at: int, packet: Packet, flow: Flow | None) -> int:
        self.own = self.kernel_own if flow is None else placed(flow).own
        return super().enter_wire(buffer, at, packet, flow)  # type: ignore[safe-super]

    def _place_new(self, own: int) -> None:
        for flows in (self.flows, self.udp):
            if isinstance(flows, PlacedFlows):
                flows.own = own

    @abstractmethod
    def called(self, buffer: bytearray, at: int, end: int) -> int:
        """The destination of a packet from the wire, 0 where there is none."""

    @abstractmethod
    def kernel_source(self, buffer: bytearray, at: int) -> int:
        """The source of a packet from the kernel."""


class TwoIpffAddresses(TwoAddresses, IpffNetwork):
    """IPFF."""

    def called(self, buffer: bytearray, at: int, end: int) -> int:
        return self.format.read(buffer, at).destination if end - at >= self.format.layout.size else 0

    def kernel_source(self, buffer: bytearray, at: int) -> int:
        (source,) = struct.unpack_from("!Q", buffer, at + _KERNEL_SOURCE)
        return int(source)


class TwoIpv4Addresses(TwoAddresses, Ipv4Network):
    """IPv4."""

    def called(self, buffer: bytearray, at: int, end: int) -> int:
        return int.from_bytes(buffer[at + _IPV4_DESTINATION : at + _IPV4_DESTINATION + 4], "big")

    def kernel_source(self, buffer: bytearray, at: int) -> int:
        return int.from_bytes(buffer[at + _IPV4_SOURCE : at + _IPV4_SOURCE + 4], "big")
