# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations of a NAT router in what it does to segments on their way: numbers, options, checksums."""

import struct

from reference.bump.checksum import checksum
from reference.bump.tcp import SYN
from reference.middlebox.nat.mappings import Mapping
from reference.middlebox.nat.translation import flags_of
from reference.middlebox.packet import TCP, Packet, shift
from reference.middlebox.side import Side
from reference.mops.nat.router import NatRouter
from reference.system.alterations import deviation

ISN = "Initial sequence numbers pass unchanged."
NUMBERS = "Sequence and acknowledgement numbers pass unchanged, SACK blocks too."
PUSH, ACK, SACK = 0x08, 0x10, 5
OFFSET = 0x1234567


def add(packet: Packet, at: int, offset: int) -> None:
    """Add to a number of 32 bits at a place of a segment; the checksum follows."""
    place = packet.start + at
    (before,) = struct.unpack_from("!I", packet.buffer, place)
    after = (before + offset) % (1 << 32)
    struct.pack_into("!I", packet.buffer, place, after)
    delta = (after >> 16) + (after & 0xFFFF) - (before >> 16) - (before & 0xFFFF)
    shift(packet.buffer, packet.start + 16, delta)


class _Segments(NatRouter):
    """Changes segments that pass."""

    def outward(self, packet: Packet) -> None:
        """A segment that goes out."""

    def inward(self, packet: Packet, mapping: Mapping | None) -> None:
        """A segment that comes in."""

    def passes_outward(self, side: Side, packet: Packet) -> bool:
        passed = super().passes_outward(side, packet)
        if passed and packet.protocol == TCP:
            self.outward(packet)
        return passed

    def passes_inward(self, side: Side, packet: Packet) -> bool:
        mapping = self.translations[packet.network].target(packet)
        passed = super().passes_inward(side, packet)
        if passed and packet.protocol == TCP:
            self.inward(packet, mapping)
        return passed


@deviation(
    "router-randomizes-isn", "6", ISN, "numbers from the inside are shifted, and shifted back in acknowledgements"
)
class _RandomizesOutward(_Segments):
    def outward(self, packet: Packet) -> None:
        add(packet, 4, OFFSET)

    def inward(self, packet: Packet, mapping: Mapping | None) -> None:
        if flags_of(packet) & ACK:
            add(packet, 8, -OFFSET)


@deviation("router-randomizes-isn-of-servers", "6", ISN, "numbers from the outside are shifted, and shifted back")
class _RandomizesInward(_Segments):
    def outward(self, packet: Packet) -> None:
        if flags_of(packet) & ACK:
            add(packet, 8, -OFFSET)

    def inward(self, packet: Packet, mapping: Mapping | None) -> None:
        add(packet, 4, OFFSET)


@deviation("router-sack-blocks-shifted", "5", NUMBERS, "the edges of SACK blocks are one off")
class _SackShifted(_Segments):
    def outward(self, packet: Packet) -> None:
        self._shift(packet)

    def inward(self, packet: Packet, mapping: Mapping | None) -> None:
        self._shift(packet)

    @staticmethod
    def _shift(packet: Packet) -> None:
        header = packet.payload[: packet.payload[12] >> 4 << 2]
        at = header.find(bytes([1, 1, SACK]), 20)
        if at >= 0 and at % 2 == 0:
            for place in range(at + 4, at + 2 + header[at + 3], 4):
                add(packet, place, 1)


@deviation("router-migrated-numbers-shifted", "5", NUMBERS, "without a SYN before them some are shifted")
class _MigratedShifted(_Segments):
    def outward(self, packet: Packet) -> None:
        opened = self.__dict__.setdefault("_opened", set())
        ends = packet.destination, packet.payload[:4]
        if flags_of(packet) & SYN:
            opened.add(ends)
        elif ends not in opened and not flags_of(packet) & PUSH:
            add(packet, 4, OFFSET)


@deviation("router-syn-ack-without-the-option", "C", "MOBILE_CAPABLE passes.", "on a SYN-ACK it is overwritten")
class _SynAckWithout(_Segments):
    def inward(self, packet: Packet, mapping: Mapping | None) -> None:
        if flags_of(packet) & SYN:
            payload = packet.payload
            at = payload.find(b"\xfe\x04\x4d\x4f", 20)
            if at >= 0 and at % 2 == 0:
                packet.buffer[packet.start + at : packet.start + at + 4] = b"\1\1\1\1"
                delta = 0x0101 + 0x0101 - 0xFE04 - 0x4D4F
                shift(packet.buffer, packet.start + 16, delta)


@deviation("router-makes-checksums-right", "B", "A wrong checksum of a segment stays wrong.", "it becomes a right one")
class _MakesRight(_Segments):
    def outward(self, packet: Packet) -> None:
        self._make_right(packet)

    def inward(self, packet: Packet, mapping: Mapping | None) -> None:
        self._make_right(packet)

    @staticmethod
    def _make_right(packet: Packet) -> None:
        """Compute the checksum anew (RFC 9293, 3.1), over IPv4."""
        segment = packet.payload
        ends = struct.pack("!IIHH", packet.source, packet.destination, TCP, len(segment))
        value = checksum(ends + segment[:16] + bytes(2) + segment[18:])
        struct.pack_into("!H", packet.buffer, packet.start + 16, value)
