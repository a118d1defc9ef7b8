# SPDX-License-Identifier: GPL-2.0-or-later
"""Run as a script: makes two namespaces and wires, hands the near ends' raw sockets over, starts the reference.

`python host_process.py CONTROL_FD WIRES ARGUMENT...` starts `python -m reference ARGUMENT...` at the far end of so many
wires, with the standard streams that this process was given.
"""

import ctypes
import os
import signal
import socket
import sys

from reference.system.linux import die_with_parent, offloads_off, packet_socket, unshare_network, write_sysctl
from reference.system.rtnetlink import Rtnetlink

CLONE_NEWUSER = 0x10000000


def ends(wire: int) -> tuple[str, bytes, str, bytes]:
    """Name and Ethernet address of the near and of the far end of a wire."""
    near, far = (bytes([2, 0, 0, 0, wire, end]) for end in (1, 2))
    return f"near{wire}", near, f"wire{wire}", far


def become_root() -> None:
    """Enter a user namespace of our own unless we are root already."""
    uid, gid = os.geteuid(), os.getegid()
    if uid == 0:
        return
    if ctypes.CDLL(None).unshare(CLONE_NEWUSER) != 0:
        raise SystemExit("this kernel lets ordinary users have no user namespace")
    for path, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {gid} 1")):
        with open(f"/proc/self/{path}", "w") as file:
            file.write(text)


def main() -> int:
    control = socket.socket(fileno=int(sys.argv[1]))
    wires = [ends(wire) for wire in range(int(sys.argv[2]))]
    die_with_parent(os.getppid())
    become_root()
    unshare_network()
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        die_with_parent(parent)
        unshare_network()
        there.send(b"namespace")
        there.recv(16)
        write_sysctl("ipv6/conf/all/disable_ipv6", 1)
        with Rtnetlink() as netlink:
            for _, _, far, _ in wires:
                offloads_off(far)
                netlink.set_up(far)
        there.send(b"up")
        os.environ["DUT_WIRES"] = " ".join(far for _, _, far, _ in wires)
        os.execv(sys.executable, [sys.executable, "-m", "reference", *sys.argv[3:]])
    here.recv(16)
    write_sysctl("ipv6/conf/all/disable_ipv6", 1)
    with Rtnetlink() as netlink:
        for near, near_mac, far, far_mac in wires:
            netlink.make_veth(near, near_mac, far, far_mac, child, 1500)
            offloads_off(near)
            netlink.set_up(near)
    here.send(b"go")
    here.recv(16)
    raws = [packet_socket(near) for near, _, _, _ in wires]
    socket.send_fds(control, [str(child).encode()], [raw.fileno() for raw in raws])
    for raw in raws:
        raw.close()
    signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))
    while True:
        try:
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        except InterruptedError:
            continue


if __name__ == "__main__":
    sys.exit(main())
