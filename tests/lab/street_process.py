# SPDX-License-Identifier: GPL-2.0-or-later
"""Run as a script: devices in namespaces of their own, and the near end of every wire in one more.

`python street_process.py CONTROL_FD SPECIFICATION`, JSON: a list of devices, each with `wires` (for each the Ethernet
address of its near and of its far end), `stdin`, `stdout` (descriptors) and `environment`. The raw sockets of the near
ends are handed over, device by device and wire by wire. Ends when one of the devices does.
"""

import json
import os
import socket
import sys
from typing import Any

from reference.system.linux import die_with_parent, offloads_off, packet_socket, unshare_network, write_sysctl
from reference.system.rtnetlink import Rtnetlink
from tests.lab.host_process import become_root


def run_device(device: dict[str, Any], control: socket.socket) -> None:
    """One device, in a process of its own."""
    unshare_network()
    write_sysctl("ipv6/conf/all/disable_ipv6", 1)
    control.send(b"namespace")
    control.recv(16)
    wires = [f"wire{index}" for index in range(len(device["wires"]))]
    with Rtnetlink() as netlink:
        for wire in wires:
            offloads_off(wire)
            netlink.set_up(wire)
    control.send(b"up")
    control.recv(16)
    os.dup2(device["stdin"], 0)
    os.dup2(device["stdout"], 1)
    os.environ.update({"DUT_WIRES": " ".join(wires), **device["environment"]})
    os.execv(sys.executable, [sys.executable, "-m", "reference"])


def main() -> int:
    control = socket.socket(fileno=int(sys.argv[1]))
    devices = json.loads(sys.argv[2])
    die_with_parent(os.getppid())
    become_root()
    unshare_network()
    write_sysctl("ipv6/conf/all/disable_ipv6", 1)
    parent, controls, raws = os.getpid(), [], []
    for number, device in enumerate(devices):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        child = os.fork()
        if child == 0:
            die_with_parent(parent)
            run_device(device, theirs)
        ours.recv(16)
        for wire, macs in enumerate(device["wires"]):
            near, (near_mac, far_mac) = f"near{number}-{wire}", (bytes.fromhex(mac.replace(":", "")) for mac in macs)
            with Rtnetlink() as netlink:
                netlink.make_veth(near, near_mac, f"wire{wire}", far_mac, child, 1500)
                offloads_off(near)
                netlink.set_up(near)
            raws.append(packet_socket(near))
        controls.append(ours)
    for one in controls:
        one.send(b"go")
        one.recv(16)
    for one in controls:
        one.send(b"go")
    for device in devices:
        os.close(device["stdin"])
        os.close(device["stdout"])
    socket.send_fds(control, [b"wires"], [raw.fileno() for raw in raws])
    return os.waitstatus_to_exitcode(os.wait()[1])


if __name__ == "__main__":
    sys.exit(main())
