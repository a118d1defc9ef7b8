# SPDX-License-Identifier: GPL-2.0-or-later
"""Run as a script: two namespaces and a wire between them, and a program at each end.

`python pair_process.py SPECIFICATION`, JSON: two objects with `command`, `stdin` and `stdout` (descriptors),
`environment` and, for an end whose own kernel is to be on the wire, `address`. Ends when one of the programs does.
"""

import json
import os
import socket
import subprocess
import sys
from typing import Any

from reference.system.addresses import ipv4_from_text
from reference.system.linux import die_with_parent, offloads_off, unshare_network, write_sysctl
from reference.system.rtnetlink import Rtnetlink
from tests.lab.host_process import become_root

WIRE = "wire0"
MACS = (bytes.fromhex("020000000001"), bytes.fromhex("020000000002"))


def own_kernel(address: str) -> None:
    number = ipv4_from_text(address)
    with Rtnetlink() as netlink:
        netlink.set_up("lo")
        netlink.add_address(WIRE, number.to_bytes(4, "big"))
        netlink.add_route(WIRE, (number & 0xFFFE0000).to_bytes(4, "big"), 15)


def run_end(index: int, end: dict[str, Any], control: socket.socket) -> int:
    """One end, in a process of its own."""
    unshare_network()
    write_sysctl("ipv6/conf/all/disable_ipv6", 1)
    control.send(b"namespace")
    far = int(control.recv(16))
    if far:
        with Rtnetlink() as netlink:
            netlink.make_veth(WIRE, MACS[index], WIRE, MACS[1 - index], far, 1500)
    control.send(b"linked")
    control.recv(16)
    offloads_off(WIRE)
    with Rtnetlink() as netlink:
        netlink.set_up(WIRE)
    if "address" in end:
        own_kernel(end["address"])
    me = os.getpid()
    return subprocess.call(
        end["command"],
        stdin=end["stdin"],
        stdout=sys.stderr if "address" in end else end["stdout"],
        env={**os.environ, "DUT_WIRES": WIRE, **end.get("environment", {})},
        preexec_fn=lambda: die_with_parent(me),
    )


def main() -> int:
    ends = json.loads(sys.argv[1])
    die_with_parent(os.getppid())
    become_root()
    parent, controls, children = os.getpid(), [], []
    for index, end in enumerate(ends):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        child = os.fork()
        if child == 0:
            die_with_parent(parent)
            os._exit(run_end(index, end, theirs))
        ours.recv(16)
        controls.append(ours)
        children.append(child)
    for control, far in zip(controls, (children[1], 0), strict=True):
        control.send(str(far).encode())
        control.recv(16)
    for control in controls:
        control.send(b"go")
    for end in ends:
        os.close(end["stdin"])
        os.close(end["stdout"])
    return os.waitstatus_to_exitcode(os.wait()[1])


if __name__ == "__main__":
    sys.exit(main())
