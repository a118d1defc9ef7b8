# SPDX-License-Identifier: GPL-2.0-or-later
"""What a host can be: a role of a protocol, with its settings, the classes it is made of and how they come together."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from reference.bump.datapath import Datapath
from reference.bump.ipv4 import Ipv4Settings
from reference.bump.network import TCP, UDP, NetworkSettings
from reference.system.configuration import Configuration, ConfigurationError
from reference.system.own_address import OwnAddress


@dataclass(frozen=True)
class Parts:
    """One class for every job in a role; an alteration is a subclass of one of them."""

    def with_part(self, other: type[Any]) -> Self:
        """These parts with the one that `other` is a kind of replaced by it."""
        for job, part in vars(self).items():
            if issubclass(other, part):
                return replace(self, **{job: other})
        raise TypeError(f"{other.__name__} is no kind of any part")


@dataclass(frozen=True)
class Wire:
    """The interface on the wire."""

    mac: bytes
    mtu: int


class Role(ABC):
    """A role with its settings; made before the host's two processes part, so that both have the same."""

    protocol: ClassVar[str]
    name: ClassVar[str]
    also: ClassVar[tuple[str, ...]] = ()  # names of roles of the same protocol that it has all parts of
    knows: ClassVar[tuple[type[NetworkSettings], ...]] = (Ipv4Settings,)
    wires: ClassVar[int] = 1
    #: Room for what the bump may add to a packet: the kernel's MTU is so much less than the wire's.
    mtu_margin: ClassVar[int] = 0
    parts: Parts

    def __init__(self, configuration: Configuration) -> None:
        if len(configuration.wires) != self.wires:
            number = {1: "exactly one interface", 2: "exactly two interfaces"}[self.wires]
            raise ConfigurationError(f"DUT_WIRES must name {number} for the role {self.name}")
        self.networks = read_networks(configuration, self.knows, f"the role {self.name}")

    def alter(self, part: type[Any]) -> None:
        """Be different in the way of an alteration's class."""
        self.parts = self.parts.with_part(part)

    @abstractmethod
    def build(self, wire: Wire) -> Datapath:
        """Put the host together."""

    def own_address(self) -> OwnAddress | None:
        """The addresses of a host that moves; None when it does not."""
        return None

    def further_addresses(self) -> list[bytes]:
        """What the kernel has besides one address of each network, 4 or 16 bytes each."""
        return []

    def kernel_mtu(self, wire: Wire) -> int:
        """The MTU of the pair between bump and kernel."""
        return wire.mtu - self.mtu_margin


def read_networks(
    configuration: Configuration, known: tuple[type[NetworkSettings], ...], who: str
) -> tuple[NetworkSettings, ...]:
    """The networks of the configuration that somebody knows; at least one of them must be there."""
    table = configuration.root.table("networks")
    networks = tuple(kind.read(table.table(kind.name)) for kind in known if kind.name in table)
    if not networks:
        names = " or ".join(kind.name for kind in known)
        raise ConfigurationError(f"DUT_CONFIG: networks must have {names} for {who}")
    if any(network.icmp_protocol in (TCP, UDP) for network in networks):
        raise ConfigurationError("DUT_CONFIG: icmp_protocol must not be the number of TCP or UDP")
    return networks
