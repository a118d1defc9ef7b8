# SPDX-License-Identifier: GPL-2.0-or-later
"""What a client and a proxy say to each other before data flows, on a socket that waits."""

import errno
import os
import socket
import time

from reference.msocks import messages
from reference.msocks.messages import COUNTERS, Counters, End
from reference.msocks.settings import NodeSettings

ERRORS = {
    messages.NOT_ALLOWED: errno.EACCES,
    messages.NETWORK_UNREACHABLE: errno.ENETUNREACH,
    messages.HOST_UNREACHABLE: errno.EHOSTUNREACH,
    messages.CONNECTION_REFUSED: errno.ECONNREFUSED,
    messages.TTL_EXPIRED: errno.EHOSTUNREACH,
}


class RefusedError(OSError):
    """The proxy says no; `errno` is what a kernel would have said, ECONNABORTED where it would have said nothing."""

    def __init__(self, code: int) -> None:
        number = ERRORS.get(code, errno.ECONNABORTED)
        super().__init__(number, f"{os.strerror(number)} (the proxy's reply {code})")


class Dialogue:
    """One connection to the proxy, not yet joined; everything has to be done within so many seconds."""

    def __init__(self, settings: NodeSettings, within_s: float) -> None:
        self._settings = settings
        self._deadline = time.monotonic() + within_s
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self.socket.settimeout(self._left())
            self.socket.connect((settings.proxy, settings.port))
            self._authenticate()
        except BaseException:
            self.socket.close()
            raise

    def ask(self, request: bytes) -> End:
        """Send a request; BND of the reply, or RefusedError."""
        self._send(request)
        data = self._read(5)
        while (found := messages.read_reply(data)) is None:
            data += self._read(1)
        _, code, bound = found
        if code != messages.SUCCEEDED:
            raise RefusedError(code)
        return bound

    def counters(self) -> Counters:
        """The two numbers after the reply to a RECONNECT."""
        return Counters(*COUNTERS.unpack(self._read(COUNTERS.size)))

    def _authenticate(self) -> None:
        user = self._settings.user
        methods = bytes([messages.NO_AUTHENTICATION]) if user is None else bytes([messages.USERNAME_PASSWORD])
        self._send(bytes([messages.VERSION, len(methods)]) + methods)
        version, method = self._read(2)
        if version != messages.VERSION or method not in methods:
            raise RefusedError(messages.NOT_ALLOWED)
        if user is not None:
            name, password = user
            self._send(
                bytes([messages.LOGIN_VERSION, len(name)]) + name + bytes([len(password)]) + password,
            )
            if self._read(2)[1]:
                raise RefusedError(messages.NOT_ALLOWED)

    def _send(self, data: bytes) -> None:
        self.socket.settimeout(self._left())
        self.socket.sendall(data)

    def _read(self, count: int) -> bytes:
        """Exactly so many bytes: what follows is not ours."""
        data = b""
        while len(data) < count:
            self.socket.settimeout(self._left())
            more = self.socket.recv(count - len(data))
            if not more:
                raise ConnectionResetError(errno.ECONNRESET, "the proxy has closed")
            data += more
        return data

    def _left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
        return left
