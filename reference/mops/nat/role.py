# SPDX-License-Identifier: GPL-2.0-or-later
"""The role of a NAT router: its parts, and how they come together."""

from collections.abc import Sequence
from dataclasses import dataclass

from reference.bump.ipff import IpffSettings
from reference.bump.ipv4 import Ipv4Settings
from reference.middlebox.nat.parts import TranslationParts
from reference.middlebox.role import MiddleboxRole
from reference.mops.nat.announcements import Announcements
from reference.mops.nat.destinations import Destinations
from reference.mops.nat.requests import Requests
from reference.mops.nat.router import Mobility, NatRouter
from reference.mops.nat.settings import RouterSettings
from reference.mops.nat.upstream import Upstream
from reference.system.configuration import Configuration
from reference.system.role import Wire


@dataclass(frozen=True)
class NatRouterParts(TranslationParts):
    """What a NAT router is made of."""

    announcements: type[Announcements] = Announcements
    upstream: type[Upstream] = Upstream
    requests: type[Requests] = Requests
    destinations: type[Destinations] = Destinations
    box: type[NatRouter] = NatRouter


class NatRouterRole(MiddleboxRole):
    """Translates source addresses and ports, has mobile nodes know it, and takes their Migrates along."""

    protocol, name = "mops", "NAT router"
    knows = (IpffSettings, Ipv4Settings)
    parts: NatRouterParts = NatRouterParts()

    def __init__(self, configuration: Configuration) -> None:
        super().__init__(configuration)
        self.settings = RouterSettings.read(configuration.of_protocol(self.protocol))

    def build(self, wires: Sequence[Wire]) -> NatRouter:
        parts, settings = self.parts, self.settings
        networks = self.networks()
        sides = self.sides(wires, networks, settings.nat.outside_mtu)
        requests = {network: parts.requests() for network in networks}
        translated = parts.translated(networks, sides[1], settings.nat)
        upstream = {
            network: parts.upstream(network.to_ipff(one.translation.outside), one.translation.mapping_at)
            for network, one in translated.items()
        }
        destinations = {
            network: parts.destinations(network, one.translation, parts.requests(), settings.forwards)
            for network, one in translated.items()
        }
        mobility = Mobility(settings, parts.announcements(settings), upstream, requests, destinations)
        box = parts.box(sides, networks, translated, parts.unsolicited(settings.nat), mobility)
        box.nat_settings = settings.nat
        return box
