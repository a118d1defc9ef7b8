# SPDX-License-Identifier: GPL-2.0-or-later
"""Run as a script: makes two namespaces and a wire, hands the near end's raw socket over, starts the reference.

`python host_process.py CONTROL_FD ARGUMENT...` starts `python -m reference ARGUMENT...` at the far end, with
the standard streams that this process was given.
"""

import ctypes
import os
import signal
import socket
import sys

from reference.system.linux import die_with_parent, offloads_off, packet_socket, unshare_network, write_sysctl
from reference.system.rtnetlink import Rtnetlink

NEAR, FAR = "near0", "wire0"
NEAR_MAC, FAR_MAC = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")
CLONE_NEWUSER = 0x10000000


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
        offloads_off(FAR)
        with Rtnetlink() as netlink:
            netlink.set_up(FAR)
        there.send(b"up")
        os.environ["DUT_WIRES"] = FAR
        os.execv(sys.executable, [sys.executable, "-m", "reference", *sys.argv[2:]])
    here.recv(16)
    write_sysctl("ipv6/conf/all/disable_ipv6", 1)
    with Rtnetlink() as netlink:
        netlink.make_veth(NEAR, NEAR_MAC, FAR, FAR_MAC, child, 1500)
        offloads_off(NEAR)
        netlink.set_up(NEAR)
    here.send(b"go")
    here.recv(16)
    raw = packet_socket(NEAR)
    socket.send_fds(control, [str(child).encode()], [raw.fileno()])
    raw.close()
    signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))
    while True:
        try:
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        except InterruptedError:
            continue


if __name__ == "__main__":
    sys.exit(main())
