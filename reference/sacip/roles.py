# SPDX-License-Identifier: GPL-2.0-or-later
"""The two roles of SACIP: a server, whose peers' addresses change, and a mobile node, whose own does. Both can both."""

from dataclasses import dataclass

from reference.bump.role import Role
from reference.sacip.address import SacipAddresses
from reference.sacip.addresses import Addresses
from reference.sacip.datapath import SacipDatapath
from reference.sacip.flows import SacipFlows
from reference.sacip.local_side import LocalSide
from reference.sacip.network import SacipIpv4Settings, SacipNetwork
from reference.sacip.notification import Notification
from reference.sacip.remote_side import RemoteSide
from reference.sacip.settings import Settings
from reference.system.configuration import Configuration
from reference.system.own_address import OwnAddress
from reference.system.role import Parts, Wire


@dataclass(frozen=True)
class HostParts(Parts):
    """What a host is made of."""

    addresses: type[Addresses] = Addresses
    flows: type[SacipFlows] = SacipFlows
    network: type[SacipNetwork] = SacipNetwork
    notification: type[Notification] = Notification
    remote_side: type[RemoteSide] = RemoteSide
    local_side: type[LocalSide] = LocalSide
    own_address: type[OwnAddress] = SacipAddresses
    datapath: type[SacipDatapath] = SacipDatapath


class ServerRole(Role):
    """A host that is told of its peers' new addresses."""

    protocol, name = "sacip", "server"
    knows = (SacipIpv4Settings,)
    parts: HostParts = HostParts()

    def __init__(self, configuration: Configuration) -> None:
        super().__init__(configuration)
        self.settings = Settings.read(configuration.of_protocol(self.protocol))

    def build(self, wire: Wire) -> SacipDatapath:
        parts, (settings,) = self.parts, self.networks
        assert isinstance(settings, SacipIpv4Settings)
        addresses = parts.addresses(settings.address, settings.prefix_length)
        network = parts.network(settings, parts.flows(addresses), addresses)
        datapath = parts.datapath(wire.mac, network, self.settings)
        notification = parts.notification(self.settings.byte_order)
        datapath.remote_side = parts.remote_side(network, notification)
        datapath.local_side = parts.local_side(network, notification, datapath)
        return datapath

    def own_address(self) -> OwnAddress:
        return self.parts.own_address(self.networks[0].text)


class MobileNodeRole(ServerRole):
    """A host that tells its peers of its own new address."""

    name = "mobile node"
    also = ("server",)
