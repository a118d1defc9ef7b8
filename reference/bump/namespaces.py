# SPDX-License-Identifier: GPL-2.0-or-later
"""The host namespace: where the unmodified kernel TCP and the applications live, with a private pair of interfaces.

The daemon's end is `stack0`, the kernel's end is `host0`. Nobody else is on that link: no address resolution, no
neighbour discovery, no checksum left to be filled in, no frame above the MTU.
"""

import os
from collections.abc import Sequence

from reference.bump.network import HOST_MAC, STACK_MAC, NetworkSettings
from reference.system.linux import offloads_off, write_sysctl
from reference.system.log import log
from reference.system.rtnetlink import Rtnetlink

STACK, HOST = "stack0", "host0"
_CONGESTION_CONTROLS = ("reno", "cubic")


def make_pair(host_pid: int, mtu: int) -> None:
    """Make the pair in the current namespace, its far end in that of the process `host_pid`, and set our end up."""
    write_sysctl("ipv6/conf/all/disable_ipv6", 1)
    write_sysctl("ipv6/conf/default/disable_ipv6", 1)
    with Rtnetlink() as netlink:
        netlink.make_veth(STACK, STACK_MAC, HOST, HOST_MAC, host_pid, mtu)
        offloads_off(STACK)
        netlink.set_up(STACK, arp=False)


def settle_in(networks: Sequence[NetworkSettings], further: Sequence[bytes] = ()) -> None:
    """Give the current namespace, in which `host0` has appeared, addresses, `further` ones too, routes and quiet."""
    offloads_off(HOST)
    settings: list[tuple[str, str | int]] = [
        ("ipv4/ip_forward", 0),
        ("ipv4/conf/all/rp_filter", 0),
        (f"ipv4/conf/{HOST}/rp_filter", 0),
        ("ipv4/tcp_max_syn_backlog", 8192),
        ("core/somaxconn", 8192),
    ]
    ipv6 = [network.name for network in networks if network.is_ipv6]
    if ipv6:
        settings += [
            ("ipv6/conf/all/disable_ipv6", 0),
            (f"ipv6/conf/{HOST}/disable_ipv6", 0),
            (f"ipv6/conf/{HOST}/accept_dad", 0),
            (f"ipv6/conf/{HOST}/accept_ra", 0),
            (f"ipv6/conf/{HOST}/addr_gen_mode", 1),
            (f"ipv6/conf/{HOST}/router_solicitations", 0),
            ("ipv6/auto_flowlabels", 0),
        ]
    refused = [path for path, value in settings if not write_sysctl(path, value)]
    if not any(write_sysctl("ipv4/tcp_congestion_control", name) for name in _CONGESTION_CONTROLS):
        refused.append("ipv4/tcp_congestion_control")
    if refused:
        log(f"sysctl not changed: {' '.join(refused)}")
    if ipv6 and not os.path.exists("/proc/net/if_inet6"):
        raise OSError(f"the network {ipv6[0]} needs a kernel with IPv6")

    with Rtnetlink() as netlink:
        netlink.set_up("lo")
        netlink.set_up(HOST, arp=False)
        for network in networks:
            prefix, length = network.kernel_route
            netlink.add_address(HOST, network.kernel_address)
            netlink.add_route(HOST, prefix, length)
        for address in further:
            netlink.add_address(HOST, address, preferred=False)
