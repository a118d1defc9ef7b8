# SPDX-License-Identifier: GPL-2.0-or-later
"""What the kernel tells of its TCP sockets, and is told."""

import contextlib
import fcntl
import socket
import struct
import termios

_CLOSE = 7  # of the states that TCP_INFO tells
_KEEPALIVE = {socket.TCP_KEEPIDLE: 60, socket.TCP_KEEPINTVL: 15, socket.TCP_KEEPCNT: 4}


def is_closed(held: socket.socket) -> bool:
    """Whether nothing more comes or goes: after an error, or when both FINs have been acknowledged."""
    return held.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == _CLOSE


def unacknowledged(held: socket.socket) -> int:
    """Bytes that were sent and that the peer's kernel has not acknowledged yet; a FIN counts as one."""
    return int(struct.unpack("i", fcntl.ioctl(held, termios.TIOCOUTQ, bytes(4)))[0])


def prepared(held: socket.socket, *, keepalive: bool = False) -> socket.socket:
    """A socket that sends at once, and notices where `keepalive` that an idle peer has gone."""
    held.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if keepalive:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in _KEEPALIVE.items():
            held.setsockopt(socket.IPPROTO_TCP, option, value)
    return held


def shut(held: socket.socket) -> None:
    """Send a FIN; where the peer has gone meanwhile, the next event says so."""
    with contextlib.suppress(OSError):
        held.shutdown(socket.SHUT_WR)
