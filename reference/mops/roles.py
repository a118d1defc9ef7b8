# SPDX-License-Identifier: GPL-2.0-or-later
"""The roles of MOPS: a server, a mobile node, which is a server too, and an anycast server."""

from dataclasses import dataclass

from reference.bump.flows import Flows
from reference.bump.ipff import IpffNetwork, IpffSettings
from reference.bump.ipv4 import Ipv4Network, Ipv4Settings
from reference.bump.network import Network, NetworkSettings
from reference.bump.role import Role
from reference.mops.anycast import AnycastServers
from reference.mops.anycast_datapath import AnycastDatapath
from reference.mops.anycast_server import Acknowledger, AnycastServer
from reference.mops.capable import MobileCapable
from reference.mops.choices import Choices
from reference.mops.context import MopsFlows
from reference.mops.datapath import MopsDatapath
from reference.mops.mobile_node import MobileNode
from reference.mops.nat_table import NatTable
from reference.mops.rate_limit import RateLimit
from reference.mops.server import Server
from reference.mops.settings import Settings
from reference.mops.two_addresses import PlacedFlows, TwoAddresses, TwoIpffAddresses, TwoIpv4Addresses
from reference.system.addresses import ipff_from_text, ipv4_from_text, kernel_address
from reference.system.configuration import Configuration, ConfigurationError
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


@dataclass(frozen=True)
class AnycastParts(ServerParts):
    """What an anycast server is made of."""

    flows: type[Flows] = PlacedFlows
    ipff: type[IpffNetwork] = TwoIpffAddresses
    ipv4: type[Ipv4Network] = TwoIpv4Addresses
    server: type[Server] = AnycastServer
    datapath: type[MopsDatapath] = AnycastDatapath
    acknowledger: type[Acknowledger] = Acknowledger


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


class AnycastServerRole(ServerRole):
    """A server that shares one of its two addresses with others.

    Its own classes do the work of a server, so that what makes a server different leaves this one as it is.
    """

    name = "anycast server"
    parts: AnycastParts = AnycastParts()

    def __init__(self, configuration: Configuration) -> None:
        super().__init__(configuration)
        self.anycast = {network.name: self._anycast(network) for network in self.networks}

    def _anycast(self, network: NetworkSettings) -> int:
        """The anycast address on a network."""
        fields, reading = {"ipff": (5, ipff_from_text), "ipv4": (4, ipv4_from_text)}[network.name]
        for address in self.settings.anycast:
            if address.count(".") == fields - 1:
                try:
                    return reading(address)
                except ValueError as wrong:
                    raise ConfigurationError(f"DUT_CONFIG: mops.anycast: {wrong}") from None
        raise ConfigurationError(f"DUT_CONFIG: mops.anycast must name an address of {network.name} for this role")

    def further_addresses(self) -> list[bytes]:
        return [
            kernel_address(self.anycast[network.name])
            if network.is_ipv6
            else self.anycast[network.name].to_bytes(4, "big")
            for network in self.networks
        ]

    def build(self, wire: Wire) -> MopsDatapath:
        datapath = super().build(wire)
        assert isinstance(datapath, AnycastDatapath)
        assert isinstance(datapath.server, AnycastServer)
        datapath.acknowledger = self.parts.acknowledger()
        datapath.server.continues_at_anycast = self.settings.continues_at_anycast
        for network in datapath.networks:
            assert isinstance(network, TwoAddresses)
            datapath.answer_at(network, self.anycast[network.name])
        return datapath
