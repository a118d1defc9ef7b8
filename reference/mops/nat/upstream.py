# SPDX-License-Identifier: GPL-2.0-or-later
"""NAT acknowledgements of routers further out (section 4.3, appendix B).

Readings. One of level 1 is about what this router has translated; one of a higher level about what the level below it
has named as translated, for the same mapping. It is sent on, one level higher and otherwise as it is, to each inside
host that it tells something of its own, the rest left out. Level 0 is none, and above level 255 there is none. Of two
that name the same level of a mapping the later one counts.
"""

from collections.abc import Callable

from reference.middlebox.nat.mappings import Endpoint, Mapping
from reference.mops.acknowledgements import NatAcknowledgement

_HIGHEST = 255

Key = tuple[int, int, Endpoint]
"""Protocol, level, original endpoint (its address as an IPFF address)."""

Finder = Callable[[int, int], Mapping | None]
"""The mapping of a protocol and an outside port."""


class Upstream:
    """What a router has learnt of one network from those further out, and what it sends on."""

    role = "NAT router"

    def __init__(self, outside: int, mapping_at: Finder) -> None:
        self.outside, self._mapping_at = outside, mapping_at
        self._by_original: dict[Key, Mapping] = {}
        self._levels: dict[Mapping, dict[int, Key]] = {}

    def passed_on(self, told: NatAcknowledgement) -> dict[int, NatAcknowledgement]:
        """What is sent on of an acknowledgement, by the address of the inside host that it is for."""
        level = self.next_level(told.level)
        if level is None or not told.is_sound:
            return {}
        pairs: dict[int, list[tuple[int, int]]] = {}
        for original, translated in told.ports:
            mapping = self.mapping_of((told.protocol, told.level, (told.original, original)))
            if mapping is not None:
                pairs.setdefault(mapping.inside[0], []).append((original, translated))
                self.learn(mapping, (told.protocol, level, (told.translated, translated)))
        return {host: self.message(told, level, tuple(own)) for host, own in pairs.items()}

    def message(self, told: NatAcknowledgement, level: int, pairs: tuple[tuple[int, int], ...]) -> NatAcknowledgement:
        """What is sent on to one inside host, with the pairs that are its own."""
        return NatAcknowledgement.of(level, told.protocol, (told.original, told.translated), pairs)

    def next_level(self, level: int) -> int | None:
        """The level at which an acknowledgement is sent on; None where it is not."""
        return level + 1 if 0 < level < _HIGHEST else None

    def mapping_of(self, key: Key) -> Mapping | None:
        """The mapping that an original endpoint of a level belongs to."""
        protocol, level, (address, port) = key
        if level == 1:
            return self._mapping_at(protocol, port) if address == self.outside else None
        mapping = self._by_original.get(key)
        return mapping if mapping is not None and self._is_alive(mapping) else None

    def learn(self, mapping: Mapping, key: Key) -> None:
        """Note what the level below has made of a mapping's endpoint."""
        levels = self._levels.setdefault(mapping, {})
        self._by_original.pop(levels.get(key[1], key), None)
        levels[key[1]] = key
        self._by_original[key] = mapping

    def expire(self) -> None:
        """Forget what mappings have been that have ended."""
        for mapping in [one for one in self._levels if not self._is_alive(one)]:
            for key in self._levels.pop(mapping).values():
                self._by_original.pop(key, None)

    def _is_alive(self, mapping: Mapping) -> bool:
        return self._mapping_at(mapping.protocol, mapping.outside[1]) is mapping
