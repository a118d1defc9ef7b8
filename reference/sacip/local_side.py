# SPDX-License-Identifier: GPL-2.0-or-later
"""The local side: what the deletion of an address does (sections "Scenario: local" and "Local activation").

One notification goes out for each connected socket, from the old address, and the socket has the new address before the
next one is looked at. Readings. Of a secondary nobody is told. What cannot go on, because another connection has its
tuple at the new address, stays with the old one, without sending or receiving, until the address comes back.
"""

from reference.bump.flows import Flow
from reference.bump.tcp import State
from reference.sacip.flows import SEARCHED, SacipFlows, ends, pair
from reference.sacip.mechanics import Mechanics
from reference.sacip.network import SacipNetwork
from reference.sacip.notification import Notification
from reference.system.log import log


class LocalSide:
    """Changes of the own address."""

    role = "mobile node"

    def __init__(self, network: SacipNetwork, notification: Notification, mechanics: Mechanics) -> None:
        self.network, self.notification, self.mechanics = network, notification, mechanics
        self.counters = {"sent_notifications": 0}

    @property
    def flows(self) -> SacipFlows:
        """The connections."""
        return self.network.flows

    def added(self, address: int) -> None:
        """The host has one more address."""
        for flows in (self.flows, self.network.udp):
            for flow in list(flows.by_kernel.values()):
                if flow.parked_at == address:
                    flows.unpark(flow)

    def renewed(self, address: int) -> None:
        """The host is given an address that it has: nothing changes."""

    def deleted(self, address: int, promoted: int | None) -> None:
        """An address goes; `promoted` takes its place."""
        self.mechanics.send_what_the_kernel_has_sent()
        if promoted is not None:
            self.change(address, promoted)
        self.leave(address)

    def change(self, old: int, new: int) -> None:
        """Every connection of the old address is told, and has the new one."""
        for flow in self.affected(old):
            if not self.is_in_use(flow, new):
                self.notify(flow, old, new)
                self.update(flow, new)

    def affected(self, old: int) -> list[Flow]:
        """The connections that are searched for."""
        return [flow for flow in self.flows.of(own=old) if self.is_searched(flow)]

    def is_searched(self, flow: Flow) -> bool:
        """Whether a connection is in the table that is searched."""
        return flow.tcp.state in SEARCHED

    def is_in_use(self, flow: Flow, new: int) -> bool:
        """Whether another connection has the tuple that this one would get."""
        there = pair(new, ends(flow.wire_address)[1])
        return self.flows.occupant(there, flow.wire_port, flow.own_port) not in (None, flow)

    def notify(self, flow: Flow, old: int, new: int) -> None:
        """Tell the peer of a connection, from the old address."""
        self.send(old, ends(flow.wire_address)[1], self.notification.encode(new))

    def send(self, source: int, peer: int, message: bytes) -> None:
        """Send a notification."""
        log(f"{self.network.text(peer)} is told that {self.network.text(source)} goes")
        self.counters["sent_notifications"] += 1
        self.mechanics.send_message(source, peer, message)

    def update(self, flow: Flow, new: int) -> None:
        """Give a connection another own address."""
        self.flows.rebind(flow, pair(new, ends(flow.wire_address)[1]), flow.wire_port)

    def leave(self, address: int) -> None:
        """What is bound to the address that goes stays with it."""
        for flow in self.flows.of(own=address):
            if flow.is_live or flow.tcp.state is State.TIME_WAIT:
                self.flows.park(flow, address)
            else:
                self.flows.free(flow)
        for flow in self.network.udp.of(own=address):
            self.network.udp.free(flow)
