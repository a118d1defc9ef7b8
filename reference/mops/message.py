# SPDX-License-Identifier: GPL-2.0-or-later
"""ICMP Migrate as bytes (MOPS, section 4.1): 24 bytes and 8 for every port.

Type 16 bits, Checksum 16; Version 8, Code 8, Reserved 16; Protocol 14, Previous Source Address 50; Count 14, Migrated
Source Address 50; then for every port Previous Source Port 16, Migrated Source Port 16, Sequence number or
Unique ID 32.
"""

import struct
from dataclasses import dataclass
from typing import NamedTuple

from reference.bump.checksum import checksum
from reference.system.addresses import IPFF_MASK

MIGRATE_TYPE = 100
VERSION = 1
MIGRATE, MIGRATE_ATOMIC, SUCCESS, FAILED = 0, 1, 2, 3

_HEADER = struct.Struct("!HHBBHQQ")
_ENTRY = struct.Struct("!HHI")


class Entry(NamedTuple):
    """One port to migrate."""

    previous_port: int
    migrated_port: int
    identifier: int


@dataclass(frozen=True)
class Migrate:
    """An ICMP Migrate message; addresses are 50-bit numbers."""

    code: int
    protocol: int
    previous: int
    migrated: int
    entries: tuple[Entry, ...]
    version: int = VERSION
    reserved: int = 0
    count: int | None = None  # None: as many as there are entries

    def pack(self) -> bytes:
        """The message with its checksum (RFC 792: the whole message, no pseudo-header)."""
        count = len(self.entries) if self.count is None else self.count
        body = _HEADER.pack(
            MIGRATE_TYPE, 0, self.version, self.code, self.reserved,
            self.protocol << 50 | self.previous, count << 50 | self.migrated,
        ) + b"".join(_ENTRY.pack(*entry) for entry in self.entries)  # fmt: skip
        return body[:2] + checksum(body).to_bytes(2, "big") + body[4:]

    @classmethod
    def parse(cls, data: bytes) -> "Migrate | None":
        """Read the fields and as many whole entries as there are, believing nothing; None without a whole header."""
        if len(data) < _HEADER.size:
            return None
        _, _, version, code, reserved, word1, word2 = _HEADER.unpack_from(data)
        whole = (len(data) - _HEADER.size) // _ENTRY.size * _ENTRY.size
        entries = tuple(Entry(*fields) for fields in _ENTRY.iter_unpack(data[_HEADER.size : _HEADER.size + whole]))
        return cls(code, word1 >> 50, word1 & IPFF_MASK, word2 & IPFF_MASK, entries, version, reserved, word2 >> 50)


def message_type(data: bytes) -> int | None:
    """The 16-bit Type of an ICMPv5 message, None when it has none."""
    return int.from_bytes(data[:2], "big") if len(data) >= 4 else None


def length_for(count: int) -> int:
    """How long a Migrate with this Count has to be."""
    return _HEADER.size + count * _ENTRY.size
