# SPDX-License-Identifier: GPL-2.0-or-later
"""ICMP Migrate as a test sends it, and the reply."""

import struct
from dataclasses import dataclass

from tests.lab.wire import ICMP_PROTOCOL, TCP, Wire, internet_checksum, mops_number


def migrate(
    previous: str,
    migrated: str,
    entries: list[tuple[int, int, int]],
    *,
    code: int = 0,
    count: int | None = None,
    version: int = 1,
    reserved: int = 0,
    protocol: int = TCP,
    spoil: int = 0,
) -> bytes:
    """An ICMP Migrate message."""
    count = len(entries) if count is None else count
    message = struct.pack(
        "!HHBBHQQ", 100, 0, version, code, reserved,
        protocol << 50 | mops_number(previous), count << 50 | mops_number(migrated),
    ) + b"".join(struct.pack("!HHI", *entry) for entry in entries)  # fmt: skip
    return message[:2] + struct.pack("!H", internet_checksum(message) ^ spoil) + message[4:]


@dataclass
class Answer:
    """A reply to Migrate."""

    code: int
    reserved: int
    raw: bytes
    destination: int

    @property
    def count(self) -> int:
        return int.from_bytes(self.raw[16:24], "big") >> 50

    @property
    def entries(self) -> list[tuple[int, int, int]]:
        return list(struct.iter_unpack("!HHI", self.raw[24:]))


def command(wire: Wire, network: str, source: str, message: bytes, timeout: float = 1.0) -> Answer | None:
    """Send an ICMPv5 message and take the answer to `source`, if there is any."""
    wire.send(network, source, ICMP_PROTOCOL[network], message)
    seen = wire.take(lambda seen: seen.network == network and seen.protocol == ICMP_PROTOCOL[network], timeout)
    if seen is None:
        return None
    return Answer(seen.payload[5], int.from_bytes(seen.payload[6:8], "big"), seen.payload, seen.destination)
