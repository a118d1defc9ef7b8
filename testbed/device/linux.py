# SPDX-License-Identifier: GPL-2.0-or-later
"""The system calls that Python 3.11 does not wrap: namespaces, parent-death signal, offload switches."""

import array
import ctypes
import fcntl
import os
import signal
import socket
import struct
from pathlib import Path

CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

_PR_SET_PDEATHSIG = 1
_SIOCETHTOOL = 0x8946
# ETHTOOL_STXCSUM, ETHTOOL_SSG, ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_SGRO (linux/ethtool.h)
_OFFLOAD_SWITCHES = (0x17, 0x19, 0x1F, 0x24, 0x2C)

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def unshare(flags: int) -> None:
    """Detach the process from the namespaces in `flags` (unshare(2)); OSError where the kernel refuses."""
    _check(_libc.unshare(flags), "unshare")


def setns(fd: int, kind: int = CLONE_NEWNET) -> None:
    """Enter the namespace behind `fd` (setns(2))."""
    _check(_libc.setns(fd, kind), "setns")


def die_with_parent(parent: int = 0) -> None:
    """Ask the kernel for SIGKILL when the parent (to be exact: the thread that started us) dies.

    Leaves at once if the parent is not `parent` any more; 0 means that it lives in another PID namespace and cannot be
    seen from here.
    """
    _check(_libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "prctl")
    if os.getppid() != parent:
        os._exit(1)


def become_root_in_user_namespace() -> None:
    """Enter a new user namespace in which the caller is root (user_namespaces(7)); needs no privilege."""
    uid, gid = os.getuid(), os.getgid()
    unshare(CLONE_NEWUSER)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
    Path("/proc/self/gid_map").write_text(f"0 {gid} 1")


def switch_offloads(interface: str, on: bool) -> None:
    """Off: the kernel finishes checksums and segments by MTU on `interface`, and frames are what a wire would carry."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        for command in _OFFLOAD_SWITCHES:
            value = array.array("B", struct.pack("=II", command, on))
            request = struct.pack("16sP", interface.encode(), value.buffer_info()[0])
            fcntl.ioctl(control, _SIOCETHTOOL, request)


def disable_ipv6(interface: str) -> None:
    """Keep the kernel's own neighbour and multicast chatter off `interface`, where sysctls can be written."""
    try:
        Path(f"/proc/sys/net/ipv6/conf/{interface}/disable_ipv6").write_text("1")
    except OSError:
        # Read-only /proc/sys (containers) or a kernel without IPv6: such frames belong to no network and are ignored.
        return
