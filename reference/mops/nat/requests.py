# SPDX-License-Identifier: GPL-2.0-or-later
"""Migrates that have gone out through a router, and the replies that they are for.

Readings. A reply is for a request with the same server, protocol, Previous and Migrated address and the same entries in
order; a failed one may list some of them, in order. It is for that request until 10 s after its last transmission, and
so is every further one. A success that names fewer entries than were asked for is none.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from reference.middlebox.nat.mappings import Mapping
from reference.mops.message import FAILED, MIGRATE, Entry, Migrate

_LIFETIME_S = 10.0
_MOST = 20_000

Entries = tuple[Entry, ...]
"""As on the outside."""

Key = tuple[int, int, int, int]
"""Server, protocol, Previous Source Address, Migrated Source Address, as on the outside."""


@dataclass
class Request:
    """A Migrate that has gone out; `mappings` are those of its entries, in order."""

    code: int
    inside: int
    entries: Entries
    mappings: Sequence[Mapping]
    until: float
    is_answered: bool = field(default=False)

    def migrated_by(self, reply: Migrate) -> list[Mapping]:
        """The mappings of the entries that a reply says have migrated."""
        return [mapping for _, mapping in self.migrated(reply)]

    def migrated(self, reply: Migrate) -> list[tuple[Entry, Mapping]]:
        """The entries that a reply says have migrated, with their mappings."""
        pairs = list(zip(self.entries, self.mappings, strict=True))
        if reply.code != FAILED:
            return pairs
        if self.code != MIGRATE:
            return []
        return [(entry, mapping) for entry, mapping in pairs if entry not in reply.entries]


class Requests:
    """The requests of one network."""

    role = "NAT router"

    def __init__(self) -> None:
        self._by_key: dict[Key, dict[Entries, Request]] = {}
        self._count = 0

    def remember(self, server: int, outward: Migrate, inside: int, mappings: Sequence[Mapping], now: float) -> bool:
        """A Migrate goes out, for the first time or again; whether there is room for it."""
        requests = self._by_key.setdefault((server, outward.protocol, outward.previous, outward.migrated), {})
        if outward.entries not in requests:
            if self._count >= _MOST:
                return False
            self._count += 1
        requests[outward.entries] = Request(outward.code, inside, outward.entries, mappings, now + _LIFETIME_S)
        return True

    def answered_by(self, server: int, reply: Migrate, now: float) -> Request | None:
        """The request that a message is the reply to."""
        requests = self._by_key.get((server, reply.protocol, reply.previous, reply.migrated), {})
        found = requests.get(reply.entries)
        if found is not None and found.until > now:
            return found
        if reply.code != FAILED:
            return None
        return next(
            (one for one in requests.values() if one.until > now and is_among(reply.entries, one.entries)), None
        )

    def expire(self, now: float) -> None:
        """Forget requests that no reply is for any more."""
        for key, requests in list(self._by_key.items()):
            for entries in [entries for entries, one in requests.items() if one.until <= now]:
                del requests[entries]
                self._count -= 1
            if not requests:
                del self._by_key[key]


def is_among(some: Entries, every: Entries) -> bool:
    """Whether some entries are among all of them, in the same order."""
    rest = iter(every)
    return all(entry in rest for entry in some)
