# SPDX-License-Identifier: GPL-2.0-or-later
"""The remote side goes wrong in what it updates, and in which connections."""

from reference.bump.flows import Flow
from reference.sacip.flows import ends, pair
from reference.sacip.remote_side import RemoteSide
from reference.system.alterations import deviation

MANY = 16


@deviation("peers-above-sixteen-left", "remote", "Every connection is updated.", "sixteen connections of a peer are")
class _SixteenUpdated(RemoteSide):
    def affected(self, old: int, own: int) -> list[Flow]:
        return super().affected(old, own)[:MANY]


@deviation("last-connection-left", "remote", "Every connection is updated.", "the last of several is not")
class _LastLeft(RemoteSide):
    def affected(self, old: int, own: int) -> list[Flow]:
        found = super().affected(old, own)
        return found[:-1] if len(found) in (2, 3) else found


@deviation("others-with-the-port-updated", "remote", "Connections of others stay.", "those with an equal port follow")
class _PortsUpdated(RemoteSide):
    def affected(self, old: int, own: int) -> list[Flow]:
        found = super().affected(old, own)
        ports = {flow.wire_port for flow in found}
        same = [flow for flow in self.flows.of() if flow.wire_port in ports and self.is_searched(flow)]
        return [*found, *(flow for flow in same if flow not in found)]


@deviation("one-service-updated", "update", "Connections are found by the address alone.", "by the service's port too")
class _OneService(RemoteSide):
    def affected(self, old: int, own: int) -> list[Flow]:
        found = super().affected(old, own)
        ports = {flow.own_port for flow in found}
        return found if len(ports) == 1 else [flow for flow in found if flow.own_port == found[0].own_port]


@deviation("own-clash-wins", "remote", "A tuple that is taken stays.", "the connection that has it is forgotten")
class _ClashWins(RemoteSide):
    def update(self, flow: Flow, new: int) -> None:
        there = pair(ends(flow.wire_address)[0], new)
        if self.flows.occupant(there, flow.wire_port, flow.own_port) not in (None, flow):
            self.flows.rebind(flow, there, flow.wire_port)
        else:
            super().update(flow, new)


@deviation("stranger-takes-named-peer", "remote", "A stranger's message changes nothing.", "it gets the peer it names")
class _NamedPeerTaken(RemoteSide):
    def peer_changed(self, old: int, new: int, own: int) -> None:
        if self.affected(old, own):
            super().peer_changed(old, new, own)
        else:
            super().peer_changed(new, old, own)


@deviation("state-established-only-close-wait", "update", "No state is looked at.", "CLOSE-WAIT is left out")
class _NoCloseWait(RemoteSide):
    def is_searched(self, flow: Flow) -> bool:
        return super().is_searched(flow) and not flow.tcp.peer_closed


@deviation("state-established-only-fin-wait", "update", "No state is looked at.", "FIN-WAIT is left out")
class _NoFinWait(RemoteSide):
    def is_searched(self, flow: Flow) -> bool:
        return super().is_searched(flow) and flow.tcp.our_fin is None


@deviation("state-established-only-syn-sent", "update", "No state is looked at.", "SYN-SENT is left out")
class _NoSynSent(RemoteSide):
    def is_searched(self, flow: Flow) -> bool:
        return super().is_searched(flow) and flow.tcp.rcv_nxt != 0


@deviation("first-own-address-alone", "examples", "Every address can be told.", "that of the first subnet alone is")
class _FirstAddressAlone(RemoteSide):
    def peer_changed(self, old: int, new: int, own: int) -> None:
        if own == self.network.addresses.primary:
            super().peer_changed(old, new, own)
