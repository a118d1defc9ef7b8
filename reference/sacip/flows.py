# SPDX-License-Identifier: GPL-2.0-or-later
"""The connections of a host with several addresses.

Where a tuple has the address of the peer elsewhere, it has those of both ends here, in one number (`pair`): 2**32 is 1
modulo 65535, so the differences of the checksums come out right. The kernel knows one address of its own for all of
them; two connections that differ only in it get different ports of the peer there.
"""

from reference.bump.flows import Flow, Flows
from reference.bump.tcp import ACK, State
from reference.bump.udp import UdpFlows
from reference.sacip.addresses import Addresses

SEARCHED = frozenset({State.SYN_SENT, State.ESTABLISHED})
"""The sockets of the table that is searched: no listener, none that is half open, and none in TIME-WAIT."""


def pair(own: int, peer: int) -> int:
    """The addresses of both ends in one number."""
    return own << 32 | peer


def ends(addresses: int) -> tuple[int, int]:
    """The own address and that of the peer."""
    return addresses >> 32, addresses & 0xFFFFFFFF


class SacipFlows(Flows):
    """Connections by the addresses of both ends."""

    role = "server"

    def __init__(self, addresses: Addresses) -> None:
        super().__init__()
        self.addresses = addresses
        self.kernel_own = addresses.primary

    def kernel_tuple_for(self, wire: tuple[int, int, int]) -> tuple[int, int, int] | None:
        return super().kernel_tuple_for((pair(self.kernel_own, ends(wire[0])[1]), wire[1], wire[2]))

    def outbound(self, address: int, port: int, local_port: int, now: float, flags: int = ACK) -> Flow | None:
        known = self.by_kernel.get((address, port, local_port))
        flow = super().outbound(address, port, local_port, now, flags)
        if flow is None or flow is known:
            return flow
        peer = ends(address)[1]
        from_here = pair(self.addresses.towards(peer), peer)
        if self.occupant(from_here, port, local_port) not in (None, flow):
            self.free(flow)
            return None
        self.rebind(flow, from_here, port)
        return flow

    def of(self, *, own: int | None = None, peer: int | None = None) -> list[Flow]:
        """The flows with this own address, or with this peer, on the wire."""
        wanted = []
        for flow in self.by_kernel.values():
            here, there = ends(flow.wire_address)
            if flow.parked_at is None and own in (None, here) and peer in (None, there):
                wanted.append(flow)
        return wanted


class SacipUdpFlows(SacipFlows, UdpFlows):
    """The same of UDP."""
