# SPDX-License-Identifier: GPL-2.0-or-later
"""What a device of MSOCKS is: the proxy and the mobile node, both on the kernel's sockets."""

import asyncio
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reference import NAME, VERSION
from reference.agent.streams import say
from reference.bump.ipv4 import Ipv4Settings
from reference.bump.role import read_networks
from reference.middlebox.kernel import KernelRole
from reference.msocks.client.carrier import Carrier
from reference.msocks.client.node import MobileNode
from reference.msocks.leg import Leg
from reference.msocks.loop import EventLoop
from reference.msocks.node_agent import KernelAddress, NodeAgent
from reference.msocks.proxy import Proxy, ProxyParts
from reference.msocks.settings import NodeSettings, ProxySettings
from reference.system.configuration import Configuration
from reference.system.linux import (
    as_many_descriptors_as_allowed,
    interface_facts,
    offloads_off,
    packet_socket,
    unshare_network,
)
from reference.system.log import log
from reference.system.role import Parts, RunningRole
from reference.system.rtnetlink import Rtnetlink

_SYSCTLS: Mapping[str, str | int] = {
    "ipv4/conf/all/arp_ignore": 1,
    "ipv4/conf/all/arp_announce": 2,
    "core/somaxconn": 4096,
    "ipv4/tcp_max_syn_backlog": 4096,
    "ipv4/ip_local_port_range": "16384 65535",
    "ipv4/tcp_rmem": "4096 131072 524288",
    "ipv4/tcp_wmem": "4096 65536 524288",
}
_WHAT_CANNOT_BE_MAPPED: Mapping[str, str | int] = {
    "ipv6/conf/all/disable_ipv6": 1,
    "ipv6/conf/default/disable_ipv6": 1,
    "ipv4/tcp_timestamps": 0,
    "ipv4/tcp_sack": 0,
    "ipv4/tcp_ecn": 0,
}


class ProxyRole(KernelRole):
    """The proxy. The buffers of its kernel are bounded, so that a slow receiver slows the sender down.

    One that splices has a bump on each wire before its kernel, in a namespace of its own.
    """

    protocol, name = "msocks", "proxy"
    parts: ProxyParts = ProxyParts()

    def __init__(self, configuration: Configuration) -> None:
        super().__init__(configuration)
        self._settings = ProxySettings.read(configuration.of_protocol(self.protocol))
        self._sockets: list[tuple[socket.socket, socket.socket]] = []
        self.quickack = self._settings.splicing
        self.sysctls = {**_SYSCTLS, **(_WHAT_CANNOT_BE_MAPPED if self._settings.splicing else {})}

    def interfaces(self, wires: Sequence[str]) -> Sequence[str]:
        if not self._settings.splicing:
            return wires
        facts, raws = [interface_facts(wire) for wire in wires], [packet_socket(wire) for wire in wires]
        unshare_network()
        names = [f"kernel{number}" for number in range(len(wires))]
        for number, (name, (mac, mtu), raw) in enumerate(zip(names, facts, raws, strict=True)):
            stack = f"stack{number}"
            with Rtnetlink() as netlink:
                netlink.make_veth(stack, bytes([2, 0, 0, 0, number, 0xFE]), name, mac, os.getpid(), mtu)
                for interface in (stack, name):
                    offloads_off(interface)
                netlink.set_up(stack, arp=False)
                netlink.set_up(name)
            self._sockets.append((raw, packet_socket(stack, bypass=True)))
        return names

    def build(self) -> Proxy:
        loop, sides = EventLoop(), (self.inside, self.outside)
        common = self.parts, self._settings, loop, self.inside.text, self.outside.text
        if not self._sockets:
            return self.parts.proxy(*common)
        inside, outside = (
            Leg(loop, *pair, side.address, holds=side is self.outside)
            for pair, side in zip(self._sockets, sides, strict=True)
        )
        return self.parts.proxy(*common, (inside, outside))


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
