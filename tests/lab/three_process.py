# SPDX-License-Identifier: GPL-2.0-or-later
"""Run as a script: three namespaces, a device with a wire to each of two hosts. Lives until its standard input ends.

`python three_process.py WIRES`, JSON: for each host its addresses and the prefix length. Prints the process numbers of
the first host, the device and the second host, a namespace each, and the device's wires are `wire0` and `wire1`.
"""

import json
import os
import signal
import socket
import sys

from reference.system.linux import die_with_parent, offloads_off, unshare_network, write_sysctl
from reference.system.rtnetlink import Rtnetlink
from tests.lab.host_process import become_root


def hold_host(addresses: list[str], length: int, control: socket.socket) -> None:
    """One host, in a process of its own."""
    unshare_network()
    write_sysctl("ipv6/conf/all/disable_ipv6", 1)
    control.send(b"namespace")
    control.recv(16)
    mask = (1 << 32) - (1 << (32 - length))
    packed = [socket.inet_aton(address) for address in addresses]
    prefix = (int.from_bytes(packed[0], "big") & mask).to_bytes(4, "big")
    offloads_off("eth0")
    with Rtnetlink() as netlink:
        netlink.set_up("lo")
        netlink.set_up("eth0")
        for address in packed:
            netlink.add_address("eth0", address)
        netlink.add_route("eth0", prefix, length, quickack=False)
    control.send(b"up")
    signal.pause()


def main() -> int:
    wires = json.loads(sys.argv[1])
    die_with_parent(os.getppid())
    become_root()
    unshare_network()
    write_sysctl("ipv6/conf/all/disable_ipv6", 1)
    parent, children = os.getpid(), []
    for number, (addresses, length) in enumerate(wires):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        child = os.fork()
        if child == 0:
            die_with_parent(parent)
            hold_host(addresses, length, theirs)
        ours.recv(16)
        near, far = (bytes([2, 0, 0, 0, number, end]) for end in (1, 2))
        with Rtnetlink() as netlink:
            netlink.make_veth(f"wire{number}", near, "eth0", far, child, 1500)
            offloads_off(f"wire{number}")
            netlink.set_up(f"wire{number}")
        ours.send(b"go")
        ours.recv(16)
        children.append(child)
    sys.stdout.write(json.dumps([children[0], os.getpid(), children[1]]) + "\n")
    sys.stdout.flush()
    sys.stdin.read()
    return 0


if __name__ == "__main__":
    sys.exit(main())
