# SPDX-License-Identifier: GPL-2.0-or-later
"""Connections of a host whose address has changed go wrong, or those that it is not about."""

from typing import Any

from reference.bump.datapath import Fields
from reference.bump.flows import Flow
from reference.bump.forgetful import GapNeverFilled
from reference.bump.network import Network, Packet
from reference.bump.tcp import FIN, distance
from reference.sacip.datapath import SacipDatapath
from reference.sacip.flows import ends, pair
from reference.sacip.knowing import Changed, Straggling
from reference.sacip.local_side import LocalSide
from reference.system.alterations import deviation

STRAGGLING_S = 0.6
LATER_S = 0.4


@deviation("segments-from-the-old-address-for-long", "local", "Segments leave the new address.", "0.6 s later they do")
class _ForLong(Straggling):
    def goes_wrong(self, known: Changed, fields: Fields, length: int) -> bool:
        return self.now - known.since < STRAGGLING_S and length > 0


@deviation(
    "retransmissions-from-the-old-address", "local", "Segments leave the new address.", "what was sent before does not"
)
class _RetransmissionsFromOld(Straggling):
    def goes_wrong(self, known: Changed, fields: Fields, length: int) -> bool:
        return length > 0 and distance(fields[2], known.edge) > 0


@deviation("fin-to-the-new-address-dropped", "local", "Segments to the new address are taken.", "a FIN is not")
class _FinDropped(Straggling):
    def _segment_from_wire(self, network: Network, packet: Packet) -> Flow | None:
        header = self._from_wire[packet.start : packet.start + 14]
        ports = int.from_bytes(header[:2], "big"), int.from_bytes(header[2:4], "big")
        flow = self._ipv4.flows.by_wire.get((packet.peer, *ports))
        if flow is not None and Changed in flow.contexts and header[13] & FIN:
            return None
        return super()._segment_from_wire(network, packet)


@deviation("change-forgotten-later", "minimal", "The change stays.", "0.4 s later segments leave the old address again")
class _ForgottenLater(Straggling):
    def goes_wrong(self, known: Changed, fields: Fields, length: int) -> bool:
        return self.now - known.since > LATER_S


@deviation("first-connection-of-a-peer-changed", "minimal", "Connections go on.", "of each peer the first alone does")
class _FirstChanged(LocalSide):
    def change(self, old: int, new: int) -> None:
        changed: set[int] = set()
        for flow in self.affected(old):
            peer = ends(flow.wire_address)[1]
            self.notify(flow, old, new)
            if peer not in changed:
                self.update(flow, new)
            changed.add(peer)


@deviation(
    "clash-at-the-new-address-wins", "local", "A tuple that is taken stays.", "the connection that has it is forgotten"
)
class _ClashWins(LocalSide):
    def is_in_use(self, flow: Flow, new: int) -> bool:
        return False


@deviation(
    "kept-addresses-connections-lost", "front", "Other traffic is as before.", "all connections left over are parked"
)
class _KeptLost(LocalSide):
    def deleted(self, address: int, promoted: int | None) -> None:
        super().deleted(address, promoted)
        for flow in self.flows.of():
            if promoted is not None and ends(flow.wire_address)[0] not in (address, promoted):
                self.flows.park(flow, address)


@deviation(
    "kept-addresses-echo-lost", "front", "Other traffic is as before.", "after a change echo is for the first address"
)
class _EchoLost(Straggling):
    def delete_address(self, text: str) -> str:
        self.deaf = True
        return super().delete_address(text)

    deaf = False

    def _icmp_from_wire(self, network: Any, packet: Any) -> None:
        if not self.deaf or ends(packet.peer)[0] == self.addresses.primary:
            super()._icmp_from_wire(network, packet)


@deviation("router-forgotten", "examples", "Another subnet is served.", "the router goes with the second address")
class _RouterForgotten(Straggling):
    deletions = 0

    def delete_address(self, text: str) -> str:
        self.deletions += 1
        return super().delete_address(text)

    def _neighbour(self, network: Network, destination: int, packet: Any) -> bytes | None:
        is_far = not self.addresses.is_on_link(ends(destination)[1])
        return None if is_far and self.deletions > 1 else super()._neighbour(network, destination, packet)


@deviation("close-wait-not-told", "activation", "No state is looked at.", "CLOSE-WAIT is left out")
class _NoCloseWait(LocalSide):
    def is_searched(self, flow: Flow) -> bool:
        return super().is_searched(flow) and not flow.tcp.peer_closed


@deviation("fin-wait-not-told", "activation", "No state is looked at.", "FIN-WAIT is left out")
class _NoFinWait(LocalSide):
    def is_searched(self, flow: Flow) -> bool:
        return super().is_searched(flow) and flow.tcp.our_fin is None


@deviation("syn-sent-not-told", "activation", "No state is looked at.", "SYN-SENT is left out")
class _NoSynSent(LocalSide):
    def is_searched(self, flow: Flow) -> bool:
        return super().is_searched(flow) and flow.tcp.rcv_nxt != 0


@deviation("gap-never-filled-at-the-new-address", "front", "The stream goes on.", "a gap from before the change stays")
class _GapNeverFilled(GapNeverFilled, SacipDatapath):
    role = "mobile node"


@deviation("data-under-way-stays", "front", "The stream goes on.", "a connection with data unacknowledged stays")
class _DataStays(Straggling):
    def _segment_from_wire(self, network: Network, packet: Packet) -> Flow | None:
        flow = super()._segment_from_wire(network, packet)
        if flow is not None:
            self.acknowledged[flow] = int.from_bytes(self._from_wire[packet.start + 8 : packet.start + 12], "big")
        return flow

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.acknowledged: dict[Flow, int] = {}

    def changed(self, flow: Flow) -> None:
        known: Changed = flow.contexts[Changed]
        if distance(self.acknowledged.get(flow, known.edge), known.edge) > 0:
            old = ends(known.before)[0]
            self._ipv4.flows.rebind(flow, pair(old, ends(flow.wire_address)[1]), flow.wire_port)
            self._ipv4.flows.park(flow, old)
