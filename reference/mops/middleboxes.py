# SPDX-License-Identifier: GPL-2.0-or-later
"""The roles of MOPS between two links (section 6): a firewall."""

from collections.abc import Sequence
from dataclasses import dataclass

from reference.bump.ipff import IpffSettings
from reference.bump.ipv4 import Ipv4Settings
from reference.middlebox.middlebox import Middlebox
from reference.middlebox.role import MiddleboxRole
from reference.system.role import Parts, Wire


class Firewall(Middlebox):
    """A stateful firewall."""

    role = "firewall"


@dataclass(frozen=True)
class FirewallParts(Parts):
    """What a firewall is made of."""

    box: type[Firewall] = Firewall


class FirewallRole(MiddleboxRole):
    """Lets in what belongs to sessions that it knows, migrated ones too."""

    protocol, name = "mops", "firewall"
    knows = (IpffSettings, Ipv4Settings)
    parts: FirewallParts = FirewallParts()

    def build(self, wires: Sequence[Wire]) -> Firewall:
        networks = self.networks()
        return self.parts.box(self.sides(wires, networks), networks)
