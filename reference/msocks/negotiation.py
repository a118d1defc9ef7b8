# SPDX-License-Identifier: GPL-2.0-or-later
"""What a client of the proxy says before its connection is joined: method, authentication, request."""

import contextlib
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from reference.msocks import messages
from reference.msocks.loop import READ, EventLoop, Timer, Watched
from reference.msocks.messages import BIND, CONNECT, Counters, End, MalformedError, Request
from reference.msocks.settings import ProxySettings

if TYPE_CHECKING:
    from reference.msocks.proxy import Proxy
    from reference.msocks.relay import Relay

_PIECE = 4096
_PATIENCE_S, _CLOSE_S = 30.0, 2.0


class Negotiation:
    """One client, until its connection is joined or refused."""

    role = "proxy"

    def __init__(self, proxy: "Proxy", settings: ProxySettings, loop: EventLoop, client: socket.socket) -> None:
        self.proxy, self.settings, self.loop = proxy, settings, loop
        self.buffer = b""
        self.user = b""
        self.step: Callable[[], bool] | None = self._greeting
        self.give_up: Callable[[], None] | None = None  # of the way outward
        self.over = self.finishing = False
        self.held = Watched(loop, client, self._ready, READ)
        self._timer: Timer = loop.after(_PATIENCE_S, self.close)

    # Choices -----------------------------------------------------------------------------------------------------

    def choose_method(self, offered: bytes) -> int:
        """The method, of those that a client offers (RFC 1928, section 3)."""
        if self.settings.users and messages.USERNAME_PASSWORD in offered:
            return messages.USERNAME_PASSWORD
        if self.settings.anonymous and messages.NO_AUTHENTICATION in offered:
            return messages.NO_AUTHENTICATION
        return messages.NONE_ACCEPTABLE

    def is_user(self, name: bytes, password: bytes) -> bool:
        """Whether somebody is who he says (RFC 1929)."""
        return self.settings.users.get(name) == password

    def refusal_of_reconnect(self) -> int:
        """The REP to a RECONNECT that cannot be."""
        return messages.NOT_ALLOWED

    def unknown_command(self) -> int:
        """The REP to a command that the proxy does not know."""
        return messages.COMMAND_NOT_SUPPORTED

    # What comes --------------------------------------------------------------------------------------------------

    def _ready(self, _: int) -> None:
        try:
            data = self.held.socket.recv(_PIECE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            return
        if self.finishing:
            return
        self.buffer += data
        try:
            while self.step is not None and self.step():
                pass
        except MalformedError as error:
            if error.reply is None:
                self.close()
            else:
                self.refuse(error.reply)

    def _take(self, count: int) -> None:
        self.buffer = self.buffer[count:]

    def _greeting(self) -> bool:
        found = messages.greeting(self.buffer)
        if found is None:
            return False
        self._take(found[0])
        method = self.choose_method(found[1])
        self.say(bytes([messages.VERSION, method]))
        if method == messages.NONE_ACCEPTABLE:
            self._finish()
        elif method == messages.USERNAME_PASSWORD:
            self.step = self._login
        else:
            self.step = self._request
        return True

    def _login(self) -> bool:
        found = messages.login(self.buffer)
        if found is None:
            return False
        count, name, password = found
        self._take(count)
        if not self.is_user(name, password):
            self.say(bytes([messages.LOGIN_VERSION, 1]))
            self._finish()
            return True
        self.user = name
        self.say(bytes([messages.LOGIN_VERSION, 0]))
        self.step = self._request
        return True

    def _request(self) -> bool:
        request = messages.request(self.buffer, self.settings.reconnect_command)
        if request is None:
            return False
        self._take(request.length)
        self.step = None
        self.carry_out(request)
        return True

    def carry_out(self, request: Request) -> None:
        """Do what a request asks."""
        if request.command == CONNECT:
            self.held.want(0)
            self.give_up = self.proxy.outward.connect(request, self._connected, self.refuse)
        elif request.command == BIND and self.settings.bind:
            self._bind(request)
        elif request.command == self.settings.reconnect_command:
            self.reconnect(request)
        else:
            self.refuse(self.unknown_command())

    # Requests ----------------------------------------------------------------------------------------------------

    def _connected(self, outside: socket.socket) -> None:
        identifier = self.proxy.outward.identifier(outside)
        self.say(messages.reply(messages.SUCCEEDED, identifier))
        self._join(outside, identifier)

    def _bind(self, request: Request) -> None:
        where: list[End] = []

        def bound(identifier: End) -> None:
            where.append(identifier)
            self.say(messages.reply(messages.SUCCEEDED, identifier))

        def accepted(outside: socket.socket) -> None:
            address, port = outside.getpeername()[:2]
            self.say(messages.reply(messages.SUCCEEDED, End(address, port)))
            self._join(outside, where[0])

        self._timer.cancel()
        self.held.want(0)
        try:
            self.give_up = self.proxy.outward.bind(request, bound, accepted, self.refuse)
        except OSError as error:
            self.refuse(self.proxy.outward.reply_code(error))

    def _join(self, outside: socket.socket, identifier: End) -> None:
        self.give_up = None
        if self.over:
            outside.close()
            return
        relay = self.proxy.open(outside, identifier, self.user)
        relay.attach(self.hand_over(), 0, self.buffer)

    def reconnect(self, request: Request) -> None:
        """Give the client the connection that it names, if it can go on there."""
        relay = self.proxy.find(request.to, self.user)
        if relay is not None:
            relay.drain()
        if relay is None or relay.over or not self.is_served(request.counters, relay):
            self.refuse(self.refusal_of_reconnect())
            return
        self.say(messages.reply(messages.SUCCEEDED, relay.identifier, relay.counters()))
        relay.attach(self.hand_over(), request.counters.received, self.buffer)

    def is_served(self, counters: Counters, relay: "Relay") -> bool:
        """Whether a connection can go on from such counters."""
        return relay.is_possible(counters) and relay.can_replay(counters)

    # The end -----------------------------------------------------------------------------------------------------

    def hand_over(self) -> socket.socket:
        """The client's socket, for the relay that it belongs to."""
        self.over = True
        self._timer.cancel()
        self.proxy.negotiated(self)
        return self.held.give_away()

    def say(self, message: bytes) -> None:
        """Send a message; a client that has gone is noticed when it is read."""
        with contextlib.suppress(OSError):
            self.held.socket.send(message)

    def refuse(self, code: int) -> None:
        """Tell why there is no connection; the connection of the client ends (RFC 1928, section 6)."""
        self.give_up = None
        if not self.over:
            self.say(messages.reply(code))
            self._finish()

    def _finish(self) -> None:
        """Send no more, and wait a little for the client to do the same, so that no reset overtakes the reply."""
        self.step, self.finishing = None, True
        self._timer.cancel()
        self._timer = self.loop.after(_CLOSE_S, self.close)
        try:
            self.held.socket.shutdown(socket.SHUT_WR)
        except OSError:
            self.close()
            return
        self.held.want(READ)

    def close(self) -> None:
        """The client is gone, or has to go."""
        if self.over:
            return
        self.over = True
        self._timer.cancel()
        if self.give_up is not None:
            self.give_up()
        self.held.close()
        self.proxy.negotiated(self)
