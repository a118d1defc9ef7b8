# SPDX-License-Identifier: GPL-2.0-or-later
"""The remote side: what a notification changes (sections "Scenario: remote" and "Remote activation").

Readings. A new address that no host can have, or that is this host's own, changes nothing. Of two connections that
would get one tuple the one that has it keeps it, and the other stays where it is. Bytes after the eighth are ignored.
"""

from reference.bump.checksum import is_intact
from reference.bump.flows import Flow
from reference.sacip.addresses import Assigned
from reference.sacip.flows import SEARCHED, SacipFlows, ends, pair
from reference.sacip.network import SacipNetwork
from reference.sacip.notification import LENGTH, TYPE, Notification, address_in
from reference.system.log import log


class RemoteSide:
    """Takes notifications."""

    role = "server"

    def __init__(self, network: SacipNetwork, notification: Notification) -> None:
        self.network, self.notification = network, notification
        self.counters = {"notifications": 0, "peers_changed": 0}

    @property
    def flows(self) -> SacipFlows:
        """The connections."""
        return self.network.flows

    def receive(self, source: int, message: bytes, own: int) -> None:
        """A message of ICMP has come to the address `own`."""
        if not self.is_taken(message):
            return
        self.counters["notifications"] += 1
        new = self.new_address(message)
        if self.is_possible(new):
            self.peer_changed(source, new, own)

    def is_taken(self, message: bytes) -> bool:
        """Whether it is a notification, whole and intact; the code does not matter."""
        return self.is_of_type(message) and len(message) >= LENGTH and is_intact(message)

    def is_of_type(self, message: bytes) -> bool:
        """Whether its type says that it is one."""
        return message[0] == TYPE

    def new_address(self, message: bytes) -> int:
        """The address that it names."""
        return self.notification.ordered(address_in(message))

    def is_possible(self, new: int) -> bool:
        """Whether a peer can have this address."""
        usual = Assigned(new, 0)
        return usual.is_for_a_host() and new not in self.network.addresses

    def peer_changed(self, old: int, new: int, own: int) -> None:
        """Every connection of a peer goes on with its new address."""
        for flow in self.affected(old, own):
            self.update(flow, new)

    def affected(self, old: int, own: int) -> list[Flow]:
        """The connections that are searched for, by the peer's address alone."""
        return [flow for flow in self.flows.of(peer=old) if self.is_searched(flow)]

    def is_searched(self, flow: Flow) -> bool:
        """Whether a connection is in the table that is searched."""
        return flow.tcp.state in SEARCHED

    def update(self, flow: Flow, new: int) -> None:
        """Give a connection the peer's new address."""
        own, old = ends(flow.wire_address)
        there = pair(own, new)
        if self.flows.occupant(there, flow.wire_port, flow.own_port) not in (None, flow):
            return
        log(f"port {flow.local_port}: {self.network.text(old)} is {self.network.text(new)} now")
        self.counters["peers_changed"] += 1
        self.flows.rebind(flow, there, flow.wire_port)
