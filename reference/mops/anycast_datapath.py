# SPDX-License-Identifier: GPL-2.0-or-later
"""The datapath of an anycast server: SYNs with MOBILE_CAPABLE are noted, and acknowledged once they are answered."""

from reference.bump.datapath import Fields
from reference.bump.flows import Flow
from reference.bump.network import Network, Packet
from reference.bump.tcp import ACK, SYN
from reference.mops.anycast_server import Acknowledger
from reference.mops.context import context_of
from reference.mops.datapath import MopsDatapath
from reference.mops.two_addresses import TwoAddresses


class Due:
    """Kept of a connection whose SYN draws an acknowledgement that has not been sent."""


class AnycastDatapath(MopsDatapath):
    """A MOPS server with two addresses on each network."""

    role = "anycast server"
    acknowledger: Acknowledger
    _due: tuple[tuple[TwoAddresses, Flow], ...] = ()

    def answer_at(self, network: TwoAddresses, anycast: int) -> None:
        """Have an anycast address on one network."""
        network.answer_at(anycast)
        network.udp.began = self._began
        if network.neighbour_mac is None and self._arp is not None:
            self._arp.also_answers_for.add(anycast)

    def _segment_from_wire(self, network: Network, packet: Packet) -> Flow | None:
        flow = super()._segment_from_wire(network, packet)
        if flow is not None:
            self.segment_received(network, flow, self._from_wire[packet.start + 13])
        return flow

    def segment_received(self, network: Network, flow: Flow, flags: int) -> None:
        """Note a SYN that draws an acknowledgement."""
        assert isinstance(network, TwoAddresses)
        if flags & (SYN | ACK) == SYN:
            flow.contexts.pop(Due, None)
            is_capable = self.capable.is_used and context_of(flow).peer_capable
            if self.acknowledger.is_due(network, flow, is_capable):
                flow.contexts[Due] = Due()

    def segment_from_kernel(
        self, network: Network, packet: Packet, flow: Flow, fields: Fields, data: int
    ) -> Flow | None:
        if self.is_answer(fields[5]) and flow.contexts.pop(Due, None) is not None:
            assert isinstance(network, TwoAddresses)
            self._due = (*self._due, (network, flow))
        return super().segment_from_kernel(network, packet, flow, fields, data)

    def is_answer(self, flags: int) -> bool:
        """Whether a segment of the kernel answers a SYN that it takes."""
        return flags & (SYN | ACK) == SYN | ACK

    def take_from_kernel(self, length: int) -> None:
        super().take_from_kernel(length)
        due, self._due = self._due, ()
        for network, flow in due:
            self.acknowledge(network, flow)

    def acknowledge(self, network: TwoAddresses, flow: Flow) -> None:
        """Tell the other side of a connection where it can reach this very server."""
        self.acknowledger.acknowledge(network, flow, self.send)
