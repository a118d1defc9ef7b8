# SPDX-License-Identifier: GPL-2.0-or-later
"""What a device between two links can be: a role, with the networks that it has on both."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

from reference.bump.ipv4 import Ipv4Settings
from reference.middlebox.ipff import BoxIpff
from reference.middlebox.ipv4 import BoxIpv4
from reference.middlebox.messages import Icmpv4, Icmpv5, Messages
from reference.middlebox.middlebox import Middlebox
from reference.middlebox.packet import BoxNetwork
from reference.middlebox.side import Route, Settings, Side, read_routes
from reference.system.configuration import Configuration, ConfigurationError
from reference.system.role import DeviceRole, Wire

SIDES = ("inside", "outside")

Families = Mapping[BoxNetwork, Sequence[Messages]]


class MiddleboxRole(DeviceRole):
    """A role of a device that stands between two links. DUT_WIRES names the inside first."""

    wires = 2
    links: ClassVar[tuple[str, ...]] = SIDES
    knows: ClassVar[tuple[type[Settings], ...]] = (Ipv4Settings,)

    def __init__(self, configuration: Configuration) -> None:
        super().__init__(configuration)
        table = configuration.root.table("networks")
        self._settings: dict[str, tuple[Settings, Settings]] = {}
        self._routes: dict[tuple[str, str], tuple[Route, ...]] = {}
        for kind in self.knows:
            if kind.name in table:
                sides = [table.table(kind.name).table(side) for side in SIDES]
                inside, outside = (kind.read(one) for one in sides)
                self._settings[kind.name] = inside, outside
                if kind is Ipv4Settings:
                    self._routes |= {
                        (kind.name, side): read_routes(one) for side, one in zip(SIDES, sides, strict=True)
                    }
        if not self._settings:
            names = " or ".join(kind.name for kind in self.knows)
            raise ConfigurationError(f"DUT_CONFIG: networks must have {names} for the role {self.name}")

    @abstractmethod
    def build(self, wires: Sequence[Wire]) -> Middlebox:
        """Put the device together."""

    def networks(self) -> Families:
        """The networks of the configuration, each with its protocols of control messages."""
        found: dict[BoxNetwork, Sequence[Messages]] = {}
        for settings, _ in self._settings.values():
            if isinstance(settings, Ipv4Settings):
                found[BoxIpv4(settings.icmp_protocol)] = (Icmpv4(), Icmpv5(settings.icmp_protocol, None))
            else:
                network = BoxIpff(settings.ethertype, settings.icmp_protocol, settings.reading)
                found[network] = (Icmpv5(settings.icmp_protocol, settings.reading),)
        return found

    def sides(self, wires: Sequence[Wire], networks: Families, outside_mtu: int | None = None) -> tuple[Side, Side]:
        """The two sides, with their addresses of these networks."""
        mtus = None, outside_mtu
        inside, outside = (Side(name, wire, mtu) for name, wire, mtu in zip(SIDES, wires, mtus, strict=True))
        for network in networks:
            for side, settings in zip((inside, outside), self._settings[network.name], strict=True):
                side.join(network, settings, self._routes.get((network.name, side.name), ()))
        return inside, outside
