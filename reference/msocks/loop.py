# SPDX-License-Identifier: GPL-2.0-or-later
"""The event loop of the proxy: plain epoll, level-triggered, with timers; and sockets that are in it."""

import heapq
import itertools
import select
import socket
import struct
import time
from collections.abc import Callable

READ, WRITE = select.EPOLLIN, select.EPOLLOUT
_MOST_EVENTS = 256


class Timer:
    """A call that is due some time, unless it is cancelled."""

    __slots__ = ("call",)

    def __init__(self, call: Callable[[], None]) -> None:
        self.call: Callable[[], None] | None = call

    def cancel(self) -> None:
        self.call = None


class EventLoop:
    """Calls handlers of descriptors that are ready, and timers that are due."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._handlers: dict[int, Callable[[int], None]] = {}
        self._timers: list[tuple[float, int, Timer]] = []
        self._numbers = itertools.count()

    def add(self, descriptor: int, events: int, handler: Callable[[int], None]) -> None:
        """Call a handler, with the events, whenever a descriptor is ready."""
        self._handlers[descriptor] = handler
        self._epoll.register(descriptor, events)

    def change(self, descriptor: int, events: int) -> None:
        self._epoll.modify(descriptor, events)

    def remove(self, descriptor: int) -> None:
        """Forget a descriptor, before it is closed."""
        del self._handlers[descriptor]
        self._epoll.unregister(descriptor)

    def after(self, seconds: float, call: Callable[[], None]) -> Timer:
        """Call something once, in so many seconds."""
        timer = Timer(call)
        heapq.heappush(self._timers, (time.monotonic() + seconds, next(self._numbers), timer))
        return timer

    def run(self, events: dict[int, Callable[[], None]]) -> None:
        """Serve, these descriptors too, until something raises."""
        for descriptor, handler in events.items():
            self.add(descriptor, READ, _without_events(handler))
        while True:
            for descriptor, ready in self._epoll.poll(self._due(), _MOST_EVENTS):
                found = self._handlers.get(descriptor)
                if found is not None:
                    found(ready)

    def _due(self) -> float:
        """Call what is due; the seconds until the next timer, -1 where there is none."""
        while self._timers:
            due, _, timer = self._timers[0]
            if timer.call is not None and (left := due - time.monotonic()) > 0:
                return left
            heapq.heappop(self._timers)
            if timer.call is not None:
                timer.call()
        return -1


def _without_events(handler: Callable[[], None]) -> Callable[[int], None]:
    return lambda _: handler()


class Watched:
    """A socket in the loop, with what is waited for."""

    __slots__ = ("_events", "_handler", "_loop", "socket")

    def __init__(self, loop: EventLoop, held: socket.socket, handler: Callable[[int], None], events: int = 0) -> None:
        held.setblocking(False)
        self._loop, self.socket, self._handler = loop, held, handler
        self._events: int | None = events
        loop.add(held.fileno(), events, handler)

    def want(self, events: int) -> None:
        """Wait for these events from now on; errors always count."""
        if self._events is None:
            self._loop.add(self.socket.fileno(), events, self._handler)
        elif events != self._events:
            self._loop.change(self.socket.fileno(), events)
        self._events = events

    def leave(self) -> None:
        """Wait for nothing, not even errors."""
        if self._events is not None:
            self._events = None
            self._loop.remove(self.socket.fileno())

    def give_away(self) -> socket.socket:
        """The socket, out of the loop."""
        self.leave()
        return self.socket

    def close(self) -> None:
        """What was sent is still delivered."""
        self.leave()
        self.socket.close()

    def abort(self) -> None:
        """What was sent is not delivered any more; the peer gets a reset."""
        self.leave()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()
