# SPDX-License-Identifier: GPL-2.0-or-later
"""What a device of MSOCKS is: the proxy, unprivileged on the kernel's sockets."""

from collections.abc import Mapping
from typing import ClassVar

from reference.middlebox.kernel import KernelRole
from reference.msocks.loop import EventLoop
from reference.msocks.proxy import Proxy, ProxyParts
from reference.msocks.settings import ProxySettings
from reference.system.configuration import Configuration


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
