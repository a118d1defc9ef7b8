# SPDX-License-Identifier: GPL-2.0-or-later
"""UDP through the bump: one flow for every pair of sockets that have exchanged a datagram.

UDP opens and closes nothing, so a flow lives as long as datagrams come and a while longer; when there is no room the
one that has been silent longest makes way.
"""

import struct

from reference.bump.checksum import adjust
from reference.bump.flows import MAXIMUM, Flow, Flows, Tuple
from reference.bump.tcp import ACK, State

HEADER = struct.Struct("!HHHH")  # ports, length, checksum
_CHECKSUM_AT = 6
LIFETIME_S = 600.0


class UdpFlow(Flow):
    """Two UDP sockets that talk to each other."""

    __slots__ = ()
    protocol = 17

    def __init__(self, wire: Tuple, kernel: Tuple, now: float, own_delta: int) -> None:
        super().__init__(wire, kernel, now, own_delta)
        self.tcp.state = State.ESTABLISHED

    def into_kernel(self, buffer: bytearray, at: int, checksum: int) -> None:
        struct.pack_into("!HH", buffer, at, self.kernel_port, self.local_port)
        struct.pack_into("!H", buffer, at + _CHECKSUM_AT, _adjusted(checksum, self.in_delta))

    def onto_wire(self, buffer: bytearray, at: int, checksum: int) -> None:
        struct.pack_into("!HH", buffer, at, self.own_port, self.wire_port)
        struct.pack_into("!H", buffer, at + _CHECKSUM_AT, _adjusted(checksum, self.out_delta))


def _adjusted(checksum: int, delta: int) -> int:
    """RFC 768: zero means that there is none, and a sum of zero is written as all ones."""
    return (adjust(checksum, delta) or 0xFFFF) if checksum else 0


class UdpFlows(Flows):
    """All UDP flows of one network."""

    flow_type = UdpFlow

    def inbound(self, address: int, port: int, local_port: int, flags: int, now: float) -> Flow | None:
        self._make_room()
        return super().inbound(address, port, local_port, ACK, now)

    def outbound(self, address: int, port: int, local_port: int, now: float, flags: int = ACK) -> Flow | None:
        self._make_room()
        return super().outbound(address, port, local_port, now)

    def _make_room(self) -> None:
        if len(self.by_kernel) >= MAXIMUM:
            for flow in sorted(self.by_kernel.values(), key=lambda flow: flow.seen)[: MAXIMUM // 16]:
                self.free(flow)

    def expire(self, now: float) -> None:
        for flow in [flow for flow in self.by_kernel.values() if now - flow.seen > LIFETIME_S]:
            self.free(flow)

    def free_port(self, local_port: int) -> None:
        """Another socket has the port now."""
        for flow in [flow for flow in self.by_kernel.values() if flow.local_port == local_port]:
            self.free(flow)
