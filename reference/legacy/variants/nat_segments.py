# SPDX-License-Identifier: GPL-2.0-or-later
"""A NAT of today that changes of segments what it may."""

import struct

from reference.bump.tcp import SYN
from reference.middlebox.nat.nat import Nat
from reference.middlebox.packet import TCP, Packet
from reference.middlebox.rewriting import options, rewrite
from reference.middlebox.side import Side
from reference.system.alterations import variant

_FLAGS_AT, _SEGMENT_SIZE = 13, 2
_SMALLEST = 536


@variant(
    "nat-clamps-segment-size",
    "2979",
    "A router whose next link is smaller may say so in the option Maximum Segment Size, which it knows.",
    "every SYN names 536 bytes at most",
)
class _Clamping(Nat):
    def passes(self, side: Side, packet: Packet, out: Side) -> bool:
        if not super().passes(side, packet, out):
            return False
        if packet.protocol == TCP:
            rewrite(packet, self.clamp)
        return True

    @staticmethod
    def clamp(segment: bytearray) -> None:
        """Have the option name no more."""
        for at, _ in list(options(segment)) if segment[_FLAGS_AT] & SYN else ():
            if segment[at] == _SEGMENT_SIZE:
                (size,) = struct.unpack_from("!H", segment, at + 2)
                struct.pack_into("!H", segment, at + 2, min(size, _SMALLEST))
