# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP segments of the device with their options of TCP Migrate, read from the bytes."""

from dataclasses import dataclass
from typing import Self

from layers.migrate import KEY_PART
from testbed.peers.segment import Segment

TIMESTAMPS = 8
PERMITTED_LENGTHS = {3: "insecure", 20: "secure"}
MIGRATE_LENGTH = 19
TOKEN_LENGTH = 8


@dataclass(frozen=True)
class Permitted:
    """A Migrate-Permitted option; `part` are the bytes of the key inside it, `stamps` TSval and TSecr beside it."""

    raw: bytes
    stamps: bytes

    @property
    def length(self) -> int:
        """Its length byte."""
        return self.raw[1]

    @property
    def curve(self) -> int:
        """Its Curve ID; -1 where it has none."""
        return self.raw[2] if len(self.raw) > 2 else -1

    @property
    def is_secure(self) -> bool:
        """Whether it has the length of the secure variant."""
        return len(self.raw) == 3 + KEY_PART

    @property
    def key(self) -> bytes:
        """The 25 bytes of Key Data; fewer where the segment does not hold it whole."""
        return self.raw[3:] + self.stamps if self.is_secure else b""

    def __str__(self) -> str:
        return f"Migrate-Permitted {self.raw.hex()}{' ' + self.stamps.hex() if self.is_secure else ''}"


@dataclass(frozen=True)
class Migrate:
    """A Migrate option of whatever length."""

    raw: bytes

    @property
    def length(self) -> int:
        """Its length byte."""
        return self.raw[1]

    @property
    def number(self) -> int:
        """The byte of Preload and ReqNo."""
        return self.raw[2]

    @property
    def is_preload(self) -> bool:
        """Whether Preload is set."""
        return bool(self.number & 0x80)

    @property
    def reqno(self) -> int:
        """ReqNo."""
        return self.number & 0x7F

    @property
    def token(self) -> bytes:
        """Token."""
        return self.raw[3:11]

    @property
    def request(self) -> bytes:
        """Request."""
        return self.raw[11:19]


@dataclass(frozen=True)
class MigrateSegment(Segment):
    """A TCP segment of the device with its options of TCP Migrate."""

    @classmethod
    def of(cls, segment: Segment) -> Self:
        """The same segment."""
        return cls(segment.frame, segment.network, segment.ip, segment.header, segment.content)

    @property
    def stamps(self) -> bytes:
        """TSval and TSecr; empty without timestamps."""
        found = self.option(TIMESTAMPS)
        return found.raw[2:] if found and len(found.raw) == 10 else b""

    def permitted(self, kind: int) -> Permitted | None:
        """Its Migrate-Permitted."""
        found = self.option(kind)
        return Permitted(found.raw, self.stamps) if found else None

    def migrate(self, kind: int) -> Migrate | None:
        """Its Migrate."""
        found = self.option(kind)
        return Migrate(found.raw.ljust(MIGRATE_LENGTH, b"\0")) if found else None
