# SPDX-License-Identifier: GPL-2.0-or-later
"""Anycast and NAT acknowledgements as bytes (MOPS, sections 4.2 and 4.3)."""

import struct
from dataclasses import dataclass
from typing import Self

from reference.bump.checksum import checksum
from reference.mops.message import VERSION
from reference.system.addresses import IPFF_MASK

ANYCAST_TYPE, NAT_TYPE = 101, 102

#: Type, Checksum, Version, Code, Reserved (or NAT Level and Reserved); Protocol 14 and address 50; Reserved or Count 14
#: and address 50.
_HEADER = struct.Struct("!HHBBBBQQ")
_PORTS = struct.Struct("!HH")
_ANYCAST_LENGTH = _HEADER.size + _PORTS.size


@dataclass(frozen=True)
class AnycastAcknowledgement:
    """How to reach the server of one connection again."""

    protocol: int
    anycast: int
    unicast: int
    source_port: int
    destination_port: int
    version: int = VERSION
    code: int = 0
    length: int = _ANYCAST_LENGTH
    reserved: int = 0
    reserved_of_address: int = 0  # 14 bits before the unicast address

    def pack(self) -> bytes:
        """The message with its checksum (RFC 792: the whole message, no pseudo-header)."""
        words = self.protocol << 50 | self.anycast, self.reserved_of_address << 50 | self.unicast
        body = _HEADER.pack(ANYCAST_TYPE, 0, self.version, self.code, *divmod(self.reserved, 256), *words)
        body += _PORTS.pack(self.source_port, self.destination_port)
        return body[:2] + checksum(body).to_bytes(2, "big") + body[4:]

    @classmethod
    def parse(cls, data: bytes) -> "AnycastAcknowledgement | None":
        """Read the fields, believing nothing; None when there are too few."""
        if len(data) < _ANYCAST_LENGTH:
            return None
        _, _, version, code, _, _, word1, word2 = _HEADER.unpack_from(data)
        source_port, destination_port = _PORTS.unpack_from(data, _HEADER.size)
        addresses = word1 & IPFF_MASK, word2 & IPFF_MASK
        return cls(word1 >> 50, *addresses, source_port, destination_port, version, code, len(data))

    @property
    def is_sound(self) -> bool:
        return self.version == VERSION and self.code == 0 and self.length == _ANYCAST_LENGTH


@dataclass(frozen=True)
class NatAcknowledgement:
    """What one level of NAT has made of a source address and ports."""

    level: int
    protocol: int
    original: int
    translated: int
    ports: tuple[tuple[int, int], ...]  # original, translated
    count: int
    version: int
    code: int
    length: int

    @classmethod
    def parse(cls, data: bytes) -> "NatAcknowledgement | None":
        """Read the fields and as many whole pairs of ports as there are; None without a whole header."""
        if len(data) < _HEADER.size:
            return None
        _, _, version, code, level, _, word1, word2 = _HEADER.unpack_from(data)
        whole = (len(data) - _HEADER.size) // _PORTS.size * _PORTS.size
        ports = tuple(_PORTS.iter_unpack(data[_HEADER.size : _HEADER.size + whole]))
        addresses = word1 & IPFF_MASK, word2 & IPFF_MASK
        return cls(level, word1 >> 50, *addresses, ports, word2 >> 50, version, code, len(data))

    @property
    def is_sound(self) -> bool:
        """Version, Code, Count and length are right."""
        whole = self.count > 0 and self.length == _HEADER.size + self.count * _PORTS.size
        return whole and self.version == VERSION and self.code == 0

    @classmethod
    def of(cls, level: int, protocol: int, ends: tuple[int, int], ports: tuple[tuple[int, int], ...]) -> Self:
        """An acknowledgement with original and translated address (`ends`) and pairs of such ports."""
        length = _HEADER.size + len(ports) * _PORTS.size
        return cls(level, protocol, *ends, ports, len(ports), VERSION, 0, length)

    def pack(self) -> bytes:
        """The message, its checksum zero."""
        head = NAT_TYPE, 0, self.version, self.code, self.level, 0
        words = self.protocol << 50 | self.original, self.count << 50 | self.translated
        return _HEADER.pack(*head, *words) + b"".join(_PORTS.pack(*pair) for pair in self.ports)
