# SPDX-License-Identifier: GPL-2.0-or-later
"""The way to a correspondent: CONNECT and BIND on kernel sockets, without waiting for them."""

import errno
import os
import socket
import struct
import threading
import time
from collections.abc import Callable

from reference.msocks import messages
from reference.msocks.loop import READ, WRITE, EventLoop, Watched
from reference.msocks.messages import End, Request

_IP_RECVERR = 11
_ERROR = struct.Struct("=IBBBxII")  # sock_extended_err: errno, origin, type, code, info, data
_FROM_ICMP, _TIME_EXCEEDED = 2, 11
_CONNECT_S, _ACCEPT_S = 8.0, 60.0
_NOT_AGAIN_S = 60.0
_TRIES = 64

REPLIES = {
    errno.ECONNREFUSED: messages.CONNECTION_REFUSED,
    errno.ENETUNREACH: messages.NETWORK_UNREACHABLE,
    errno.EADDRNOTAVAIL: messages.NETWORK_UNREACHABLE,
    errno.EHOSTUNREACH: messages.HOST_UNREACHABLE,
    errno.EHOSTDOWN: messages.HOST_UNREACHABLE,
    errno.ETIMEDOUT: messages.HOST_UNREACHABLE,
    errno.EACCES: messages.NOT_ALLOWED,
    errno.EPERM: messages.NOT_ALLOWED,
    errno.EAFNOSUPPORT: messages.ADDRESS_TYPE_NOT_SUPPORTED,
}

Done = Callable[[socket.socket], None]
Failed = Callable[[int], None]


class Outward:
    """Makes the outside connections. Each has a port of its own, so that it identifies the connection."""

    role = "proxy"

    def __init__(self, loop: EventLoop, outside: str) -> None:
        self._loop, self._outside = loop, outside
        self._used: dict[int, float] = {}
        self._answers: list[Callable[[], None]] = []
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        loop.add(self._wake, READ, self._resolved)

    def reply_code(self, error: OSError, icmp_type: int | None = None) -> int:
        """The REP for an error of the kernel, and the type of the ICMP message that it came of."""
        if icmp_type == _TIME_EXCEEDED:
            return messages.TTL_EXPIRED
        return REPLIES.get(error.errno or 0, messages.GENERAL_FAILURE)

    def identifier(self, held: socket.socket) -> End:
        """What tells a connection from all others: the proxy's end of it."""
        address, port = held.getsockname()[:2]
        return End(address, port)

    def used(self, port: int) -> None:
        """The port of a connection that is over is not taken again soon."""
        self._used.pop(port, None)
        self._used[port] = time.monotonic()

    # CONNECT -----------------------------------------------------------------------------------------------------

    def connect(self, request: Request, done: Done, failed: Failed) -> Callable[[], None]:
        """Connect to where a request says; what comes back gives it up."""
        attempt = Attempt(self, self._loop, done, failed)
        if request.kind == messages.DOMAIN:
            self._resolve(request.to, attempt)
        else:
            family = socket.AF_INET if request.kind == messages.IPV4 else socket.AF_INET6
            attempt.start(family, (request.to.address, request.to.port))
        return attempt.give_up

    def new_socket(self, family: int) -> socket.socket:
        """A socket with a port that no other connection has, or has had lately."""
        soon = time.monotonic() - _NOT_AGAIN_S
        while self._used and next(iter(self._used.values())) < soon:
            del self._used[next(iter(self._used))]
        for _ in range(_TRIES):
            held = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
            try:
                held.bind((self._outside if family == socket.AF_INET else "", 0))
            except OSError:
                held.close()
                raise
            if held.getsockname()[1] not in self._used:
                return held
            held.close()
        raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))

    def _resolve(self, to: End, attempt: "Attempt") -> None:
        """Ask for the address of a name in a thread of its own."""

        def ask() -> None:
            try:
                found = socket.getaddrinfo(to.address, to.port, socket.AF_INET, socket.SOCK_STREAM)[0]
                self._answers.append(lambda: attempt.start(found[0], found[4]))
            except (OSError, UnicodeError):
                self._answers.append(lambda: attempt.fail(OSError(errno.EHOSTUNREACH, "")))
            os.eventfd_write(self._wake, 1)

        threading.Thread(target=ask, daemon=True).start()

    def _resolved(self, _: int) -> None:
        os.eventfd_read(self._wake)
        while self._answers:
            self._answers.pop(0)()

    # BIND --------------------------------------------------------------------------------------------------------

    def bind(self, request: Request, bound: Callable[[End], None], done: Done, failed: Failed) -> Callable[[], None]:
        """Listen for a connection from where a request says; what comes back gives it up."""
        return Waiting(self, self._loop, request.to.address, bound, done, failed).give_up


