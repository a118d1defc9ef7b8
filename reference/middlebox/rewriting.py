# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP segments in the buffer of a packet, changed by a box that does more than it must."""

from collections.abc import Callable, Iterator

from reference.bump.checksum import words_sum
from reference.middlebox.packet import Packet, shift

_OFFSET_AT, _CHECKSUM_AT, _HEADER = 12, 16, 20
_NO_OPERATION = 1


def options(segment: bytearray) -> Iterator[tuple[int, int]]:
    """Where each option of a segment with a kind above 1 begins and ends."""
    at, end = _HEADER, segment[_OFFSET_AT] >> 2 & 0x3C
    while at < end and segment[at]:
        if segment[at] == _NO_OPERATION:
            at += 1
            continue
        length = segment[at + 1] if at + 1 < end else 0
        if length < 2 or at + length > end:
            return
        yield at, at + length
        at += length


def rewrite(packet: Packet, change: Callable[[bytearray], None]) -> None:
    """Have a segment be another one of the same length; its checksum covers what has changed."""
    segment = bytearray(packet.payload)
    before = words_sum(segment)
    change(segment)
    packet.buffer[packet.start : packet.end] = segment
    shift(packet.buffer, packet.start + _CHECKSUM_AT, words_sum(segment) - before)
