# SPDX-License-Identifier: GPL-2.0-or-later
"""What a host can be: a role of a protocol, with its networks, and how the classes that it is made of come together."""

from abc import abstractmethod
from typing import ClassVar

from reference.bump.datapath import Datapath
from reference.bump.ipv4 import Ipv4Settings
from reference.bump.network import TCP, UDP, NetworkSettings
from reference.system.configuration import Configuration, ConfigurationError
from reference.system.own_address import OwnAddress
from reference.system.role import DeviceRole, Wire


class Role(DeviceRole):
    """A role of a host; made before its two processes part, so that both have the same."""

    knows: ClassVar[tuple[type[NetworkSettings], ...]] = (Ipv4Settings,)
    #: Room for what the bump may add to a packet: the kernel's MTU is so much less than the wire's.
    mtu_margin: ClassVar[int] = 0

    def __init__(self, configuration: Configuration) -> None:
        super().__init__(configuration)
        self.networks = read_networks(configuration, self.knows, f"the role {self.name}")

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
