# SPDX-License-Identifier: GPL-2.0-or-later
"""One leg of a splicing proxy: a wire and, beyond it, the kernel's interface with the proxy's address.

Everything passes as it is, whatever it is, except the segments of connections that are held, spliced or muted.
"""

import contextlib
import socket
import time
from collections.abc import Callable

from reference.bump.checksum import is_intact
from reference.bump.network import TCP
from reference.bump.segment import Segment, payload, read
from reference.bump.tcp import ACK, RST, SYN
from reference.msocks.flow import Flow
from reference.msocks.loop import READ, EventLoop
from reference.system.addresses import ipv4_from_text

_ETHERNET = 14
_IPV4 = b"\x08\x00"
_FRAGMENT = 0x3FFF
_BURST = 64
_FRAME = 65536
_FORGET_S, _IDLE_S = 5.0, 300.0

Ends = tuple[int, int, int]
"""Address and port of the peer, own port."""


class Leg:
    """Frames between a wire and the kernel; `holds`: connections are held from their beginning."""

    def __init__(self, loop: EventLoop, wire: socket.socket, kernel: socket.socket, own: int, *, holds: bool) -> None:
        self._loop, self._wire, self._kernel, self._own, self._holds = loop, wire, kernel, own, holds
        self.flows: dict[Ends, Flow] = {}
        loop.add(wire.fileno(), READ, lambda _: self._read(wire, self._from_wire))
        loop.add(kernel.fileno(), READ, lambda _: self._read(kernel, self._from_kernel))
        loop.after(_FORGET_S, self._forget)

    def flow_of(self, held: socket.socket) -> Flow | None:
        """The connection of a kernel's socket."""
        address, port = held.getpeername()[:2]
        return self.flows.get((ipv4_from_text(address), port, held.getsockname()[1]))

    def mute(self, flow: Flow) -> None:
        """Nothing of a connection passes any more, until its ends are taken again."""
        flow.muted, flow.splice = True, None
        flow.held.clear()

    def to_wire(self, frame: bytes) -> None:
        with contextlib.suppress(OSError):
            self._wire.send(frame)

    def to_kernel(self, frame: bytes) -> None:
        with contextlib.suppress(OSError):
            self._kernel.send(frame)

    def _read(self, raw: socket.socket, take: Callable[[bytes], None]) -> None:
        with contextlib.suppress(BlockingIOError):
            for _ in range(_BURST):
                take(raw.recv(_FRAME))

    def _from_wire(self, frame: bytes) -> None:
        segment = self._segment(frame)
        if segment is None or segment.destination != self._own:
            self.to_kernel(frame)
            return
        peer, own = (segment.source, segment.port), (segment.destination, segment.to_port)
        flow = self.flows.get((*peer, own[1]))
        begins = segment.flags & (SYN | ACK | RST) == SYN
        if begins and (flow is None or (flow.splice is None and flow.is_fresh())):
            flow = self.flows[(*peer, own[1])] = Flow(self, peer, own, holds=self._holds)
        elif flow is None or (begins and flow.splice is None):
            self.to_kernel(frame)
            return
        if not _is_intact(frame, segment):
            return
        flow.seen = time.monotonic()
        flow.ethernet = frame[6:12] + frame[:6] + _IPV4
        if flow.muted:
            return
        if flow.splice is not None:
            flow.splice.take(flow, segment)
            return
        passed = flow.from_wire(segment)
        if passed is not None:
            self.to_kernel(frame if passed is segment else frame[:_ETHERNET] + passed.packet())

    def _from_kernel(self, frame: bytes) -> None:
        segment = self._segment(frame)
        if segment is None:
            self.to_wire(frame)
            return
        peer, own = (segment.destination, segment.to_port), (segment.source, segment.port)
        flow = self.flows.get((*peer, own[1]))
        if segment.flags & SYN and (flow is None or flow.muted):
            flow = self.flows[(*peer, own[1])] = Flow(self, peer, own, holds=self._holds)
        if flow is not None:
            if flow.muted or flow.splice is not None:
                return
            flow.seen = time.monotonic()
            flow.from_kernel(segment)
            if flow.has_ended and flow.holds and not flow.is_claimed:
                self.release(flow)
        self.to_wire(frame)

    def release(self, flow: Flow) -> None:
        """The kernel gets what was held, and all that comes."""
        flow.holds = False
        held, flow.held = flow.held, []
        header = flow.ethernet[6:12] + flow.ethernet[:6] + _IPV4
        for segment in held:
            if flow.from_wire(segment) is not None:
                self.to_kernel(header + segment.packet())

    def _segment(self, frame: bytes) -> Segment | None:
        """The TCP segment in a frame; None for anything else, fragments too."""
        packet = frame[_ETHERNET:]
        if frame[12:14] != _IPV4 or len(packet) < 40 or int.from_bytes(packet[6:8], "big") & _FRAGMENT:
            return None
        return read(packet)

    def _forget(self) -> None:
        """Connections of which nothing has been heard for long."""
        self._loop.after(_FORGET_S, self._forget)
        old = time.monotonic() - _IDLE_S
        self.flows = {ends: one for ends, one in self.flows.items() if one.splice is not None or one.seen > old}


def _is_intact(frame: bytes, segment: Segment) -> bool:
    content = payload(frame[_ETHERNET:], TCP) or b""
    return is_intact(content, segment.source + segment.destination + TCP + len(content))
