# SPDX-License-Identifier: GPL-2.0-or-later
"""The legacy host: it knows none of the protocols."""

from dataclasses import dataclass

from reference.bump.flows import Flows
from reference.bump.ipv4 import Ipv4Network
from reference.bump.role import Role
from reference.legacy.datapath import LegacyDatapath
from reference.legacy.host import LegacyHost
from reference.system.role import Parts, Wire


@dataclass(frozen=True)
class HostParts(Parts):
    """What a legacy host is made of."""

    host: type[LegacyHost] = LegacyHost
    datapath: type[LegacyDatapath] = LegacyDatapath


class HostRole(Role):
    """The kernel of this machine, with a bump before it that changes nothing."""

    protocol, name = "legacy", "host"
    parts: HostParts = HostParts()

    def build(self, wire: Wire) -> LegacyDatapath:
        network = self.networks[0].network(Flows())
        assert isinstance(network, Ipv4Network)
        return self.parts.datapath(wire.mac, network, self.parts.host)
