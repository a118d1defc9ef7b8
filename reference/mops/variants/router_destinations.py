# SPDX-License-Identifier: GPL-2.0-or-later
"""Other ways in which a NAT router is right with servers on its inside."""

from reference.middlebox.nat.mappings import Mapping
from reference.middlebox.packet import Packet
from reference.mops.message import Entry, Migrate
from reference.mops.nat.destinations import Destinations
from reference.system.alterations import variant


@variant(
    "router-destination-without-state",
    "5",
    "A port that is simply forwarded has no state: nothing is there to be remapped.",
    "every packet to such a port goes to its server",
)
class _WithoutState(Destinations):
    def opens(self, packet: Packet) -> bool:
        return True


@variant(
    "router-destination-leaves-a-trace",
    "5",
    "What becomes of the place that was left is not said.",
    "a connection that has migrated passes at its old place too until nothing has passed for long enough",
)
class _LeavesATrace(Destinations):
    def remap(self, mapping: Mapping, reply: Migrate, entry: Entry, now: float) -> None:
        old = mapping.flow((self._own(reply.previous), entry.previous_port), now)
        super().remap(mapping, reply, entry, now)
        if old is not None:
            lasts = self._translation.tracker.transitory_s
            where = self._own(reply.previous), entry.previous_port
            self._translation.mappings.open(mapping, where, now + lasts, old.seen)
