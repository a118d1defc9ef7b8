# SPDX-License-Identifier: GPL-2.0-or-later
"""Migrates that have gone out through a router, and the replies that they are for.

Readings. A reply is for a request with the same server, protocol, Previous and Migrated address and the same pairs of
ports in order; a failed one may list some of them, in order. It is for that request until 10 s after its last
transmission, and so is every further one. A success that names fewer entries than were asked for is none.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from reference.middlebox.nat.mappings import Mapping
from reference.mops.message import FAILED, MIGRATE, Migrate

_LIFETIME_S = 10.0
_MOST = 20_000

Pairs = tuple[tuple[int, int], ...]
"""Previous port and migrated port of each entry, as on the outside."""

Key = tuple[int, int, int, int]
"""Server, protocol, Previous Source Address, Migrated Source Address, as on the outside."""


@dataclass
class Request:
    """A Migrate that has gone out; `mappings` are those of its entries, in order."""

    code: int
    inside: int
    pairs: Pairs
    mappings: Sequence[Mapping]
    until: float
    is_answered: bool = field(default=False)

    def migrated_by(self, reply: Migrate) -> list[Mapping]:
        """The mappings of the entries that a reply says have migrated."""
        if reply.code != FAILED:
            return list(self.mappings)
        refused = pairs_of(reply)
        is_partial = self.code == MIGRATE
        return [one for pair, one in zip(self.pairs, self.mappings, strict=True) if is_partial and pair not in refused]


class Requests:
    """The requests of one network."""

    role = "NAT router"

    def __init__(self) -> None:
        self._by_key: dict[Key, dict[Pairs, Request]] = {}
        self._count = 0

    def remember(self, server: int, outward: Migrate, inside: int, mappings: Sequence[Mapping], now: float) -> bool:
        """A Migrate goes out, for the first time or again; whether there is room for it."""
        requests = self._by_key.setdefault((server, outward.protocol, outward.previous, outward.migrated), {})
        pairs = pairs_of(outward)
        if pairs not in requests:
            if self._count >= _MOST:
                return False
            self._count += 1
        requests[pairs] = Request(outward.code, inside, pairs, mappings, now + _LIFETIME_S)
        return True

    def answered_by(self, server: int, reply: Migrate, now: float) -> Request | None:
        """The request that a message is the reply to."""
        requests = self._by_key.get((server, reply.protocol, reply.previous, reply.migrated), {})
        pairs = pairs_of(reply)
        found = requests.get(pairs)
        if found is not None and found.until > now:
            return found
        if reply.code != FAILED:
            return None
        return next((one for one in requests.values() if one.until > now and is_among(pairs, one.pairs)), None)

    def expire(self, now: float) -> None:
        """Forget requests that no reply is for any more."""
        for key, requests in list(self._by_key.items()):
            for pairs in [pairs for pairs, one in requests.items() if one.until <= now]:
                del requests[pairs]
                self._count -= 1
            if not requests:
                del self._by_key[key]


def pairs_of(message: Migrate) -> Pairs:
    """The pairs of ports of a message."""
    return tuple((entry.previous_port, entry.migrated_port) for entry in message.entries)


def is_among(some: Pairs, every: Pairs) -> bool:
    """Whether some pairs are among all of them, in the same order."""
    rest = iter(every)
    return all(pair in rest for pair in some)
