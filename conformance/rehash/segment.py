# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP segments of the device with their Rehash options, recognised also where a field is wrong."""

import ipaddress
from dataclasses import dataclass
from typing import Self

from layers.rehash import ADDR, INIT
from layers.tcp_options import RawOption
from testbed.peers.segment import Segment

ASSIGNED = frozenset({0, 1, 2, 3, 4, 5, 8, 19, 28, 29, 30, 34})
"""Option kinds that are something else for certain: list ends, MSS, window scale, SACK, timestamps and the like."""

SHORTEST = 12


@dataclass(frozen=True)
class Option:
    """A Rehash option with whatever it says.

    It is taken for one even where kind, length or control header are wrong, so that only the case about these fails.
    """

    kind: int
    length: int
    control: int
    nonce: int
    old: str
    new: str

    @property
    def is_init(self) -> bool:
        """Whether it is meant as REHASH-INIT: by its control header, or else by its Old address."""
        return self.control == INIT or (self.control != ADDR and int(ipaddress.IPv4Address(self.old)) == 0)

    @property
    def is_addr(self) -> bool:
        """Whether it is meant as REHASH-ADDR."""
        return not self.is_init

    def __str__(self) -> str:
        name = "REHASH-INIT" if self.is_init else "REHASH-ADDR"
        return f"{name} nonce {self.nonce:#010x} old {self.old} new {self.new}"


@dataclass(frozen=True)
class RehashSegment(Segment):
    """A TCP segment of the device and its Rehash options."""

    @classmethod
    def of(cls, segment: Segment) -> Self:
        """The same segment."""
        return cls(segment.frame, segment.network, segment.ip, segment.header, segment.content)

    @property
    def rehash(self) -> list[Option]:
        """The Rehash options."""
        return [_option(one) for one in self.options if one.kind not in ASSIGNED and len(one.raw) >= SHORTEST]

    @property
    def init(self) -> Option | None:
        """The REHASH-INIT that it carries."""
        return next((one for one in self.rehash if one.is_init), None)

    @property
    def rehash_addr(self) -> Option | None:
        """The REHASH-ADDR that it carries."""
        return next((one for one in self.rehash if one.is_addr), None)

    def __str__(self) -> str:
        return " ".join([super().__str__(), *map(str, self.rehash)])


def _option(raw: RawOption) -> Option:
    content = raw.raw.ljust(16, b"\0")
    old, new = (str(ipaddress.IPv4Address(content[at : at + 4])) for at in (8, 12))
    return Option(
        raw.kind, content[1], int.from_bytes(content[2:4], "big"), int.from_bytes(content[4:8], "big"), old, new
    )
