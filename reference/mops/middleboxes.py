# SPDX-License-Identifier: GPL-2.0-or-later
"""The role of a NAT router between two links (section 4.3)."""

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


@dataclass(frozen=True)
class NatRouterParts(Parts):
    """What a NAT router is made of."""

    box: type[NatRouter] = NatRouter


class NatRouterRole(MiddleboxRole):
    """Translates source addresses and ports, and has mobile nodes know it."""

    protocol, name = "mops", "NAT router"
    knows = (IpffSettings, Ipv4Settings)
    parts: NatRouterParts = NatRouterParts()

    def build(self, wires: Sequence[Wire]) -> NatRouter:
        networks = self.networks()
        return self.parts.box(self.sides(wires, networks), networks)
