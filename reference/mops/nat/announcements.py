# SPDX-License-Identifier: GPL-2.0-or-later
"""NAT acknowledgements of a router's own mappings (section 4.3).

Readings. Every SYN that goes out from the inside draws one, of a mapping that is used again too, and so does every
Migrate, one for all of its entries. They come from the router's inside address.
"""

from collections.abc import Sequence

from reference.middlebox.nat.mappings import Mapping
from reference.middlebox.packet import BoxNetwork, Packet
from reference.mops.acknowledgements import NatAcknowledgement
from reference.mops.capable import MobileCapable
from reference.mops.nat.settings import ANY_SYN, RouterSettings

_TCP_HEADER = 20
_OFFSET_AT = 12


class Announcements:
    """What inside hosts are told of the router's own mappings."""

    role = "NAT router"

    def __init__(self, settings: RouterSettings) -> None:
        self._any_syn = settings.trigger == ANY_SYN
        self._capable = MobileCapable(settings.mobile_capable)

    def is_due(self, packet: Packet) -> bool:
        """Whether a SYN from the inside draws an acknowledgement."""
        return self._any_syn or (self._capable.is_used and self._capable.is_among(self.options(packet)))

    @staticmethod
    def options(packet: Packet) -> bytes:
        """The TCP options of a segment."""
        length = packet.buffer[packet.start + _OFFSET_AT] >> 2 & 0x3C
        return bytes(packet.buffer[packet.start + _TCP_HEADER : min(packet.start + length, packet.end)])

    def messages(self, network: BoxNetwork, mappings: Sequence[Mapping]) -> list[NatAcknowledgement]:
        """What is told of mappings of one inside host."""
        return [self.message(network, mappings)]

    def message(self, network: BoxNetwork, mappings: Sequence[Mapping]) -> NatAcknowledgement:
        """The acknowledgement of mappings of one inside host."""
        first = mappings[0]
        ends = network.to_ipff(first.inside[0]), network.to_ipff(first.outside[0])
        pairs = tuple((one.inside[1], one.outside[1]) for one in mappings)
        return NatAcknowledgement.of(self.level, first.protocol, ends, pairs)

    @property
    def level(self) -> int:
        """The level of an own mapping."""
        return 1
