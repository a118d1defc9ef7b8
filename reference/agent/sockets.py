# SPDX-License-Identifier: GPL-2.0-or-later
"""The sockets that the agent holds, and what it tells of them."""

import asyncio
import errno
import os
import socket
from collections import deque
from collections.abc import Callable
from typing import Any

from reference.system.addresses import from_kernel_text

#: Errors after which a connection is no more.
GONE = frozenset({errno.ECONNRESET, errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ECONNREFUSED, errno.ECONNABORTED})
_TYPES = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}
_STATES = (
    "", "ESTABLISHED", "SYN_SENT", "SYN_RECEIVED", "FIN_WAIT_1", "FIN_WAIT_2", "TIME_WAIT", "CLOSED", "CLOSE_WAIT",
    "LAST_ACK", "LISTEN", "CLOSING",
)  # fmt: skip
_IPV6_RECVERR = 25


class RefusedError(Exception):
    """An operation that cannot be done, with the reason for the caller."""


class Chosen:
    """What an application has chosen for a socket: parameters of the verbs that the daemon understands, by name."""

    def __init__(self, protocol: str, **choices: Any) -> None:
        if protocol not in _TYPES:
            raise RefusedError(f"protocol {protocol!r}: tcp | udp")
        self.protocol = protocol
        self.choices = {name: choice for name, choice in choices.items() if choice is not None}

    @property
    def is_any(self) -> bool:
        """Whether the application has chosen anything."""
        return bool(self.choices)

    def declaration(self, port: int) -> dict[str, Any]:
        return {"protocol": self.protocol, "port": port, "choices": self.choices}


class Connection:
    """A socket that the upper tester holds."""

    def __init__(self, held: socket.socket, listener: int | None, chosen: Chosen | None) -> None:
        self.socket, self.listener, self.chosen = held, listener, chosen
        self.tasks: set[asyncio.Task[Any]] = set()
        self.protocol = "tcp" if held.type == socket.SOCK_STREAM else "udp"
        self.port = held.getsockname()[1]
        self.backlog: deque[bytes] = deque()  # datagrams that its listener has taken
        self.error = ""  # the one that ended it
        if self.protocol == "tcp":
            held.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class Listener:
    """A listening socket and its service."""

    def __init__(
        self,
        held: socket.socket,
        is_bound: bool,
        closing: Callable[[], None],
        accept: Callable[[], None] = lambda: None,
        chosen: Chosen | None = None,
    ) -> None:
        self.port = held.getsockname()[1]
        self.is_bound = is_bound  # to an address, not to any
        self.close = closing
        self.accept = accept
        self.chosen = chosen


def new_socket(protocol: str, dual_stack: bool) -> socket.socket:
    """A socket for addresses of all networks in use."""
    held = socket.socket(socket.AF_INET6 if dual_stack else socket.AF_INET, _TYPES[protocol])
    held.setblocking(False)
    if dual_stack:
        held.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        if protocol == "udp":
            held.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVERR, 1)
    return held


def describe(error: Exception) -> str:
    """An error for the upper tester, the name of the errno first."""
    number = getattr(error, "errno", None) or 0
    if number in errno.errorcode:
        return f"{errno.errorcode[number]}: {os.strerror(number)}"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def facts(connection: Connection) -> dict[str, str]:
    """State and tuple of a socket, as an application would see them."""
    held = connection.socket
    if connection.protocol == "udp":
        state = "CLOSED" if connection.error else "ESTABLISHED"
    else:
        try:
            state = _STATES[held.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]]
        except (OSError, IndexError):
            state = "CLOSED"

    def text(name: Callable[[], Any]) -> str:
        try:
            address, port, *_ = name()
        except OSError:
            return ""
        return f"{from_kernel_text(address)}:{port}"

    tuples = {"local": text(held.getsockname), "peer": text(held.getpeername)}
    return {"protocol": connection.protocol, "state": state, **tuples}
