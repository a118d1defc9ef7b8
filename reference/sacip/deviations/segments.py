# SPDX-License-Identifier: GPL-2.0-or-later
"""Segments after a change of the peer: to the wrong address, or not taken from the right one."""

from reference.bump.datapath import Fields
from reference.bump.flows import Flow
from reference.bump.network import Network, Packet
from reference.bump.tcp import ACK, FIN, SYN, State, distance, timestamps
from reference.sacip.knowing import Changed, Watching, reset_for_kernel
from reference.system.alterations import deviation

MOST = 8000


@deviation(
    "first-segment-to-the-old-address", "remote", "The first segment too goes there.", "it goes to the old address"
)
class _FirstToOld(Watching):
    def goes_wrong(self, known: Changed, fields: Fields, length: int) -> bool:
        known.segments += 1
        return known.segments == 1 and length > 0


@deviation(
    "retransmission-to-the-old-address", "remote", "Segments go to the new address.", "what was sent before does not"
)
class _RetransmissionToOld(Watching):
    def goes_wrong(self, known: Changed, fields: Fields, length: int) -> bool:
        return length > 0 and distance(fields[2], known.edge) > 0


@deviation("fin-from-the-new-address-dropped", "remote", "Segments from there are taken.", "a FIN is not")
class _FinDropped(Watching):
    def _segment_from_wire(self, network: Network, packet: Packet) -> Flow | None:
        flags = self._from_wire[packet.start + 13]
        flow = self.known(packet)
        if flow is not None and Changed in flow.contexts and flags & FIN:
            return None
        return super()._segment_from_wire(network, packet)


@deviation("long-stream-ends-after-change", "front", "The stream goes on.", "after 8 000 bytes nothing more is taken")
class _LongStreamEnds(Watching):
    def _segment_from_wire(self, network: Network, packet: Packet) -> Flow | None:
        flow = self.known(packet)
        known: Changed | None = None if flow is None else flow.contexts.get(Changed)
        if known is not None:
            known.octets += packet.end - packet.start - 20
            if known.octets > MOST:
                return None
        return super()._segment_from_wire(network, packet)


@deviation("any-address-with-the-ports", "remote", "The tuple decides.", "after a change the ports alone do")
class _PortsDecide(Watching):
    def _segment_from_wire(self, network: Network, packet: Packet) -> Flow | None:
        found, meant = self.known(packet), self.changed_with(self.ports(packet))
        if meant and (found is None or not found.is_live) and not self._from_wire[packet.start + 13] & SYN:
            self.take_for(meant[0], network, packet)
            return None
        return super()._segment_from_wire(network, packet)


@deviation(
    "old-address-deaf-to-new-connections", "remote", "Services go on.", "a SYN from an address that was left is dropped"
)
class _LeftDeaf(Watching):
    def changed(self, flow: Flow) -> None:
        known: Changed = flow.contexts[Changed]
        self.left = {*getattr(self, "left", ()), (known.before, flow.wire_port)}

    def _segment_from_wire(self, network: Network, packet: Packet) -> Flow | None:
        port = int.from_bytes(self._from_wire[packet.start : packet.start + 2], "big")
        flags = self._from_wire[packet.start + 13]
        if (packet.peer, port) in getattr(self, "left", ()) and flags & (SYN | ACK) == SYN:
            return None
        return super()._segment_from_wire(network, packet)


@deviation(
    "data-under-way-blocks-the-update", "remote", "Every connection is updated.", "not those with data unacknowledged"
)
class _DataBlocks(Watching):
    def _segment_from_wire(self, network: Network, packet: Packet) -> Flow | None:
        flow = super()._segment_from_wire(network, packet)
        if flow is not None:
            self.acknowledged = getattr(self, "acknowledged", {})
            self.acknowledged[flow] = int.from_bytes(self._from_wire[packet.start + 8 : packet.start + 12], "big")
        return flow

    def changed(self, flow: Flow) -> None:
        known: Changed = flow.contexts[Changed]
        acknowledged = getattr(self, "acknowledged", {}).get(flow, known.edge)
        if flow.tcp.state is State.ESTABLISHED and distance(acknowledged, known.edge) > 0:
            del flow.contexts[Changed]
            self._ipv4.flows.rebind(flow, known.before, flow.wire_port)


@deviation(
    "stray-stamps-end-the-connection", "examples", "A stray segment harms nothing.", "timestamps never agreed on do"
)
class _StraySegment(Watching):
    def _segment_from_wire(self, network: Network, packet: Packet) -> Flow | None:
        flow = self.known(packet)
        header = bytes(self._from_wire[packet.start : packet.end])
        has_stamps = timestamps(header[20 : header[12] >> 2 & 0x3C]) is not None
        found = super()._segment_from_wire(network, packet)
        if found is not None and header[13] & SYN:
            found.contexts[bool] = has_stamps
        elif flow is not None and Changed in flow.contexts and has_stamps and not flow.contexts.get(bool, True):
            reset_for_kernel(self, flow)
        return found
