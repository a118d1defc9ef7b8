# SPDX-License-Identifier: GPL-2.0-or-later
"""UDP services of the agent: echo (RFC 862), or a connected socket of its own for every peer that speaks."""

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import Any

from reference.agent.sockets import Connection, new_socket

_DATAGRAM = 65536


class DatagramListener:
    """A bound UDP socket and what becomes of its datagrams."""

    def __init__(
        self,
        held: socket.socket,
        is_echo: bool,
        dual_stack: bool,
        take: Callable[[socket.socket, bytes], Connection],
    ) -> None:
        self._socket, self._is_echo, self._dual_stack, self._take = held, is_echo, dual_stack, take
        self._local = held.getsockname()
        self._peers: dict[Any, Connection] = {}
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(held, self._read)

    def _read(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                data, peer = self._socket.recvfrom(_DATAGRAM)
                if self._is_echo:
                    self._socket.sendto(data, peer)
                else:
                    self._hand_over(data, peer)

    def _hand_over(self, data: bytes, peer: Any) -> None:
        """The kernel gives later datagrams of the peer to its own socket; those on the way come here."""
        known = self._peers.get(peer)
        if known is not None and known.socket.fileno() >= 0:
            known.backlog.append(data)
            return
        held = new_socket("udp", self._dual_stack)
        try:
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            held.bind(self._local)
            held.connect(peer)
        except OSError:
            held.close()
            return
        self._peers[peer] = self._take(held, data)

    def close(self) -> None:
        self._loop.remove_reader(self._socket)
        self._socket.close()
