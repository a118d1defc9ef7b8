# SPDX-License-Identifier: GPL-2.0-or-later
"""A SOCKS5 server on the mobile node itself: programs that know one need not know that the node moves."""

import contextlib
import errno
import socket
import struct
import threading

from reference.msocks import messages
from reference.msocks.client.node import MobileNode
from reference.msocks.messages import CONNECT, MalformedError, Request
from reference.msocks.outward import REPLIES

_CHUNK = 65536
_NO_RECONNECT = -1


class LocalServer:
    """Serves 127.0.0.1, a thread each direction of each connection."""

    def __init__(self, node: MobileNode, port: int) -> None:
        self._node = node
        self._listening = socket.create_server(("127.0.0.1", port), backlog=128)
        self.port = self._listening.getsockname()[1]

    def run(self) -> None:
        """Serve for ever."""
        while True:
            client, _ = self._listening.accept()
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client:
            try:
                request, behind = self._negotiate(client)
                connection = self._open(client, request)
            except (OSError, MalformedError):
                return
            with connection:
                back = threading.Thread(target=_copy, args=(connection, client), daemon=True)
                back.start()
                connection.sendall(behind)
                _copy(client, connection)
                back.join()

    def _negotiate(self, client: socket.socket) -> tuple[Request, bytes]:
        """Take the greeting and the request; what came after it."""
        data = b""
        while (greeting := messages.greeting(data)) is None:
            data += _more(client)
        data = data[greeting[0] :]
        client.sendall(bytes([messages.VERSION, messages.NO_AUTHENTICATION]))
        while (request := messages.request(data, _NO_RECONNECT)) is None:
            data += _more(client)
        return request, data[request.length :]

    def _open(self, client: socket.socket, request: Request) -> socket.socket:
        if request.command != CONNECT:
            client.sendall(messages.reply(messages.COMMAND_NOT_SUPPORTED))
            raise OSError(errno.EOPNOTSUPP, "")
        try:
            connection, ends = self._node.connect_with_ends(*request.to)
        except OSError as error:
            client.sendall(messages.reply(REPLIES.get(error.errno or 0, messages.GENERAL_FAILURE)))
            raise
        client.sendall(messages.reply(messages.SUCCEEDED, ends.local))
        return connection


def _more(client: socket.socket) -> bytes:
    data = client.recv(_CHUNK)
    if not data:
        raise OSError(errno.ECONNRESET, "")
    return data


def _copy(source: socket.socket, target: socket.socket) -> None:
    """Copy to the end, and an end that was an error as one."""
    try:
        while data := source.recv(_CHUNK):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                one.shutdown(socket.SHUT_RDWR)
