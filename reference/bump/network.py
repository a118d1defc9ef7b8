# SPDX-License-Identifier: GPL-2.0-or-later
"""What the two networks have in common: packets on the wire, packets at the kernel, and how they become each other.

Frames are rewritten in place in a buffer. The wire's network header may be shorter than the kernel's, so a frame from
the wire is read at HEADROOM.
"""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, NamedTuple, Self

from reference.bump.flows import Flow, Flows
from reference.bump.udp import UdpFlows
from reference.system.configuration import Table

HEADROOM = 24
ETHERNET = 14
TCP, UDP = 6, 17

# Ethernet addresses of the private pair between daemon and kernel.
STACK_MAC = bytes.fromhex("02524d500001")
HOST_MAC = bytes.fromhex("02524d500002")


class Packet(NamedTuple):
    """One packet found in a buffer: upper protocol, the other side's address, where the payload starts and ends."""

    protocol: int
    peer: int
    start: int
    end: int


class NetworkSettings(ABC):
    """The table of one network in DUT_CONFIG."""

    name: ClassVar[str]
    is_ipv6: ClassVar[bool]  # at the kernel
    address: int
    icmp_protocol: int

    @classmethod
    @abstractmethod
    def read(cls, table: Table) -> Self:
        """Check the table."""

    @property
    @abstractmethod
    def text(self) -> str:
        """The host's address for people."""

    @property
    @abstractmethod
    def kernel_address(self) -> bytes:
        """The address that the kernel gets, 4 or 16 bytes."""

    @property
    @abstractmethod
    def kernel_route(self) -> tuple[bytes, int]:
        """The prefix that the kernel reaches through the bump, and its length."""

    @abstractmethod
    def network(self, flows: Flows, kind: Any = None) -> "Network":
        """The network itself, of a certain class if one is named."""


class Network(ABC):
    """One network protocol on the wire, with the connections that travel by it."""

    name: str
    ethertype: int
    kernel_ethertype: int
    icmp_protocol: int
    own: int  # on the wire
    kernel_own: int  # what the kernel has had from the start
    unicast_only: bool  # frames must be addressed to the wire's own Ethernet address
    neighbour_mac: bytes | None = None  # of every neighbour; None where ARP finds them

    def __init__(self, flows: Flows) -> None:
        self.flows = flows
        self.udp = UdpFlows()
        self.kernel_ethernet = HOST_MAC + STACK_MAC + self.kernel_ethertype.to_bytes(2, "big")

    @abstractmethod
    def text(self, address: int) -> str:
        """An address for people."""

    @abstractmethod
    def to_ipff(self, address: int) -> int:
        """An address as an IPFF address, 50 bits."""

    @abstractmethod
    def from_ipff(self, address: int) -> int | None:
        """The address that an IPFF address means here; None when it means none."""

    @abstractmethod
    def is_peer(self, address: int) -> bool:
        """Whether a host of this address can be reached over the wire."""

    @abstractmethod
    def parse_wire(self, buffer: bytearray, at: int, end: int) -> Packet | None:
        """Read the network header at `at` of a frame from the wire; None unless it is a sound packet for us."""

    @abstractmethod
    def is_header_intact(self, buffer: bytearray, at: int, start: int) -> bool:
        """Whether the network header's own checksum, where it has one, is right."""

    @abstractmethod
    def parse_kernel(self, buffer: bytearray, at: int, end: int) -> Packet | None:
        """Read the network header at `at` of a frame from the kernel; None unless it may go to the wire."""

    @abstractmethod
    def enter_kernel(self, buffer: bytearray, at: int, packet: Packet, flow: Flow | None) -> int:
        """Make a frame from the wire one for the kernel; returns where it starts."""

    @abstractmethod
    def enter_wire(self, buffer: bytearray, at: int, packet: Packet, flow: Flow | None) -> int:
        """Make a frame from the kernel a packet for the wire; returns where its network header starts."""

    @abstractmethod
    def build(self, peer: int, protocol: int, payload: bytes) -> bytes:
        """A packet of our own for the wire, from its network header on."""

    @abstractmethod
    def build_for_kernel(self, peer: int, protocol: int, payload: bytes) -> bytes:
        """A packet of a peer's address for the kernel, from its network header on."""

    @abstractmethod
    def lengthen(self, buffer: bytearray, at: int, more: int) -> None:
        """Note in the kernel's network header at `at` that its payload has become longer."""

    def flows_of(self, protocol: int) -> Flows | None:
        """The connections of a transport protocol; None when it has none here."""
        return {TCP: self.flows, UDP: self.udp}.get(protocol)

    def move(self, address: int) -> None:
        """Have another address on the wire; the kernel keeps its own."""
        self.own = address
        for flows in (self.flows, self.udp):
            flows.change_own(self.kernel_own - address)

    def pseudo_header_sum(self, peer: int, protocol: int, length: int) -> int:
        """Sum of the pseudo-header of TCP and UDP."""
        return (self.own + peer + protocol + length) % 0xFFFF
