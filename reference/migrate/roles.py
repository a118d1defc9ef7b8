# SPDX-License-Identifier: GPL-2.0-or-later
"""The roles of TCP Migrate: a server, whose peers move, and a mobile node, which moves itself too."""

from dataclasses import dataclass

from reference.bump.flows import Flows
from reference.bump.ipv4 import Ipv4Network
from reference.bump.role import Role
from reference.migrate.address import MigrateAddress
from reference.migrate.context import Keys, MigrateFlows, SlowStart
from reference.migrate.datapath import MigrateDatapath
from reference.migrate.host import FixedHost
from reference.migrate.migrating_host import MigratingHost
from reference.migrate.settings import Settings
from reference.system.configuration import Configuration
from reference.system.own_address import OwnAddress
from reference.system.role import Parts, Wire

_HEADERS = 40  # of IPv4 and TCP


@dataclass(frozen=True)
class ServerParts(Parts):
    """What a server is made of."""

    flows: type[Flows] = MigrateFlows
    host: type[FixedHost] = FixedHost
    keys: type[Keys] = Keys
    slow_start: type[SlowStart] = SlowStart
    datapath: type[MigrateDatapath] = MigrateDatapath


@dataclass(frozen=True)
class NodeParts(ServerParts):
    """What a mobile node is made of."""

    mover: type[MigratingHost] = MigratingHost
    own_address: type[OwnAddress] = MigrateAddress


class ServerRole(Role):
    """Lets its connections follow their peers."""

    protocol, name = "migrate", "server"
    parts: ServerParts = ServerParts()

    def __init__(self, configuration: Configuration) -> None:
        super().__init__(configuration)
        self.settings = Settings.read(configuration.of_protocol(self.protocol))

    def build(self, wire: Wire) -> MigrateDatapath:
        parts, settings = self.parts, self.settings
        network = self.networks[0].network(parts.flows())
        assert isinstance(network, Ipv4Network)
        datapath = parts.datapath(wire.mac, network)
        host = datapath.host = parts.host(network, settings, parts.keys(), parts.slow_start, datapath)
        host.segment_limit = self.kernel_mtu(wire) - _HEADERS
        return datapath


class MobileNodeRole(ServerRole):
    """Moves, and has its connections follow."""

    name = "mobile node"
    also = ("server",)
    parts: NodeParts = NodeParts()

    def build(self, wire: Wire) -> MigrateDatapath:
        datapath = super().build(wire)
        datapath.mover = self.parts.mover(datapath.host)
        return datapath

    def own_address(self) -> OwnAddress:
        return self.parts.own_address(self.networks[0].text)
