# SPDX-License-Identifier: GPL-2.0-or-later
"""What a mobile node has learnt of the NATs before it (MOPS, section 4.3 and appendix B).

Readings: level 1 is believed when its Original is a socket of ours; a higher level counts when its Original is the
Translated of the level below, whichever of them came first; a later acknowledgement replaces an earlier one; with a
move everything is forgotten.
"""

from collections.abc import Iterable

from reference.bump.checksum import is_intact
from reference.bump.flows import Flow
from reference.bump.network import Network
from reference.mops.acknowledgements import NatAcknowledgement
from reference.mops.context import Endpoint

MAXIMUM = 4096


class NatTable:
    """Translations by network, protocol, level and original endpoint; addresses are those of MOPS messages."""

    role = "mobile node"

    def __init__(self, gateways: tuple[str, ...] = ()) -> None:
        self.gateways = gateways
        self.learnt: dict[tuple[str, int, int, Endpoint], Endpoint] = {}

    def __len__(self) -> int:
        return len(self.learnt)

    def receive(self, network: Network, source: int, data: bytes) -> bool:
        """Take an acknowledgement; whether anything in it was believed."""
        message = NatAcknowledgement.parse(data)
        if (
            message is None
            or not self.is_router(network, source)
            or not self.is_intact(data)
            or not self.is_sound(message)
        ):
            return False
        believed = False
        for original_port, translated_port in self.pairs(message):
            original = message.original, original_port
            if self.is_believed(network, message, original):
                self._learn(network, message, original, (message.translated, translated_port))
                believed = True
        return believed

    def is_router(self, network: Network, source: int) -> bool:
        """Whether a sender can be a router before us: routers have many addresses."""
        return True

    def is_intact(self, data: bytes) -> bool:
        return is_intact(data)

    def is_sound(self, message: NatAcknowledgement) -> bool:
        """Level 0 does not exist."""
        return message.is_sound and self.is_level_known(message.level)

    def is_level_known(self, level: int) -> bool:
        return level > 0

    def pairs(self, message: NatAcknowledgement) -> Iterable[tuple[int, int]]:
        return message.ports

    def is_believed(self, network: Network, message: NatAcknowledgement, original: Endpoint) -> bool:
        """Whether an original endpoint of level 1 is one of ours; higher levels are judged when they are used."""
        return message.level > 1 or self.is_ours(network, self.protocol_of(network, message, original), original)

    def is_ours(self, network: Network, protocol: int, endpoint: Endpoint) -> bool:
        flows = network.flows_of(protocol)
        if flows is None or endpoint[0] != network.to_ipff(network.own):
            return False
        return any(port == endpoint[1] and flow.is_live for (_, _, port), flow in flows.by_wire.items())

    def _learn(self, network: Network, message: NatAcknowledgement, original: Endpoint, to: Endpoint) -> None:
        protocol = self.protocol_of(network, message, original)
        key = network.name, protocol, self.level_of(message), original
        self.learnt.pop(key, None)
        while len(self.learnt) >= MAXIMUM:
            del self.learnt[next(iter(self.learnt))]
        self.learnt[key] = to

    def protocol_of(self, network: Network, message: NatAcknowledgement, original: Endpoint) -> int:
        return message.protocol

    def level_of(self, message: NatAcknowledgement) -> int:
        return message.level

    def outermost(self, network: Network, protocol: int, flow: Flow) -> Endpoint:
        """The endpoint under which the server knows our side of a connection."""
        endpoint = own = network.to_ipff(network.own), flow.own_port
        for level in range(1, 256):
            further = self.learnt.get((network.name, protocol, level, endpoint))
            if further is None:
                break
            endpoint = self.next_level(own, endpoint, further)
        return endpoint

    def next_level(self, own: Endpoint, inner: Endpoint, outer: Endpoint) -> Endpoint:
        return outer

    def forget(self, network: Network) -> None:
        """A move leaves the NATs of the old place."""
        for key in [key for key in self.learnt if key[0] == network.name]:
            del self.learnt[key]
