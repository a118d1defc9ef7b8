# SPDX-License-Identifier: GPL-2.0-or-later
"""Which NAT and anycast acknowledgements a firewall lets in (sections 4.2 and 4.3): those for sessions that it knows.

Readings: a Migrate that has passed makes its new place known for acknowledgements; a higher level passes where what it
calls Original is what an earlier one that has passed called Translated.
"""

from reference.mops.acknowledgements import AnycastAcknowledgement, NatAcknowledgement
from reference.mops.firewall.moves import Moves
from reference.mops.firewall.sessions import Sessions

MOST = 4096


class Acknowledgements:
    """What has been let in, as far as further levels rest on it."""

    role = "firewall"

    def __init__(self, sessions: Sessions, moves: Moves) -> None:
        self.sessions, self.moves = sessions, moves
        self.translated: dict[tuple[str, int, int, int, int], None] = {}

    def passes_nat(
        self, network: str, node: int, message: NatAcknowledgement, addresses: tuple[int, int], now: float
    ) -> bool:
        """Whether a NAT acknowledgement to a node inside passes; `addresses` are Original and Translated."""
        original, translated = addresses
        if not message.is_sound or message.level == 0:
            return False
        ends = [(original, port) for port, _ in message.ports]
        if not all(self.is_known(network, node, message, end, now) for end in ends):
            return False
        for _, port in message.ports:
            self.note(network, node, message.protocol, (translated, port))
        return True

    def is_known(self, network: str, node: int, message: NatAcknowledgement, end: tuple[int, int], now: float) -> bool:
        """Whether an Original is that of a session of the node, or where an earlier acknowledgement led."""
        if message.level > 1:
            return self.is_led_to(network, node, message.protocol, end)
        return end[0] == node and self.is_in_use(network, message.protocol, end, now)

    def is_in_use(self, network: str, protocol: int, end: tuple[int, int], now: float) -> bool:
        """Whether a node has a session at an end, or has asked to have one there."""
        return self.sessions.knows_end(network, protocol, end, now) or self.moves.expects(network, protocol, end, now)

    def is_led_to(self, network: str, node: int, protocol: int, end: tuple[int, int]) -> bool:
        """Whether an earlier acknowledgement to this node led to an end."""
        return (network, node, protocol, *end) in self.translated

    def note(self, network: str, node: int, protocol: int, end: tuple[int, int]) -> None:
        """Remember where an acknowledgement led."""
        self.translated.pop((network, node, protocol, *end), None)
        while len(self.translated) >= MOST:
            del self.translated[next(iter(self.translated))]
        self.translated[network, node, protocol, *end] = None

    def passes_anycast(
        self, network: str, node: int, message: AnycastAcknowledgement, addresses: tuple[int, int], now: float
    ) -> bool:
        """Whether an anycast acknowledgement to a node inside passes; `addresses` are the called and the own one."""
        anycast, unicast = addresses
        end = node, message.source_port
        sessions = self.sessions.of_node(network, message.protocol, end, anycast, now, is_inside=True)
        found = [one for one in sessions if one.way.outside[1] == message.destination_port and message.is_sound]
        for session in found:
            session.unicast = unicast
        return bool(found)
