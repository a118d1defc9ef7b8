# SPDX-License-Identifier: GPL-2.0-or-later
"""What a mobile node learns from anycast servers (MOPS, section 4.2).

Readings: an acknowledgement counts for the connection whose SYN it answers and for no other; it comes from the anycast
or from the unicast address; a later one replaces an earlier one; nothing changes before the node moves.
"""

from collections.abc import Iterable

from reference.bump.checksum import is_intact
from reference.bump.flows import Flow
from reference.bump.network import Network
from reference.mops.acknowledgements import AnycastAcknowledgement
from reference.mops.context import context_of


class AnycastServers:
    """Which connection is reached where after a move."""

    role = "mobile node"

    def receive(self, network: Network, source: int, data: bytes) -> bool:
        """Take an acknowledgement; whether it was believed."""
        message = AnycastAcknowledgement.parse(data)
        if message is None or not self.is_intact(data) or not self.is_sound(message):
            return False
        anycast, unicast = network.from_ipff(message.anycast), network.from_ipff(message.unicast)
        if anycast is None or unicast is None or not network.is_peer(unicast) or source not in (anycast, unicast):
            return False
        flows = [flow for flow in self.flows(network, message, anycast) if flow.is_live and context_of(flow).is_active]
        for flow in flows:
            self.learn(network, flow, unicast)
        return bool(flows)

    def is_intact(self, data: bytes) -> bool:
        return is_intact(data)

    def is_sound(self, message: AnycastAcknowledgement) -> bool:
        return message.is_sound

    def flows(self, network: Network, message: AnycastAcknowledgement, anycast: int) -> Iterable[Flow]:
        """The connection that an acknowledgement is about, if there is one."""
        flows = network.flows_of(message.protocol)
        flow = None if flows is None else flows.by_wire.get((anycast, message.destination_port, message.source_port))
        return () if flow is None else (flow,)

    def learn(self, network: Network, flow: Flow, unicast: int) -> None:
        context_of(flow).unicast = unicast
