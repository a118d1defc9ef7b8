# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations of a NAT router whose table is full."""

from collections.abc import Callable

from reference.middlebox.nat.mappings import Endpoint, Mapping, Mappings
from reference.middlebox.nat.translation import Translation
from reference.middlebox.packet import Packet
from reference.mops.message import Migrate
from reference.mops.nat.router import NatRouter
from reference.system.alterations import deviation

FULL = "With no room left a Migrate gets all of its mappings or none, and is not sent on untranslated."


@deviation("router-full-sends-on-as-it-is", "B", FULL, "it is sent on as it is")
class _AsItIs(NatRouter):
    def migrate_passes(self, packet: Packet, migrate: Migrate) -> bool:
        mappings = self.mappings_for(self.translations[packet.network], migrate, packet.source)
        return mappings is None or super().migrate_passes(packet, migrate)


@deviation("router-full-maps-a-part", "B", FULL, "entries without a mapping are sent on with their inside ports")
class _MapsAPart(NatRouter):
    def mappings_for(self, translation: Translation, migrate: Migrate, host: int) -> list[Mapping] | None:
        found = super().mappings_for(translation, migrate, host)
        if found is not None:
            return found
        ends = [(host, entry.migrated_port) for entry in migrate.entries]
        return [Mapping(migrate.protocol, end, (translation.outside, end[1])) for end in ends]


@deviation("router-full-ends-the-oldest", "B", FULL, "the oldest mapping is ended to have room")
class _EndsTheOldest(Mappings):
    role = "NAT router"

    def make(
        self, protocol: int, inside: Endpoint, choose: Callable[[int, Callable[[int], bool]], int | None], now: float
    ) -> Mapping | None:
        made = super().make(protocol, inside, choose, now)
        if made is None:
            oldest = next((one for one in self.all() if one.flows), None)
            if oldest is not None:
                self.remove(oldest)
                made = super().make(protocol, inside, choose, now)
        return made
