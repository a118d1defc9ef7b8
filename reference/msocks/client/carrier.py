# SPDX-License-Identifier: GPL-2.0-or-later
"""What carries one connection between the application's socket and the proxy, through moves and losses.

"Received" is what this library has taken from the proxy, "sent" what it has handed to the kernel for it. What was sent
is kept until the proxy's kernel has acknowledged it, and some more: a proxy may have lost what its kernel took.
"""

import contextlib
import os
import select
import socket
import struct
import time
from collections import deque

from reference.msocks.client.dialogue import Dialogue, RefusedError
from reference.msocks.messages import Counters, End, command
from reference.msocks.settings import NodeSettings
from reference.msocks.stream import Stream
from reference.msocks.tcp import is_closed, prepared, shut, unacknowledged

_CHUNK = 65536
_MOST_WAITING = 1 << 18
_KEEP = 1 << 20
_TRY_S, _AGAIN_S, _SETTLE_S, _DRAIN_S = 5.0, 0.2, 0.02, 1.0


class LostError(Exception):
    """The way to the proxy is gone, or the host has moved."""


class Carrier:
    """One connection. `run` returns when it is over."""

    role = "mobile node"

    def __init__(
        self,
        settings: NodeSettings,
        give_up_s: float,
        identifier: End,
        mobile: socket.socket,
        application: socket.socket,
    ) -> None:
        self.settings, self.give_up_s, self.identifier = settings, give_up_s, identifier
        self.application = application
        self.outgoing = Stream()
        self.received = 0
        self.incoming: deque[bytes] = deque()  # for the application
        self.application_finished = self.proxy_finished = False  # it has sent all
        self.application_shut = self.proxy_shut = False  # it has been told that all is sent
        self.deaf = False  # the application has closed: what comes for it is of no use
        self._attached_at = self._sent_here = 0
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        application.setblocking(False)
        self._take_over(mobile)

    def moved(self) -> None:
        """The host has another address: called from any thread."""
        os.eventfd_write(self._wake, 1)

    def run(self) -> None:
        """Carry until both have sent all and got all, or the proxy refuses to go on."""
        try:
            while not self._carried():
                self.reconnect()
        except OSError as error:
            self.give_up(error)

    def close(self) -> None:
        """Let go of both sockets; nobody calls `moved` any more."""
        self.mobile.close()
        self.application.close()
        os.close(self._wake)

    def local_address(self) -> str:
        """The host's own address of the way to the proxy, empty when there is none."""
        try:
            return str(self.mobile.getsockname()[0])
        except OSError:
            return ""

    # Choices ------------------------------------------------------------------------------------------------------

    def counters(self) -> Counters:
        """What the proxy is told: bytes received, and sent by the application, since the connection began."""
        return Counters(self.received, self.outgoing.end)

    def drain(self) -> None:
        """Take what the kernel has acknowledged on the old way: the proxy may not have it any more.

        An end is no FIN here: after an error nothing else comes, and a FIN comes again on the new way.
        """
        deadline = time.monotonic() + _DRAIN_S
        with contextlib.suppress(OSError):
            while not self.proxy_finished and time.monotonic() < deadline and (data := self.mobile.recv(_CHUNK)):
                self._taken(data)

    def is_possible(self, proxy: Counters) -> bool:
        """Whether a proxy can have received and sent so much, and all it lacks is kept."""
        return self.outgoing.start <= proxy.received <= self.outgoing.highest and proxy.sent >= self.received

    def go_on(self, proxy: Counters) -> None:
        """Send what the proxy has not received, from there on."""
        self.outgoing.rewind(proxy.received)

    def give_up(self, error: OSError) -> None:
        """There is no way on: an error for the application, as of a connection that was reset."""
        del error
        self.application.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def request(self) -> bytes:
        """The RECONNECT."""
        return command(self.settings.reconnect_command, self.identifier, self.counters())

    # Reconnecting ------------------------------------------------------------------------------------------------

    def reconnect(self) -> None:
        """Find the proxy from where the host is now; OSError when it refuses or is not found in time."""
        deadline = time.monotonic() + self.give_up_s
        self.drain()
        self._take_from_application()
        while True:
            self._forget_moves()
            try:
                self._reconnect_once()
            except RefusedError:
                raise
            except OSError:
                if time.monotonic() > deadline:
                    raise
                select.select([self._wake], [], [], _AGAIN_S)
            else:
                return

    def _reconnect_once(self) -> None:
        dialogue = Dialogue(self.settings, _TRY_S)
        try:
            dialogue.ask(self.request())
            proxy = dialogue.counters()
        except BaseException:
            dialogue.socket.close()
            raise
        if not self.is_possible(proxy):
            dialogue.socket.close()
            raise RefusedError(1)
        self.mobile.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.mobile.close()
        self.go_on(proxy)
        self._take_over(dialogue.socket)

    def _take_over(self, mobile: socket.socket) -> None:
        self.mobile = prepared(mobile, keepalive=True)
        mobile.setblocking(False)
        self._attached_at, self._sent_here, self.proxy_shut = self.outgoing.position, 0, False

    def _forget_moves(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._wake)

    # Carrying ----------------------------------------------------------------------------------------------------

    def _carried(self) -> bool:
        """Carry; True when all is over, False when the way to the proxy is lost."""
        try:
            while not self._is_over():
                self._step()
        except LostError:
            return False
        return True

    def _is_over(self) -> bool:
        """Whether both sides have sent all, and the proxy's kernel has acknowledged the last byte."""
        if not (self.proxy_finished and self.application_shut and self.proxy_shut):
            return False
        if error := self.mobile.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise LostError(error)
        return is_closed(self.mobile)

    def _step(self) -> None:
        waiting = select.poll()
        waiting.register(self._wake, select.POLLIN)
        settling = self.proxy_finished and self.proxy_shut
        takes = not self.proxy_finished and (self.deaf or self._incoming_length() < _MOST_WAITING)
        sends = self.outgoing.unsent > 0
        if not settling:
            waiting.register(self.mobile, select.POLLIN * takes | select.POLLOUT * sends)
        reads = not self.application_finished and self.outgoing.unsent < _MOST_WAITING
        gives = bool(self.incoming)
        if not (self.deaf or (self.application_finished and self.application_shut)):
            waiting.register(self.application, select.POLLIN * reads | select.POLLOUT * gives)
        ready = dict(waiting.poll(_SETTLE_S * 1000 if settling else None))
        if self._wake in ready:
            self._forget_moves()
            raise LostError
        if events := ready.get(self.application.fileno()):
            self._serve_application(reads or bool(events & select.POLLERR))
        if events := ready.get(self.mobile.fileno()):
            if events & select.POLLERR and not takes:
                raise LostError
            self._serve_mobile(takes)

    def _incoming_length(self) -> int:
        return sum(map(len, self.incoming))

    def _serve_application(self, reads: bool) -> None:
        """Take from the application and give to it."""
        try:
            if reads:
                self._read_application()
            self._give()
        except BlockingIOError:
            pass
        except OSError:
            self._application_gone()
        self._send()

    def _take_from_application(self) -> None:
        """Take all that it has sent, as far as there is room: it counts as sent."""
        try:
            while not self.application_finished and self.outgoing.unsent < _MOST_WAITING and self._read_application():
                pass
        except OSError:
            self._application_gone()

    def _read_application(self) -> bool:
        """Take what the application has sent; False when there was nothing."""
        try:
            data = self.application.recv(_CHUNK)
        except BlockingIOError:
            return False
        if data:
            self.outgoing.append(data)
        else:
            self.application_finished = True
        return True

    def _application_gone(self) -> None:
        """The application has closed: it sends nothing and takes nothing any more."""
        self.application_finished = self.application_shut = self.deaf = True
        self.incoming.clear()

    def _serve_mobile(self, takes: bool) -> None:
        try:
            if takes:
                self._take()
        except OSError as error:
            raise LostError from error
        self._send()
        with contextlib.suppress(BlockingIOError):
            self._give()

    def _take(self) -> None:
        """Take what has come from the proxy."""
        try:
            data = self.mobile.recv(_CHUNK)
        except BlockingIOError:
            return
        if data:
            self._taken(data)
        else:
            self.proxy_finished = True

    def _taken(self, data: bytes) -> None:
        self.received += len(data)
        if not self.deaf:
            self.incoming.append(data)

    def _give(self) -> None:
        """Give the application what has come for it."""
        while self.incoming:
            count = self.application.send(self.incoming[0])
            if count < len(self.incoming[0]):
                self.incoming[0] = self.incoming[0][count:]
            else:
                self.incoming.popleft()
        if self.proxy_finished and not self.application_shut:
            self.application_shut = True
            shut(self.application)

    def _send(self) -> None:
        """Send what the kernel takes, and a FIN after the last byte."""
        try:
            while self.outgoing.unsent:
                count = self.mobile.send(self.outgoing.piece())
                self.outgoing.sent(count)
                self._sent_here += count
        except BlockingIOError:
            pass
        except OSError as error:
            raise LostError from error
        if self.application_finished and not self.outgoing.unsent and not self.proxy_shut:
            self.proxy_shut = True
            shut(self.mobile)
        if self.outgoing.position - self.outgoing.start >= _KEEP + _CHUNK:
            waiting = unacknowledged(self.mobile)
            if not is_closed(self.mobile):
                self.outgoing.forget(self._attached_at + self._sent_here - waiting - _KEEP)
