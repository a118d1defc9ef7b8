# SPDX-License-Identifier: GPL-2.0-or-later
"""The one role of TCP Rehash: a host, which moves and whose peers move."""

from dataclasses import dataclass

from reference.bump.flows import Flows
from reference.bump.ipv4 import Ipv4Network
from reference.bump.role import Role
from reference.rehash.address import RehashAddress
from reference.rehash.context import Nonces, RehashFlows
from reference.rehash.datapath import RehashDatapath
from reference.rehash.host import Host
from reference.rehash.option import LENGTH
from reference.rehash.settings import Settings
from reference.rehash.slow_start import SlowStart
from reference.system.configuration import Configuration
from reference.system.own_address import OwnAddress
from reference.system.role import Parts, Wire

_HEADERS = 40  # of IPv4 and TCP


@dataclass(frozen=True)
class HostParts(Parts):
    """What a host is made of."""

    flows: type[Flows] = RehashFlows
    host: type[Host] = Host
    nonces: type[Nonces] = Nonces
    slow_start: type[SlowStart] = SlowStart
    own_address: type[OwnAddress] = RehashAddress
    datapath: type[RehashDatapath] = RehashDatapath


class HostRole(Role):
    """A host that speaks TCP Rehash over IPv4."""

    protocol, name = "rehash", "host"
    mtu_margin = LENGTH
    parts: HostParts = HostParts()

    def __init__(self, configuration: Configuration) -> None:
        super().__init__(configuration)
        self.settings = Settings.read(configuration.of_protocol(self.protocol))

    def build(self, wire: Wire) -> RehashDatapath:
        parts, settings = self.parts, self.settings
        network = self.networks[0].network(parts.flows())
        assert isinstance(network, Ipv4Network)
        datapath = parts.datapath(wire.mac, network)
        host = datapath.host = parts.host(network, settings, parts.nonces(), parts.slow_start, datapath)
        host.segment_limit = self.kernel_mtu(wire) - _HEADERS
        return datapath

    def own_address(self) -> OwnAddress:
        return self.parts.own_address(self.networks[0].text)
