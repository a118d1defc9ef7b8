# SPDX-License-Identifier: GPL-2.0-or-later
"""The few calls of Linux that Python's library lacks: unshare, parent-death signal, ethtool, interface facts."""

import array
import ctypes
import fcntl
import os
import resource
import signal
import socket
import struct

CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
SIOCGIFMTU = 0x8921
SIOCSIFMTU = 0x8922
SIOCETHTOOL = 0x8946
SIOCGIFHWADDR = 0x8927
SIOCGSTAMPNS = 0x8907
SOL_PACKET = 263
PACKET_QDISC_BYPASS = 20
PACKET_IGNORE_OUTGOING = 23
ETH_P_ALL = 3
SO_RCVBUFFORCE = 33
SO_SNDBUFFORCE = 32
SO_ATTACH_FILTER = 26

# Legacy ethtool set commands: receive and transmit checksum, scatter-gather, TSO, GSO, GRO.
_OFFLOADS_OFF = (0x2C, 0x24, 0x1F, 0x19, 0x17, 0x15)

_libc = ctypes.CDLL(None, use_errno=True)


def unshare_network() -> None:
    """Move this process into a new, empty network namespace."""
    if _libc.unshare(CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"no network namespace of my own: {os.strerror(number)} (needs CAP_SYS_ADMIN)")


def enter_network(namespace: int) -> None:
    """Move this process into the network namespace behind a descriptor."""
    if _libc.setns(namespace, CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"setns: {os.strerror(number)}")


def die_with_parent(parent: int) -> None:
    """Have this process killed when its parent ends, also when that has already happened."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def as_many_descriptors_as_allowed() -> None:
    """Raise the soft limit of open files to the hard one: each connection that is served takes one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def interface_facts(name: str) -> tuple[bytes, int]:
    """Ethernet address and MTU of an interface of the current namespace."""
    request = struct.pack("16s24x", name.encode())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        mac = fcntl.ioctl(control, SIOCGIFHWADDR, request)[18:24]
        mtu = struct.unpack_from("i", fcntl.ioctl(control, SIOCGIFMTU, request), 16)[0]
    return mac, mtu


def set_mtu(name: str, mtu: int) -> None:
    """Let an interface send packets of at most `mtu` bytes."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, SIOCSIFMTU, struct.pack("16si12x", name.encode(), mtu))


def offloads_off(name: str) -> None:
    """Make every frame of an interface a finished one: whole checksums, no frame above the MTU."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        for command in _OFFLOADS_OFF:
            value = array.array("I", [command, 0])
            try:
                fcntl.ioctl(control, SIOCETHTOOL, struct.pack("16sP16x", name.encode(), value.buffer_info()[0]))
            except OSError:
                continue  # a feature this kernel has fixed or does not know


def packet_socket(interface: str, buffer_bytes: int = 8 << 20, *, bypass: bool = False) -> socket.socket:
    """A raw socket on one interface that gets every frame but its own; bound last, so it holds no other frame.

    With `bypass` it sends past the queue of the interface, which drops all for some time after its carrier has come.
    """
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    raw.setblocking(False)
    raw.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    raw.setsockopt(SOL_PACKET, PACKET_QDISC_BYPASS, int(bypass))
    for forced, plain in ((SO_RCVBUFFORCE, socket.SO_RCVBUF), (SO_SNDBUFFORCE, socket.SO_SNDBUF)):
        try:
            raw.setsockopt(socket.SOL_SOCKET, forced, buffer_bytes)
        except OSError:
            raw.setsockopt(socket.SOL_SOCKET, plain, buffer_bytes)
    raw.bind((interface, ETH_P_ALL))
    return raw


def leave_out_ethertype(raw: socket.socket, ethertype: int) -> None:
    """Have a raw socket get no frame of an EtherType from now on (a classic filter, SO_ATTACH_FILTER)."""
    load_half_word, jump_if_equal, give_back = 0x28, 0x15, 0x06
    steps = (
        (load_half_word, 0, 0, 12),
        (jump_if_equal, 0, 1, ethertype),
        (give_back, 0, 0, 0),
        (give_back, 0, 0, 0xFFFFFFFF),
    )
    program = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in steps))
    header = struct.pack("HxxxxxxP", len(steps), ctypes.addressof(program))
    raw.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, header)


def last_arrival(raw: socket.socket) -> float | None:
    """Kernel receive stamp (seconds since the epoch) of the frame read last; None when there is none yet."""
    try:
        seconds, nanoseconds = struct.unpack("qq", fcntl.ioctl(raw, SIOCGSTAMPNS, bytes(16)))
    except OSError:
        return None
    return float(seconds + nanoseconds * 1e-9)


def write_sysctl(path: str, value: str | int) -> bool:
    """Set /proc/sys/net/PATH of the current namespace; False when it is absent or read-only."""
    try:
        with open(f"/proc/sys/net/{path}", "w") as file:
            file.write(str(value))
    except OSError:
        return False
    return True
