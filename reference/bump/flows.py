# SPDX-License-Identifier: GPL-2.0-or-later
"""Wire tuples and kernel tuples: which connection of the kernel a segment on the wire belongs to, and the reverse.

The kernel's connection keeps its tuple for life; what a migration changes is the tuple on the wire. A new connection on
the old tuple, whose kernel tuple still belongs to the migrated one, gets a remapped kernel tuple: same address, another
port.
The own address is the same in all tuples and left out: a tuple is (peer address, peer port, own port). A host that
moves changes it for all its connections; those that cannot follow are parked at the address they were left with.
UDP has flows too, one for every pair of sockets that have exchanged a datagram.
"""

import itertools
import struct
from collections.abc import Callable
from typing import Any

from reference.bump.checksum import adjust
from reference.bump.tcp import ACK, CHECKSUM_AT, LIVE, SYN, State, Tracking

Tuple = tuple[int, int, int]

MAXIMUM = 65536
_REMAPPED_PORTS = (60000, 65535)
#: Seconds without a segment after which a flow is forgotten.
_LIFETIME = {
    State.UNKNOWN: 5.0,
    State.OPENING: 10.0,
    State.SYN_SENT: 150.0,
    State.SYN_RECEIVED: 150.0,
    State.ESTABLISHED: 86400.0,
    State.TIME_WAIT: 61.0,
    State.CLOSED: 2.0,
}
_HALF_CLOSED_LIFETIME = 1000.0


class Flow:
    """One connection: its wire tuple, its kernel tuple, and the precomputed differences of the checksums."""

    __slots__ = (
        "contexts", "in_delta", "is_rewritten", "kernel_address", "kernel_port", "local_port", "out_delta",
        "own_delta", "own_port", "parked_at", "seen", "tcp", "wire_address", "wire_port",
    )  # fmt: skip

    protocol = 6

    def __init__(self, wire: Tuple, kernel: Tuple, now: float, own_delta: int) -> None:
        self.kernel_address, self.kernel_port, self.local_port = kernel
        self.tcp = Tracking()
        self.contexts: dict[type, Any] = {}  # what protocols keep of it, each value by its own class
        self.parked_at: int | None = None  # own address that it was left with
        self.seen = now
        self.own_delta = own_delta  # the kernel's address of this host less that on the wire, modulo 65535
        self.own_port = wire[2]  # on the wire; local_port is the kernel's
        self.set_wire(wire[0], wire[1])

    def set_wire(self, address: int, port: int) -> None:
        self.wire_address, self.wire_port = address, port
        addresses = self.kernel_address - address + self.own_delta
        self.in_delta = (addresses + self.kernel_port - port + self.local_port - self.own_port) % 0xFFFF
        self.out_delta = -self.in_delta % 0xFFFF
        self.is_rewritten = bool(self.in_delta) or self.kernel_port != port or self.local_port != self.own_port

    @property
    def wire(self) -> Tuple:
        return self.wire_address, self.wire_port, self.own_port

    @property
    def kernel(self) -> Tuple:
        return self.kernel_address, self.kernel_port, self.local_port

    @property
    def is_live(self) -> bool:
        return self.tcp.state in LIVE

    def into_kernel(self, buffer: bytearray, at: int, checksum: int) -> None:
        """Rewrite the TCP header at `at` for the kernel."""
        struct.pack_into("!HH", buffer, at, self.kernel_port, self.local_port)
        struct.pack_into("!H", buffer, at + CHECKSUM_AT, adjust(checksum, self.in_delta))

    def onto_wire(self, buffer: bytearray, at: int, checksum: int) -> None:
        """Rewrite the TCP header at `at` for the wire."""
        struct.pack_into("!HH", buffer, at, self.own_port, self.wire_port)
        struct.pack_into("!H", buffer, at + CHECKSUM_AT, adjust(checksum, self.out_delta))


