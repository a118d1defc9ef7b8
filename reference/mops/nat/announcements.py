# SPDX-License-Identifier: GPL-2.0-or-later
"""NAT acknowledgements of a router's own mappings, and those of routers further out (section 4.3).

Readings. Every SYN that goes out from the inside draws one, of a mapping that is used again too, and so does every
Migrate, one for all of its entries. They come from the router's inside address. One from further out is sent on, one
level higher, to each inside host that it tells something of its own, with the rest left out; level 0 is none, and from
level 255 on there is no higher one.
"""

from collections.abc import Callable, Sequence

from reference.middlebox.nat.mappings import Mapping
from reference.middlebox.packet import BoxNetwork, Packet
from reference.mops.acknowledgements import NatAcknowledgement
from reference.mops.capable import MobileCapable
from reference.mops.nat.settings import ANY_SYN, RouterSettings

_HIGHEST = 255
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


class Upstream:
    """What inside hosts are told of what routers further out have said."""

    role = "NAT router"

    def passed_on(
        self, told: NatAcknowledgement, outside: int, mapping_at: Callable[[int, int], Mapping | None]
    ) -> dict[int, NatAcknowledgement]:
        """What is sent on of an acknowledgement, by the address of the inside host that it is for.

        `outside` is the router's outside address as an IPFF address, `mapping_at` finds a mapping by protocol and port.
        """
        level = self.next_level(told.level)
        if level is None or not told.is_sound or told.original != outside:
            return {}
        pairs: dict[int, list[tuple[int, int]]] = {}
        for original, translated in told.ports:
            mapping = mapping_at(told.protocol, original)
            if mapping is not None:
                pairs.setdefault(mapping.inside[0], []).append((original, translated))
        ends = told.original, told.translated
        return {host: NatAcknowledgement.of(level, told.protocol, ends, tuple(own)) for host, own in pairs.items()}

    def next_level(self, level: int) -> int | None:
        """The level at which an acknowledgement is sent on; None where it is not."""
        return level + 1 if 0 < level < _HIGHEST else None
