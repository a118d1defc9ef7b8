# SPDX-License-Identifier: GPL-2.0-or-later
"""What a device of MSOCKS is: the proxy and the mobile node, both on the kernel's sockets."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from reference import NAME, VERSION
from reference.agent.streams import say
from reference.bump.ipv4 import Ipv4Settings
from reference.bump.role import read_networks
from reference.middlebox.kernel import KernelRole
from reference.msocks.client.carrier import Carrier
from reference.msocks.client.node import MobileNode
from reference.msocks.loop import EventLoop
from reference.msocks.node_agent import KernelAddress, NodeAgent
from reference.msocks.proxy import Proxy, ProxyParts
from reference.msocks.settings import NodeSettings, ProxySettings
from reference.system.configuration import Configuration
from reference.system.linux import as_many_descriptors_as_allowed
from reference.system.log import log
from reference.system.role import Parts, RunningRole
from reference.system.rtnetlink import Rtnetlink


class ProxyRole(KernelRole):
    """The proxy. The buffers of its kernel are bounded, so that a slow receiver slows the sender down."""

    protocol, name = "msocks", "proxy"
    sysctls: ClassVar[Mapping[str, str | int]] = {
        "ipv4/conf/all/arp_ignore": 1,
        "ipv4/conf/all/arp_announce": 2,
        "core/somaxconn": 4096,
        "ipv4/tcp_max_syn_backlog": 4096,
        "ipv4/ip_local_port_range": "16384 65535",
        "ipv4/tcp_rmem": "4096 131072 524288",
        "ipv4/tcp_wmem": "4096 65536 524288",
    }
    parts: ProxyParts = ProxyParts()

    def __init__(self, configuration: Configuration) -> None:
        super().__init__(configuration)
        self._settings = ProxySettings.read(configuration.of_protocol(self.protocol))

    def build(self) -> Proxy:
        loop = EventLoop()
        return self.parts.proxy(self.parts, self._settings, loop, self.inside.text, self.outside.text)


@dataclass(frozen=True)
class NodeParts(Parts):
    """What a mobile node is made of."""

    node: type[MobileNode] = MobileNode
    carrier: type[Carrier] = Carrier


class MobileNodeRole(RunningRole):
    """The mobile node: the kernel of this machine on the wire, and the library."""

    protocol, name = "msocks", "mobile node"
    parts: NodeParts = NodeParts()

    def __init__(self, configuration: Configuration) -> None:
        super().__init__(configuration)
        (network,) = read_networks(configuration, (Ipv4Settings,), f"the role {self.name}")
        assert isinstance(network, Ipv4Settings)
        self._network, self._wire, self._echo_port = network, configuration.wires[0], configuration.echo_port
        self._settings = NodeSettings.read(configuration.of_protocol(self.protocol))

    def run(self, alteration: str | None) -> int:
        as_many_descriptors_as_allowed()
        try:
            with Rtnetlink() as netlink:
                netlink.set_up("lo")
                netlink.add_address(self._wire, self._network.kernel_address)
                netlink.add_route(self._wire, *self._network.kernel_route, quickack=False)
            asyncio.run(self._serve(alteration))
        except OSError as error:
            log(error.strerror or str(error))
            return 1
        return 0

    async def _serve(self, alteration: str | None) -> None:
        node = self.parts.node(self._settings, carrier=self.parts.carrier)
        agent = NodeAgent(node, KernelAddress(self._wire, self._network), alteration)
        if self._echo_port is not None:
            await agent.listen(self._echo_port, "echo")
        say({"ready": True, "name": NAME, "version": VERSION})
        await agent.serve()
