# SPDX-License-Identifier: GPL-2.0-or-later
"""The roles of MOPS: a server, and a mobile node, which is a server too."""

from dataclasses import dataclass

from reference.bump.flows import Flows
from reference.bump.ipff import IpffNetwork, IpffSettings
from reference.bump.ipv4 import Ipv4Network, Ipv4Settings
from reference.bump.network import Network
from reference.bump.role import Role
from reference.mops.anycast import AnycastServers
from reference.mops.capable import MobileCapable
from reference.mops.choices import Choices
from reference.mops.context import MopsFlows
from reference.mops.datapath import MopsDatapath
from reference.mops.mobile_node import MobileNode
from reference.mops.nat_table import NatTable
from reference.mops.rate_limit import RateLimit
from reference.mops.server import Server
from reference.mops.settings import Settings
from reference.system.configuration import Configuration
from reference.system.own_address import OwnAddress
from reference.system.role import Parts, Wire


@dataclass(frozen=True)
class ServerParts(Parts):
    """What a server is made of."""

    flows: type[Flows] = MopsFlows
    ipff: type[IpffNetwork] = IpffNetwork
    ipv4: type[Ipv4Network] = Ipv4Network
    server: type[Server] = Server
    rate_limit: type[RateLimit] = RateLimit
    choices: type[Choices] = Choices
    capable: type[MobileCapable] = MobileCapable
    datapath: type[MopsDatapath] = MopsDatapath


@dataclass(frozen=True)
class NodeParts(ServerParts):
    """What a mobile node is made of."""

    node: type[MobileNode] = MobileNode
    nat_table: type[NatTable] = NatTable
    anycast: type[AnycastServers] = AnycastServers


class ServerRole(Role):
    """Remaps its connections at the command of mobile nodes."""

    protocol, name = "mops", "server"
    knows = (IpffSettings, Ipv4Settings)
    mtu_margin = 16
    parts: ServerParts = ServerParts()

    def __init__(self, configuration: Configuration) -> None:
        super().__init__(configuration)
        self.settings = Settings.read(configuration.of_protocol(self.protocol))

    def build(self, wire: Wire) -> MopsDatapath:
        parts, settings = self.parts, self.settings
        kinds: dict[str, type[Network]] = {"ipff": parts.ipff, "ipv4": parts.ipv4}
        networks = [one.network(parts.flows(), kinds[one.name]) for one in self.networks]
        choices = parts.choices()
        datapath = parts.datapath(wire.mac, networks, choices, parts.capable(settings.mobile_capable))
        limit = parts.rate_limit(settings.rate_limit_s)
        ways = datapath.settle, datapath.send, choices, datapath.after
        datapath.server = parts.server(limit, settings.exact_sequence, *ways)
        return datapath


class MobileNodeRole(ServerRole):
    """Moves, and has its servers follow."""

    name = "mobile node"
    also = ("server",)
    parts: NodeParts = NodeParts()

    def build(self, wire: Wire) -> MopsDatapath:
        parts, settings = self.parts, self.settings
        datapath = super().build(wire)
        learnt = parts.nat_table(settings.gateways), parts.anycast()
        datapath.node = parts.node(settings.retry_interval_s, settings.retries, datapath.choices, *learnt, datapath)
        return datapath

    def own_address(self) -> OwnAddress:
        return OwnAddress(*(network.text for network in self.networks))
