# SPDX-License-Identifier: GPL-2.0-or-later
"""The reference before another TCP than the kernel's: the daemon as it is, lwIP's host at the far end of its pair.

`python -m tests.devices.lwip.behind WORDS...`: WORDS are arguments of `lwip-host`. The upper tester is that of
lwip-host, which neither listens nor moves: the echo service is what there is of applications.
"""

import json
import os
import socket
import sys
import tempfile
from typing import NoReturn

from reference import daemon
from reference.bump.ipv4 import Ipv4Settings
from reference.bump.namespaces import HOST
from reference.bump.network import STACK_MAC
from reference.bump.role import Role
from reference.roles import role_of
from reference.system.configuration import Configuration, read_configuration
from reference.system.linux import die_with_parent, interface_facts, offloads_off, unshare_network
from reference.system.rtnetlink import Rtnetlink


def _become_lwip(configuration: Configuration, role: Role, control: socket.socket, parent: int) -> NoReturn:
    die_with_parent(parent)
    unshare_network()
    control.send(b"namespace")
    if control.recv(64) != b"linked":
        sys.exit(1)
    offloads_off(HOST)
    with Rtnetlink() as netlink:
        netlink.set_up(HOST, arp=False)
    (network,) = (one for one in role.networks if isinstance(one, Ipv4Settings))
    own = {"address": socket.inet_ntoa(network.kernel_address), "prefix_length": network.kernel_route[1]}
    with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False) as file:
        json.dump({"networks": {"ipv4": own}, "services": {"echo": configuration.echo_port}}, file)
    control.send(b"serving")
    control.set_inheritable(True)  # its end is the end of this host
    mtu = interface_facts(HOST)[-1]
    far_end = ["--wire", HOST, "--neighbour", STACK_MAC.hex(":"), "--mss", str(mtu - 40)]
    os.execvpe("lwip-host", ["lwip-host", *far_end, *sys.argv[1:]], {**os.environ, "DUT_CONFIG": file.name})


def main() -> int:
    """Serve until standard input ends."""
    configuration = read_configuration(os.environ)
    daemon._agent_process = _become_lwip
    return daemon.run_host(configuration, role_of(configuration)(configuration), "lwIP")


if __name__ == "__main__":
    sys.exit(main())