class Attempt:
    """A connection that is being made."""

    def __init__(self, outward: Outward, loop: EventLoop, done: Done, failed: Failed) -> None:
        self._outward, self._loop, self._done, self._failed = outward, loop, done, failed
        self._held: Watched | None = None
        self._over = False
        self._timer = loop.after(_CONNECT_S, lambda: self.fail(OSError(errno.ETIMEDOUT, "")))

    def start(self, family: int, address: object) -> None:
        """Connect from a port of its own; errors of ICMP are told with their type."""
        if self._over:
            return
        try:
            held = self._outward.new_socket(family)
            self._held = Watched(self._loop, held, self._ready, WRITE)
            if family == socket.AF_INET:
                held.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
            held.connect(address)  # type: ignore[arg-type]
        except BlockingIOError:
            pass
        except OSError as error:
            self.fail(error)

    def _ready(self, _: int) -> None:
        assert self._held is not None
        held = self._held.socket
        error = held.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            self.fail(OSError(error, os.strerror(error)), _icmp_type(held))
            return
        held.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 0)
        self._over, self._held = True, None
        self._timer.cancel()
        self._loop.remove(held.fileno())
        self._done(held)

    def fail(self, error: OSError, icmp_type: int | None = None) -> None:
        """There will be no connection."""
        if not self._over:
            self.give_up()
            self._failed(self._outward.reply_code(error, icmp_type))

    def give_up(self) -> None:
        """Nobody wants the connection any more."""
        self._over = True
        self._timer.cancel()
        if self._held is not None:
            self._held.close()
            self._held = None


class Waiting:
    """A port at which a correspondent may connect, once."""

    def __init__(
        self,
        outward: Outward,
        loop: EventLoop,
        expected: str,
        bound: Callable[[End], None],
        done: Done,
        failed: Failed,
    ) -> None:
        self._outward, self._expected, self._done, self._failed = outward, expected, done, failed
        listening = outward.new_socket(socket.AF_INET)
        listening.listen(1)
        self._held = Watched(loop, listening, self._ready, READ)
        self._over = False
        self._timer = loop.after(_ACCEPT_S, self._late)
        bound(outward.identifier(listening))

    def is_expected(self, address: str) -> bool:
        """Whether somebody may connect: whom the request named (RFC 1928, section 4), or anybody if it was nobody."""
        return self._expected in (address, "0.0.0.0")

    def _ready(self, _: int) -> None:
        try:
            held, (address, _port) = self._held.socket.accept()
        except OSError:
            return
        if not self.is_expected(address):
            held.close()
            return
        self.give_up()
        self._done(held)

    def _late(self) -> None:
        if not self._over:
            self.give_up()
            self._failed(messages.TTL_EXPIRED)

    def give_up(self) -> None:
        """Nobody waits any more."""
        if not self._over:
            self._over = True
            self._timer.cancel()
            self._held.close()


def _icmp_type(held: socket.socket) -> int | None:
    """The type of the ICMP message that ended a connection attempt; None if there was none."""
    try:
        _, ancillary, _, _ = held.recvmsg(1, 256, socket.MSG_ERRQUEUE)
    except OSError:
        return None
    for level, kind, data in ancillary:
        if level == socket.IPPROTO_IP and kind == _IP_RECVERR:
            _, origin, icmp_type, *_ = _ERROR.unpack_from(data)
            return int(icmp_type) if origin == _FROM_ICMP else None
    return None
