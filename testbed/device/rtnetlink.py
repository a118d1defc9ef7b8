# SPDX-License-Identifier: GPL-2.0-or-later
"""The two rtnetlink messages that every device's wire needs (rtnetlink(7)), written out.

A netlink library takes several times as long as the kernel for them, and longer to import than a device to start; it is
used where wires between devices are joined.
"""

import fcntl
import os
import socket
import struct

_RTM_NEWLINK = 16
_REQUEST, _ACKNOWLEDGE, _EXCLUSIVE, _CREATE = 0x01, 0x04, 0x200, 0x400
_IFF_UP = 0x1
_IFLA_IFNAME, _IFLA_LINKINFO, _IFLA_NET_NS_FD = 3, 18, 28
_IFLA_INFO_KIND, _IFLA_INFO_DATA, _VETH_INFO_PEER = 1, 2, 1
_SIOCGIFHWADDR = 0x8927
_LONGEST = 1 << 16


def make_pair(name: str, peer: str, peer_namespace: int) -> None:
    """Make a pair of virtual Ethernet interfaces, the peer in the namespace behind a descriptor."""
    far = _link() + _name(peer) + _attribute(_IFLA_NET_NS_FD, struct.pack("I", peer_namespace))
    data = _attribute(_IFLA_INFO_DATA, _attribute(_VETH_INFO_PEER, far))
    information = _attribute(_IFLA_LINKINFO, _attribute(_IFLA_INFO_KIND, b"veth") + data)
    _ask(_link() + _name(name) + information, _EXCLUSIVE | _CREATE, f"veth {name}")


def set_up(name: str) -> None:
    """Set an interface of this namespace up."""
    _ask(_link(socket.if_nametoindex(name), _IFF_UP), 0, f"{name} up")


def ethernet_address(name: str) -> str:
    """The Ethernet address of an interface of this namespace (netdevice(7))."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        return fcntl.ioctl(control, _SIOCGIFHWADDR, struct.pack("16s24x", name.encode()))[18:24].hex(":")


def _link(index: int = 0, flags: int = 0) -> bytes:
    """struct ifinfomsg; `flags` are set, the others stay."""
    return struct.pack("=BxHiII", socket.AF_UNSPEC, 0, index, flags, flags)


def _name(name: str) -> bytes:
    return _attribute(_IFLA_IFNAME, name.encode() + b"\0")


def _attribute(kind: int, value: bytes) -> bytes:
    """struct rtattr with its value, padded to four bytes."""
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def _ask(body: bytes, flags: int, what: str) -> None:
    """Send a request about a link and take its acknowledgement; OSError if the kernel refuses."""
    header = struct.pack("=IHHII", 16 + len(body), _RTM_NEWLINK, _REQUEST | _ACKNOWLEDGE | flags, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as route:
        route.send(header + body)
        error = -struct.unpack_from("=i", route.recv(_LONGEST), 16)[0]
    if error:
        raise OSError(error, f"{what}: {os.strerror(error)}")
