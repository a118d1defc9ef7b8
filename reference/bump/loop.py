# SPDX-License-Identifier: GPL-2.0-or-later
"""The daemon's loop: a thin shell of sockets and clock around a datapath."""

import os
import select
import socket
import time
from collections.abc import Callable

from reference.bump.datapath import Datapath
from reference.bump.ends import Frame
from reference.system.linux import last_arrival
from reference.system.log import log

_BURST = 64
_LONGEST_SLEEP_S = 1.0

clock = time.monotonic


class Loop:
    """A raw socket on the wire and one on the kernel's link, served until a handler raises."""

    def __init__(self, datapath: Datapath, wire: socket.socket, stack: socket.socket) -> None:
        self._datapath, self._wire, self._stack = datapath, wire, stack
        self._wire_room, self._kernel_room = datapath.wire_room, datapath.kernel_room
        last_arrival(wire)  # from here on the kernel stamps what arrives
        datapath.now = clock()
        datapath.attach(self)

    def run(self, events: dict[int, Callable[[], None]]) -> None:
        """Serve until a handler of `events` (by file descriptor) raises."""
        datapath, poll = self._datapath, select.epoll()
        wire, stack = self._wire.fileno(), self._stack.fileno()
        for descriptor in (wire, stack, *events):
            poll.register(descriptor, select.EPOLLIN)
        while True:
            ready = poll.poll(min(_LONGEST_SLEEP_S, max(0.0, datapath.deadline() - clock())))
            datapath.now = clock()
            for descriptor, _ in ready:
                if descriptor == wire:
                    self._read(self._wire, self._wire_room, datapath.take_from_wire)
                elif descriptor == stack:
                    self._read(self._stack, self._kernel_room, datapath.take_from_kernel)
                else:
                    events[descriptor]()
            datapath.tick(clock())

    @staticmethod
    def _read(raw: socket.socket, room: memoryview, take: Callable[[int], None]) -> bool:
        """Take up to a burst of frames; True when there may be more."""
        receive = raw.recv_into
        try:
            for _ in range(_BURST):
                take(receive(room))
        except BlockingIOError:
            return False
        except OSError as error:  # ENETDOWN, once: the link went down and may come back
            log(f"reading frames: {error.strerror}")
            return False
        return True

    # The ends of the datapath ------------------------------------------------------------------------------------

    def to_wire(self, frame: Frame) -> None:
        try:
            self._wire.send(frame)
        except OSError as error:
            self._lost(frame, error)

    def to_kernel(self, frame: Frame) -> None:
        try:
            self._stack.send(frame)
        except OSError as error:
            self._lost(frame, error)

    def _lost(self, frame: Frame, error: OSError) -> None:
        self._datapath.counters["lost"] += 1
        log(f"sending a frame of {len(frame)} bytes: {os.strerror(error.errno or 0)}")

    def read_kernel(self, bursts: int = 1) -> None:
        for _ in range(bursts):
            if not self._read(self._stack, self._kernel_room, self._datapath.take_from_kernel):
                break
        self._datapath.now = clock()

    def drain_kernel(self, is_done: Callable[[], bool], within_s: float) -> None:
        deadline = clock() + within_s
        while True:
            while self._read(self._stack, self._kernel_room, self._datapath.take_from_kernel):
                pass
            left = deadline - clock()
            if left <= 0 or is_done():
                break
            select.select([self._stack], [], [], left)

    def arrival(self) -> float | None:
        stamp = last_arrival(self._wire)
        return clock() - max(0.0, time.time() - stamp) if stamp is not None else clock()
