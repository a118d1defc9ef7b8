# SPDX-License-Identifier: GPL-2.0-or-later
"""The TCP Rehash option (section 7), and how it comes into the options of a segment and out of them."""

import struct
from typing import NamedTuple

from reference.bump.tcp import MAXIMUM_OPTIONS, NO_OPERATION, SACK, SEGMENT_SIZE, maximum_segment_size, split

INIT, ADDR = 0x0001, 0x0010
LENGTH = 16
_FIELDS = struct.Struct("!HIII")
_LEAST_SEGMENT_SIZE = 64  # the smallest maximum that is passed on
_NO_OPERATION_BYTE = b"\x01"


class Option(NamedTuple):
    """REHASH-INIT or REHASH-ADDR."""

    control: int
    nonce: int
    old: int
    new: int

    def pack(self, kind: int) -> bytes:
        return bytes((kind, LENGTH)) + _FIELDS.pack(*self)


def unpack(option: bytes) -> Option:
    """Read an option of any length as far as it goes."""
    return Option(*_FIELDS.unpack(option[2:LENGTH].ljust(_FIELDS.size, b"\0")))


def with_segment_size_less(options: bytes, by: int) -> bytes:
    """The options of a SYN with a Maximum Segment Size smaller by so much: the daemon needs the room (RFC 6691)."""
    size = max(maximum_segment_size(options) - by, _LEAST_SEGMENT_SIZE)
    others = b"".join(whole for kind, whole in split(options) if kind != SEGMENT_SIZE)
    changed = bytes((SEGMENT_SIZE, 4)) + size.to_bytes(2, "big") + others
    changed += _padding(len(changed))
    return changed if len(changed) <= MAXIMUM_OPTIONS else options


def with_option(options: bytes, option: bytes) -> bytes | None:
    """These options and one more; when there is no room, SACK blocks make some. None when even that does not help.

    Timestamps (12 bytes with their padding) and a Rehash option leave room for one SACK block.
    """
    if len(options) + len(option) <= MAXIMUM_OPTIONS:
        return options + option
    others, blocks = b"", b""
    for kind, whole in split(options):
        if kind == SACK:
            blocks = whole[2:]
        elif kind != NO_OPERATION:
            others += _padding(len(others) + len(whole)) + whole
    room = (MAXIMUM_OPTIONS - len(option) - len(others) - 4) // 8
    blocks = blocks[: 8 * max(0, room)]
    if blocks:
        others += _NO_OPERATION_BYTE * 2 + bytes((SACK, 2 + len(blocks))) + blocks
    others += _padding(len(others))
    return others + option if len(others) + len(option) <= MAXIMUM_OPTIONS else None


def _padding(length: int) -> bytes:
    return _NO_OPERATION_BYTE * (-length % 4)


def without_kind(options: bytes, kind: int) -> bytes:
    """These options without those of a kind that have the length of a Rehash option."""
    kept = b"".join(whole for one, whole in split(options) if one != kind or len(whole) != LENGTH)
    return kept + bytes(-len(kept) % 4)
