# SPDX-License-Identifier: GPL-2.0-or-later
"""The two AF_PACKET sockets of a port: one that sees every frame in kernel order, one that sends."""

import fcntl
import socket
import struct

ETH_P_ALL = 3
SO_RCVBUFFORCE = 33
SO_TIMESTAMPNS = 35
PACKET_AUXDATA = 8
PACKET_STATISTICS = 6
PACKET_VNET_HDR = 15
SOL_PACKET = 263
RECEIVE_BUFFER = 16 << 20
_SIOCGIFMTU = 0x8921


def open_capture(interface: str) -> socket.socket:
    """A socket that gets every frame of `interface`, received and sent, with nanosecond stamps, checksum state and the
    size of segments that are still to be cut (testbed.wire.segmentation).

    It is bound last, so that no frame of another interface is ever in its queue.
    """
    capture = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    try:
        capture.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)
    except PermissionError:
        capture.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    capture.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    capture.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    capture.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    capture.setblocking(False)
    capture.bind((interface, ETH_P_ALL))
    return capture


def open_sender(interface: str) -> socket.socket:
    """A socket that sends on `interface` and receives nothing (protocol 0)."""
    sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    sender.bind((interface, 0))
    return sender


def mtu_of(bound: socket.socket) -> int:
    """The MTU of the interface that a socket is bound to: the most bytes of a packet in one of its frames."""
    request = struct.pack("40s", bound.getsockname()[0].encode())
    return int(struct.unpack_from("=16xi", fcntl.ioctl(bound, _SIOCGIFMTU, request))[0])
