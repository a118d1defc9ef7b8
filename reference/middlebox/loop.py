# SPDX-License-Identifier: GPL-2.0-or-later
"""A thin shell of two sockets and a clock around a device between two links."""

import os
import select
import socket
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from reference.bump.ends import Frame
from reference.bump.loop import clock
from reference.middlebox.middlebox import Middlebox
from reference.middlebox.side import Side
from reference.system.log import log

_BURST = 64
_LONGEST_SLEEP_S = 1.0


class WiresLoop:
    """A raw socket on each wire, served until a handler raises."""

    def __init__(
        self, box: Middlebox, wires: Sequence[socket.socket], handlers: Mapping[int, Callable[[], None]]
    ) -> None:
        self._box, self._handlers = box, handlers
        self._wires = {wire.fileno(): (wire, side) for wire, side in zip(wires, box.sides, strict=True)}
        box.now = clock()
        for wire, side in self._wires.values():
            side.attach(partial(self._send, wire, side))

    def run(self, events: dict[int, Callable[[], None]]) -> None:
        """Serve until a handler of `events` (by file descriptor) raises."""
        box, poll = self._box, select.epoll()
        events = {**events, **self._handlers}
        for descriptor in (*self._wires, *events):
            poll.register(descriptor, select.EPOLLIN)
        while True:
            ready = poll.poll(min(_LONGEST_SLEEP_S, max(0.0, box.deadline() - clock())))
            box.now = clock()
            for descriptor, _ in ready:
                if descriptor in self._wires:
                    self._read(*self._wires[descriptor])
                else:
                    events[descriptor]()
            box.tick(clock())

    def _read(self, wire: socket.socket, side: Side) -> None:
        """Take up to a burst of frames."""
        box, receive, room = self._box, wire.recv_into, side.room
        try:
            for _ in range(_BURST):
                length = receive(room)
                box.now = clock()  # never before the frame has come: what it begins may not end too soon
                box.take(side, length)
        except BlockingIOError:
            return
        except OSError as error:  # ENETDOWN, once: the link went down and may come back
            log(f"reading frames: {error.strerror}")

    def _send(self, wire: socket.socket, side: Side, frame: Frame) -> None:
        try:
            wire.send(frame)
        except OSError as error:
            self._box.lost(side, len(frame), os.strerror(error.errno or 0))