class Flows:
    """All connections of one network."""

    flow_type: type[Flow] = Flow

    def __init__(self) -> None:
        self.by_wire: dict[Tuple, Flow] = {}
        self.by_kernel: dict[Tuple, Flow] = {}
        self.by_peer: dict[tuple[int, int], dict[Flow, None]] = {}
        self._own_delta = 0
        #: Told of every new flow.
        self.began: Callable[[Flow], None] = lambda _: None
        self._remapped_port = itertools.cycle(range(*_REMAPPED_PORTS))

    def __len__(self) -> int:
        return len(self.by_kernel)

    def inbound(self, address: int, port: int, local_port: int, flags: int, now: float) -> Flow | None:
        """The flow of a segment from the wire, new when there is none; None when there is no room for it."""
        wire = (address, port, local_port)
        flow = self.by_wire.get(wire)
        if flow is not None:
            if flags & (SYN | ACK) != SYN or flow.tcp.state not in (State.CLOSED, State.TIME_WAIT):
                flow.seen = now
                return flow
            self.free(flow)
        kernel = self.kernel_tuple_for(wire)
        return None if kernel is None else self._add(self.flow_type(wire, kernel, now, self._own_delta))

    def outbound(self, address: int, port: int, local_port: int, now: float, flags: int = ACK) -> Flow | None:
        """The flow of a segment from the kernel; None when its wire tuple belongs to another connection."""
        kernel = (address, port, local_port)
        flow = self.by_kernel.get(kernel)
        if flow is not None:
            if flags & (SYN | ACK) != SYN or flow.is_live:
                flow.seen = now
                return flow
            self.free(flow)
        if kernel in self.by_wire or len(self.by_kernel) >= MAXIMUM:
            return None
        return self._add(self.flow_type(kernel, kernel, now, self._own_delta))

    def kernel_tuple_for(self, wire: Tuple) -> Tuple | None:
        """The kernel tuple of a new connection: its wire tuple, or a remapped one while that is taken."""
        if len(self.by_kernel) >= MAXIMUM:
            return None
        if wire not in self.by_kernel:
            return wire
        for port in itertools.islice(self._remapped_port, _REMAPPED_PORTS[1] - _REMAPPED_PORTS[0]):
            remapped = (wire[0], port, wire[2])
            if remapped not in self.by_kernel:
                return remapped
        return None

    def of_peer(self, address: int, port: int) -> list[Flow]:
        """All flows with this peer on the wire, whatever our own port."""
        return list(self.by_peer.get((address, port), ()))

    def occupant(self, address: int, port: int, local_port: int) -> Flow | None:
        """The flow that stands in the way of a migration to this wire tuple, if any."""
        flow = self.by_wire.get((address, port, local_port))
        return flow if flow is not None and (flow.is_live or flow.tcp.state is State.TIME_WAIT) else None

    def migrate(self, flow: Flow, address: int, port: int) -> None:
        """Carry out a migration that the peer has asked for."""
        self.rebind(flow, address, port)

    def rebind(self, flow: Flow, address: int, port: int) -> None:
        """Give a flow another tuple on the wire; whatever has no life left there makes room."""
        self.place(flow, address, port, flow.own_port)

    def place(self, flow: Flow, address: int, port: int, own_port: int) -> None:
        """Give a flow another tuple on the wire, its own port included."""
        stale = self.by_wire.get((address, port, own_port))
        if stale is not None and stale is not flow:
            self.free(stale)
        self._leave(flow)
        flow.own_port = own_port
        flow.set_wire(address, port)
        self._enter(flow)

    def change_own(self, delta: int) -> None:
        """The own address has changed on the wire: `delta` is the kernel's less that one."""
        self._own_delta = delta % 0xFFFF
        for flow in self.by_kernel.values():
            flow.own_delta = self._own_delta
            flow.set_wire(flow.wire_address, flow.wire_port)

    def park(self, flow: Flow, own: int) -> None:
        """Take a flow off the wire: it stays with an own address that is not there any more."""
        self._leave(flow)
        flow.parked_at = own

    def unpark(self, flow: Flow) -> bool:
        """Put a parked flow back on the wire, unless another has its tuple by now."""
        if flow.wire in self.by_wire:
            return False
        flow.parked_at = None
        self._enter(flow)
        return True

    def free(self, flow: Flow) -> None:
        """Forget a flow."""
        self._leave(flow)
        if self.by_kernel.get(flow.kernel) is flow:
            del self.by_kernel[flow.kernel]

    def expire(self, now: float) -> None:
        """Forget every flow whose time is over."""
        for flow in list(self.by_kernel.values()):
            lifetime = _LIFETIME[flow.tcp.state]
            if flow.tcp.state is State.ESTABLISHED and flow.tcp.is_half_closed:
                lifetime = _HALF_CLOSED_LIFETIME
            if now - flow.seen > lifetime:
                self.free(flow)

    def _add(self, flow: Flow) -> Flow:
        self._enter(flow)
        self.began(flow)
        return flow

    def _enter(self, flow: Flow) -> None:
        self.by_kernel[flow.kernel] = flow
        self.by_wire[flow.wire] = flow
        self.by_peer.setdefault((flow.wire_address, flow.wire_port), {})[flow] = None

    def _leave(self, flow: Flow) -> None:
        if self.by_wire.get(flow.wire) is flow:
            del self.by_wire[flow.wire]
        peer = (flow.wire_address, flow.wire_port)
        there = self.by_peer.get(peer)
        if there is not None:
            there.pop(flow, None)
            if not there:
                del self.by_peer[peer]
