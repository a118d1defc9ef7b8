# SPDX-License-Identifier: GPL-2.0-or-later
"""The TCP Rehash option (section 7), and how it comes into the options of a segment and out of them."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

INIT, ADDR = 0x0001, 0x0010
LENGTH = 16
MAXIMUM = 40  # bytes of options a segment can have
_FIELDS = struct.Struct("!HIII")
_END_OF_OPTIONS, _NO_OPERATION, _SEGMENT_SIZE, _SACK, _TIMESTAMPS = 0, 1, 2, 5, 8
#: Maximum segment size of a peer that names none (RFC 9293), and the smallest that is passed on.
DEFAULT_SEGMENT_SIZE, _LEAST_SEGMENT_SIZE = 536, 64
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


def split(options: bytes) -> Iterator[tuple[int, bytes]]:
    """Kind and bytes of each option, one byte for a no-operation; ends where they are not well-formed any more."""
    at = 0
    while at < len(options):
        kind = options[at]
        if kind == _END_OF_OPTIONS:
            return
        length = 1
        if kind != _NO_OPERATION:
            length = options[at + 1] if at + 1 < len(options) else 0
            if not 2 <= length <= len(options) - at:
                return
        yield kind, options[at : at + length]
        at += length


def timestamps(options: bytes) -> bytes | None:
    """The Timestamps option (RFC 7323), None without one."""
    for kind, option in split(options):
        if kind == _TIMESTAMPS and len(option) == 10:
            return option
    return None


def maximum_segment_size(options: bytes) -> int:
    """What a Maximum Segment Size option says, or what holds without one."""
    for kind, option in split(options):
        if kind == _SEGMENT_SIZE and len(option) == 4:
            return int.from_bytes(option[2:], "big")
    return DEFAULT_SEGMENT_SIZE


def with_segment_size_less(options: bytes, by: int) -> bytes:
    """The options of a SYN with a Maximum Segment Size smaller by so much: the daemon needs the room (RFC 6691)."""
    size = max(maximum_segment_size(options) - by, _LEAST_SEGMENT_SIZE)
    others = b"".join(whole for kind, whole in split(options) if kind != _SEGMENT_SIZE)
    changed = bytes((_SEGMENT_SIZE, 4)) + size.to_bytes(2, "big") + others
    changed += _padding(len(changed))
    return changed if len(changed) <= MAXIMUM else options


def with_option(options: bytes, option: bytes) -> bytes | None:
    """These options and one more; when there is no room, SACK blocks make some. None when even that does not help.

    Timestamps (12 bytes with their padding) and a Rehash option leave room for one SACK block.
    """
    if len(options) + len(option) <= MAXIMUM:
        return options + option
    others, blocks = b"", b""
    for kind, whole in split(options):
        if kind == _SACK:
            blocks = whole[2:]
        elif kind != _NO_OPERATION:
            others += _padding(len(others) + len(whole)) + whole
    room = (MAXIMUM - len(option) - len(others) - 4) // 8
    blocks = blocks[: 8 * max(0, room)]
    if blocks:
        others += _NO_OPERATION_BYTE * 2 + bytes((_SACK, 2 + len(blocks))) + blocks
    others += _padding(len(others))
    return others + option if len(others) + len(option) <= MAXIMUM else None


def _padding(length: int) -> bytes:
    return _NO_OPERATION_BYTE * (-length % 4)


def without_kind(options: bytes, kind: int) -> bytes:
    """These options without those of a kind that have the length of a Rehash option."""
    kept = b"".join(whole for one, whole in split(options) if one != kind or len(whole) != LENGTH)
    return kept + bytes(-len(kept) % 4)
