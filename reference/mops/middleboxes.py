# SPDX-License-Identifier: GPL-2.0-or-later
"""The roles of MOPS between two links (sections 4.3 and 6): a NAT router, a firewall."""

from collections.abc import Sequence
from dataclasses import dataclass

from reference.bump.ipff import IpffSettings
from reference.bump.ipv4 import Ipv4Settings
from reference.middlebox.middlebox import Middlebox
from reference.middlebox.role import MiddleboxRole
from reference.system.role import Parts, Wire


class NatRouter(Middlebox):
    """A NAT router."""

    role = "NAT router"


class Firewall(Middlebox):
    """A stateful firewall."""

    role = "firewall"


@dataclass(frozen=True)
class NatRouterParts(Parts):
    """What a NAT router is made of."""

    box: type[NatRouter] = NatRouter


@dataclass(frozen=True)
class FirewallParts(Parts):
    """What a firewall is made of."""

    box: type[Firewall] = Firewall


class NatRouterRole(MiddleboxRole):
    """Translates source addresses and ports, and has mobile nodes know it."""

    protocol, name = "mops", "NAT router"
    knows = (IpffSettings, Ipv4Settings)
    parts: NatRouterParts = NatRouterParts()

    def build(self, wires: Sequence[Wire]) -> NatRouter:
        networks = self.networks()
        return self.parts.box(self.sides(wires, networks), networks)


class FirewallRole(MiddleboxRole):
    """Lets in what belongs to sessions that it knows, migrated ones too."""

    protocol, name = "mops", "firewall"
    knows = (IpffSettings, Ipv4Settings)
    parts: FirewallParts = FirewallParts()

    def build(self, wires: Sequence[Wire]) -> Firewall:
        networks = self.networks()
        return self.parts.box(self.sides(wires, networks), networks)
