# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP echo service (RFC 862) for any number of connections."""

import asyncio
import socket


class Echo(asyncio.Protocol):
    """Sends back what comes, no faster than it is taken."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data: bytes) -> None:
        self._transport.write(data)

    def pause_writing(self) -> None:
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._transport.resume_reading()
