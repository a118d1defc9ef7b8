# SPDX-License-Identifier: GPL-2.0-or-later
"""IPFF written out by struct alone, a third reading beside those of the layers and of the reference.

draft-eromenko-ipff-00, 3 and 7.1; the header of 24 bytes is what earlier devices have.
"""

import struct
from dataclasses import dataclass
from typing import Any

ADDRESS = (1 << 50) - 1
HOPS = 64


def internet_checksum(data: bytes) -> int:
    """RFC 1071."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def number(address: str) -> int:
    """The number of a dotted address of five fields."""
    first, second, third, fourth, fifth = (int(field) for field in address.split("."))
    return first << 40 | second << 30 | third << 20 | fourth << 10 | fifth


@dataclass(frozen=True)
class Received:
    """What a packet says of itself."""

    source: int
    destination: int
    protocol: int
    hops: int
    payload: bytes


@dataclass(frozen=True)
class Ipff:
    """One reading of everything that the drafts leave open; `icmp` is the Protocol in the pseudo-header of ICMPv5."""

    header: str = "draft-00"
    icmp: int | None = 1
    udp: str = "v5"

    @classmethod
    def of(cls, table: dict[str, Any]) -> "Ipff":
        """What the table `ipff` of a DUT_CONFIG says; without a word that of the drafts."""
        icmp = None if table.get("icmp_checksum") == "plain" else int(table.get("icmp_pseudo_protocol", 1))
        return cls(table.get("header", "draft-00"), icmp, table.get("udp", "v5"))

    def packet(self, source: int, destination: int, protocol: int, payload: bytes, hops: int = HOPS) -> bytes:
        """A packet with nothing out of the ordinary."""
        if self.header == "draft-00":
            words = 5 << 60 | source, protocol << 50 | destination
            return struct.pack("!QQBBH", *words, hops, 0, len(payload)) + payload
        return struct.pack("!IHBBQQ", 5 << 28, len(payload), hops, 0, protocol << 50 | source, destination) + payload

    def pseudo_header(self, source: int, destination: int, protocol: int, length: int) -> bytes:
        """What a checksum covers beside the segment."""
        if self.header == "draft-00":
            return struct.pack("!QQHH", source, protocol << 50 | destination, 0, length)
        return struct.pack("!QQII", source, destination, length, protocol)

    def read(self, packet: bytes) -> Received:
        """Take a sound packet apart; AssertionError where it is none."""
        if self.header == "draft-00":
            first, second, hops, _, length = struct.unpack_from("!QQBBH", packet)
            assert first >> 50 == 5 << 10, "version and Reserved"
            source, destination, protocol, start = first & ADDRESS, second & ADDRESS, second >> 50, 20
        else:
            word, length, hops, reserved, second, third = struct.unpack_from("!IHBBQQ", packet)
            assert word >> 28 == 5
            assert reserved == third >> 50 == 0
            source, destination, protocol, start = second & ADDRESS, third & ADDRESS, second >> 50, 24
        return Received(source, destination, protocol, hops, packet[start : start + length])

    def is_intact(self, received: Received, checksum_protocol: int | None = None) -> bool:
        """Whether the checksum of a segment or message, wherever it stands, is right."""
        pseudo = self.pseudo_header(
            received.source, received.destination, checksum_protocol or received.protocol, len(received.payload)
        )
        return internet_checksum(pseudo + received.payload) == 0

    def message(self, source: int, destination: int, plain: bytes) -> bytes:
        """A message of ICMPv5 that has a checksum without pseudo-header, with the one that it has to have here.

        A checksum that is wrong stays wrong by as much.
        """
        if self.icmp is None or len(plain) < 4:
            return plain
        more = internet_checksum(self.pseudo_header(source, destination, self.icmp, len(plain))) + int.from_bytes(
            plain[2:4]
        )
        return plain[:2] + ((more & 0xFFFF) + (more >> 16)).to_bytes(2) + plain[4:]

    def plain(self, received: Received) -> bytes:
        """The reverse: a message as it would be without pseudo-header."""
        if self.icmp is None or len(received.payload) < 4:
            return received.payload
        pseudo = self.pseudo_header(received.source, received.destination, self.icmp, len(received.payload))
        more = (internet_checksum(pseudo) ^ 0xFFFF) + int.from_bytes(received.payload[2:4])
        return received.payload[:2] + ((more & 0xFFFF) + (more >> 16)).to_bytes(2) + received.payload[4:]


DRAFT = Ipff()
EARLIER = Ipff("24-byte", None, "rfc768")
