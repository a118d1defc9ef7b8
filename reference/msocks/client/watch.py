# SPDX-License-Identifier: GPL-2.0-or-later
"""Notices that the host has moved: the kernel tells each change of its addresses (rtnetlink)."""

import array
import fcntl
import socket
import struct
from collections.abc import Callable

_RTMGRP_IPV4_IFADDR = 0x10
_SIOCGIFCONF = 0x8912
_ENTRY = 40
_MOST_ADDRESSES = 256


def own_addresses() -> set[str]:
    """The IPv4 addresses of this host."""

    buffer = array.array("B", bytes(_ENTRY * _MOST_ADDRESSES))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("iP", len(buffer), buffer.buffer_info()[0])
        (length,) = struct.unpack_from("i", fcntl.ioctl(control, _SIOCGIFCONF, request))
    octets = buffer.tobytes()
    return {socket.inet_ntoa(octets[at + 20 : at + 24]) for at in range(0, length, _ENTRY)}


def watch(changed: Callable[[set[str]], None]) -> None:
    """Call with the host's addresses whenever they change, for ever."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as netlink:
        netlink.bind((0, _RTMGRP_IPV4_IFADDR))
        changed(own_addresses())
        while True:
            netlink.recv(65536)
            changed(own_addresses())
