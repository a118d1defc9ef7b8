# SPDX-License-Identifier: GPL-2.0-or-later
"""The control messages of the two networks: ICMP (RFC 792) and ICMPv5 (draft-eromenko-ipff-icmp-00)."""

import struct
from abc import ABC, abstractmethod
from enum import Enum
from typing import ClassVar

from reference.bump.checksum import checksum, is_intact
from reference.bump.ipff_wire import Reading
from reference.middlebox.packet import ICMP, Packet


class Trouble(Enum):
    """Why a packet is not forwarded, as its sender is told."""

    HOPS = "no hop left"
    SIZE = "too large for the next link"
    PORT = "port unreachable"
    HOST = "host unreachable"
    POLICY = "prohibited"


class Messages(ABC):
    """One protocol of control messages. `checksum_at` and `identifier_at` are places in a message.

    `request` and `reply` are the types of echo; `requests` and `replies` those of all queries, which have an identifier
    of `identifier_width` bytes.
    """

    checksum_at = 2
    identifier_at = 4
    identifier_width: ClassVar[int]
    protocol: int
    request: ClassVar[int]
    reply: ClassVar[int]
    requests: ClassVar[tuple[int, ...]]
    replies: ClassVar[tuple[int, ...]]

    @abstractmethod
    def kind(self, message: bytes) -> int | None:
        """The type of a message; None where it has none."""

    @abstractmethod
    def quote_at(self, message: bytes) -> int | None:
        """Where a message that is an error quotes a packet; None where it is no error."""

    @abstractmethod
    def error(self, packet: Packet, trouble: Trouble, mtu: int) -> bytes:
        """The error about a packet, without its checksum."""

    @property
    @abstractmethod
    def covers_addresses(self) -> bool:
        """Whether the checksum covers the addresses of the packet too."""

    @abstractmethod
    def covered_sum(self, ends: int, length: int) -> int:
        """Sum of what the checksum covers beside the message, between addresses of this sum."""

    def is_intact(self, packet: Packet) -> bool:
        """Whether the checksum of a message is right."""
        message = packet.payload
        return is_intact(message, self.covered_sum(packet.source + packet.destination, len(message)))

    def with_checksum(self, message: bytes, source: int, destination: int) -> bytes:
        """The message with its checksum, which is zero before."""
        covered = self.covered_sum(source + destination, len(message)) % 0xFFFF
        at = self.checksum_at
        return message[:at] + checksum(message, covered).to_bytes(2, "big") + message[at + 2 :]

    def echo(self, message: bytes) -> bytes:
        """The answer to an echo request, without its checksum."""
        head = self.reply_head
        return head + message[len(head) :]

    @property
    @abstractmethod
    def reply_head(self) -> bytes:
        """The start of an echo reply, up to the checksum and with it."""


class Icmpv4(Messages):
    """ICMP of IPv4."""

    protocol = ICMP
    request, reply = 8, 0
    requests, replies = (8, 13), (0, 14)  # echo, timestamp
    identifier_width = 2
    covers_addresses = False
    reply_head = bytes(4)
    _ERRORS = (3, 4, 5, 11, 12)
    _QUOTE = 8
    _LONGEST = 576 - 20  # RFC 1812, 4.3.2.3
    _CODES: ClassVar[dict[Trouble, tuple[int, int]]] = {
        Trouble.HOPS: (11, 0),
        Trouble.SIZE: (3, 4),
        Trouble.PORT: (3, 3),
        Trouble.HOST: (3, 1),
        Trouble.POLICY: (3, 13),
    }

    def kind(self, message: bytes) -> int | None:
        return message[0] if len(message) >= self._QUOTE else None

    def quote_at(self, message: bytes) -> int | None:
        return self._QUOTE if self.kind(message) in self._ERRORS else None

    def error(self, packet: Packet, trouble: Trouble, mtu: int) -> bytes:
        head = struct.pack("!BBHHH", *self._CODES[trouble], 0, 0, mtu if trouble is Trouble.SIZE else 0)
        return (head + packet.whole)[: self._LONGEST]

    def covered_sum(self, ends: int, length: int) -> int:
        return 0


class Icmpv5(Messages):
    """ICMPv5; without a reading of IPFF it travels in IPv4, where its checksum covers the message alone."""

    request, reply = 128, 129
    requests, replies = (128,), (129, 130)
    identifier_width = 4
    reply_head = struct.pack("!HH", reply, 0)
    _HEAD = 4
    _ERRORS: ClassVar[dict[int, int]] = {1: 8, 2: 8, 3: 4, 4: 8}
    _QUOTED = 24  # bytes that follow the quoted header
    _CODES: ClassVar[dict[Trouble, int]] = {Trouble.PORT: 3, Trouble.HOST: 1, Trouble.POLICY: 10}

    def __init__(self, protocol: int, reading: Reading | None) -> None:
        self.protocol, self._reading = protocol, reading

    def kind(self, message: bytes) -> int | None:
        return int.from_bytes(message[:2], "big") if len(message) >= self._HEAD else None

    def quote_at(self, message: bytes) -> int | None:
        return self._ERRORS.get(self.kind(message) or 0)

    def error(self, packet: Packet, trouble: Trouble, mtu: int) -> bytes:
        quoted = packet.whole[: packet.start - packet.at + self._QUOTED]
        quoted += bytes(packet.start - packet.at + self._QUOTED - len(quoted))
        if trouble is Trouble.HOPS:
            return struct.pack("!HH", 3, 0) + quoted
        if trouble is Trouble.SIZE:
            return struct.pack("!HHI", 2, 0, mtu) + quoted
        return struct.pack("!HHI", 1, 0, self._CODES[trouble] << 24) + quoted

    @property
    def covers_addresses(self) -> bool:
        return bool(self.covered_sum(1, 0) != self.covered_sum(0, 0))

    def covered_sum(self, ends: int, length: int) -> int:
        return 0 if self._reading is None else self._reading.message_sum(ends, length)
