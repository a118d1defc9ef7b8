# SPDX-License-Identifier: GPL-2.0-or-later
"""Variants of the remote side: what it takes for a notification, and what else it does."""

from typing import Any

from reference.bump.flows import Flow
from reference.bump.tcp import RST, SYN, State
from reference.sacip.datapath import SacipDatapath
from reference.sacip.flows import ends, pair
from reference.sacip.knowing import Changed, Erring, Watching, reset_for_kernel
from reference.sacip.notification import LENGTH
from reference.sacip.remote_side import RemoteSide
from reference.system.alterations import variant

HARD = (2, 3)


@variant(
    "other-codes-ignored", "examples", "The captured code is 0, and no other one is defined.", "others are discarded"
)
class _OtherCodesIgnored(RemoteSide):
    def is_taken(self, message: bytes) -> bool:
        return super().is_taken(message) and message[1] == 0


@variant("longer-notification-ignored", "examples", "The captured message has 8 bytes.", "a longer one is discarded")
class _LongerIgnored(RemoteSide):
    def is_taken(self, message: bytes) -> bool:
        return super().is_taken(message) and len(message) == LENGTH


@variant("impossible-address-taken", "examples", "The author's receiver looks at no address.", "every address is taken")
class _ImpossibleTaken(RemoteSide):
    def is_possible(self, new: int) -> bool:
        return True


@variant("udp-follows-too", "limits", "Only TCP was tested: UDP may follow as well.", "datagrams go to the new address")
class _UdpFollows(RemoteSide):
    def peer_changed(self, old: int, new: int, own: int) -> None:
        super().peer_changed(old, new, own)
        for flow in self.network.udp.of(peer=old):
            self.network.udp.rebind(flow, pair(ends(flow.wire_address)[0], new), flow.wire_port)


@variant(
    "connection-in-the-way-ends-the-other",
    "remote",
    "Two connections cannot share a tuple: the one that cannot be updated may end as well as wait.",
    "its application sees a reset",
)
class _ClashEnds(Watching):
    def _icmp_from_wire(self, network: Any, packet: Any) -> None:
        message = bytes(self._wire_view[packet.start : packet.end])
        old = ends(packet.peer)[1]
        super()._icmp_from_wire(network, packet)
        if self.remote_side.is_taken(message) and self.remote_side.is_possible(self.remote_side.new_address(message)):
            for flow in self._ipv4.flows.of(peer=old):
                if self.remote_side.is_searched(flow) and self.remote_side.new_address(message) != old:
                    reset_for_kernel(self, flow)


@variant(
    "segments-from-the-old-address-taken",
    "remote",
    "What was under way when the address changed is the peer's too.",
    "segments from the address before are taken",
)
class _OldTaken(Watching):
    def _segment_from_wire(self, network: Any, packet: Any) -> Flow | None:
        if self.known(packet) is None and not self._from_wire[packet.start + 13] & SYN:
            for flow in self.changed_with(self.ports(packet)):
                known: Changed = flow.contexts[Changed]
                if known.before == packet.peer:
                    self.take_for(flow, network, packet)
                    return None
        return super()._segment_from_wire(network, packet)


@variant(
    "silent-to-strangers",
    "remote",
    "A reset in answer is no must: a filter may drop it.",
    "what is for no connection is dropped",
)
class _SilentToStrangers(SacipDatapath):
    def segment_from_kernel(self, network: Any, packet: Any, flow: Flow, fields: Any, data: int) -> Flow | None:
        if fields[5] & RST and flow.tcp.state is State.UNKNOWN:
            return None
        return super().segment_from_kernel(network, packet, flow, fields, data)


@variant(
    "hard-errors-end",
    "front",
    "RFC 1122, 4.2.3.9: a hard error should abort the connection.",
    "they do, about the tuple of now",
)
class _HardErrorsEnd(Erring):
    def error(self, code: int, addresses: int, port: int, own_port: int) -> None:
        flow = self._ipv4.flows.by_wire.get((addresses, port, own_port))
        if flow is not None and code in HARD:
            reset_for_kernel(self, flow)
