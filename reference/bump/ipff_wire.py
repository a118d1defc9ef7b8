# SPDX-License-Identifier: GPL-2.0-or-later
"""How IPFF looks on the wire, and what of it differs from the IPv6 that the kernel is given.

The drafts contradict each other, and devices exist that were built before the draft of the header was known. The table
`ipff` of DUT_CONFIG says which reading is meant; without a word it is that of the drafts.
"""

import functools
import struct
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Self

from reference.bump.checksum import adjust
from reference.system.addresses import IPFF_MASK, LARGEST_FIELD
from reference.system.configuration import Table

VERSION = 5
_PROTOCOL_AT = 50  # bits that an address takes below the protocol
_UDP_OF_IPV6 = 8
_UDP_WITHOUT_LENGTH = 6


class Header(NamedTuple):
    """What a header says; `service` is the byte that IPv6 calls Traffic Class."""

    version: int
    source: int
    destination: int
    protocol: int
    hops: int
    service: int
    length: int


class Format(ABC):
    """One reading of the header."""

    layout: ClassVar[struct.Struct]
    #: How often the protocol number counts in the sum of a pseudo-header.
    protocol_weight: ClassVar[int]

    @classmethod
    @abstractmethod
    def read(cls, buffer: bytes | bytearray, at: int) -> Header:
        """Read the header at `at`."""

    @classmethod
    @abstractmethod
    def pack(cls, header: Header) -> bytes:
        """The bytes of a header."""


class Draft(Format):
    """draft-eromenko-ipff-00, section 3: 20 bytes.

    Version 4 bits, Reserved 10, Source 50; Protocol 14, Destination 50; Hops to Live 8, Type of Service 8, Payload
    Length 16. Reserved is zero when sent, ignored when received. In the pseudo-header (7.1) the 14 bits of Protocol
    stand two bits higher than 16 bits would, so that its sum counts the number four times.
    """

    layout = struct.Struct("!QQBBH")
    protocol_weight = 4

    @classmethod
    def read(cls, buffer: bytes | bytearray, at: int) -> Header:
        first, second, hops, service, length = cls.layout.unpack_from(buffer, at)
        return Header(first >> 60, first & IPFF_MASK, second & IPFF_MASK, second >> _PROTOCOL_AT, hops, service, length)

    @classmethod
    def pack(cls, header: Header) -> bytes:
        first = header.version << 60 | header.source
        second = header.protocol << _PROTOCOL_AT | header.destination
        return cls.layout.pack(first, second, header.hops, header.service, header.length)


class Earlier(Format):
    """24 bytes, as IPv6 with shorter addresses.

    Version 4 bits, Traffic Class 8, Flow Label 20, Payload Length 16, Hop Limit 8, Reserved 8; Protocol 14, Source 50;
    Reserved 14, Destination 50. Its pseudo-header is that of IPv6.
    """

    layout = struct.Struct("!IHBBQQ")
    protocol_weight = 1

    @classmethod
    def read(cls, buffer: bytes | bytearray, at: int) -> Header:
        first, length, hops, _, second, third = cls.layout.unpack_from(buffer, at)
        service = first >> 20 & 0xFF
        return Header(first >> 28, second & IPFF_MASK, third & IPFF_MASK, second >> _PROTOCOL_AT, hops, service, length)

    @classmethod
    def pack(cls, header: Header) -> bytes:
        first = header.version << 28 | header.service << 20
        second = header.protocol << _PROTOCOL_AT | header.source
        return cls.layout.pack(first, header.length, header.hops, 0, second, header.destination)


_FORMATS: dict[str, type[Format]] = {"draft-00": Draft, "24-byte": Earlier}


@dataclass(frozen=True)
class Reading:
    """What the drafts leave open, decided."""

    format: type[Format]
    icmp_pseudo_protocol: int | None
    """Protocol in the pseudo-header of ICMPv5; None where its checksum covers the message alone."""
    udp_has_length: bool

    @classmethod
    def read(cls, table: Table) -> Self:
        """What the table `ipff` says."""
        covers = table.choice("icmp_checksum", ("pseudo-header", "plain"), "pseudo-header")
        protocol = table.integer("icmp_pseudo_protocol", 1, 58, 1)
        if protocol not in (1, 58):
            raise table.wrong("icmp_pseudo_protocol", "1 | 58")
        return cls(
            _FORMATS[table.choice("header", tuple(_FORMATS), "draft-00")],
            protocol if covers == "pseudo-header" else None,
            table.choice("udp", ("v5", "rfc768"), "v5") == "rfc768",
        )

    def message_sum(self, ends: int, length: int) -> int:
        """Sum of what the checksum of a message covers beside its `length` bytes, between these two addresses."""
        if self.icmp_pseudo_protocol is None:
            return 0
        return ends + self.format.protocol_weight * self.icmp_pseudo_protocol + length

    def protocol_excess(self, protocol: int) -> int:
        """How much more the protocol counts in the pseudo-header on the wire than in that of IPv6."""
        return (self.format.protocol_weight - 1) * protocol


def shift_checksum(buffer: bytearray, at: int, delta: int) -> None:
    """Have the checksum at `at` cover words that have grown by `delta`."""
    (field,) = struct.unpack_from("!H", buffer, at)
    struct.pack_into("!H", buffer, at, adjust(field, delta % 0xFFFF))


def insert_udp_length(buffer: bytearray, start: int, end: int, excess: int) -> int:
    """Make the UDP of IPFF at `start` that of IPv6, two bytes longer to the front; returns where it starts then.

    No checksum stays none.
    """
    ports, (field,) = buffer[start : start + 4], struct.unpack_from("!H", buffer, start + 4)
    length = end - start
    longer = length - _UDP_WITHOUT_LENGTH + _UDP_OF_IPV6
    grown = 2 * longer - length - excess
    start -= longer - length
    buffer[start : start + 4] = ports
    struct.pack_into("!HH", buffer, start + 4, longer, _udp_checksum(field, grown))
    return start


def remove_udp_length(buffer: bytearray, start: int, end: int, excess: int) -> int:
    """The reverse."""
    ports, (field,) = buffer[start : start + 4], struct.unpack_from("!H", buffer, start + 6)
    length = end - start
    shorter = length - _UDP_OF_IPV6 + _UDP_WITHOUT_LENGTH
    grown = shorter + excess - 2 * length
    start += length - shorter
    buffer[start : start + 4] = ports
    struct.pack_into("!H", buffer, start + 4, _udp_checksum(field, grown))
    return start


def shift_udp_checksum(buffer: bytearray, start: int, delta: int) -> None:
    """The same for a UDP that has its Length on the wire too."""
    (field,) = struct.unpack_from("!H", buffer, start + 6)
    struct.pack_into("!H", buffer, start + 6, _udp_checksum(field, delta))


def _udp_checksum(field: int, delta: int) -> int:
    return (adjust(field, delta % 0xFFFF) or 0xFFFF) if field else 0


@functools.lru_cache(4096)
def is_valid(address: int) -> bool:
    """Whether every field is 0 to 999: a packet with another is dropped (draft-eromenko-ipff-addressing-00, 3)."""
    return all(address >> shift & 0x3FF <= LARGEST_FIELD for shift in (40, 30, 20, 10, 0))
