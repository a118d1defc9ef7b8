# SPDX-License-Identifier: GPL-2.0-or-later
"""ICMPv5 messages as a test sends them, and the reply to a Migrate."""

import struct
from collections.abc import Iterable
from dataclasses import dataclass

from tests.lab.wire import ICMP_PROTOCOL, TCP, Wire, host_address, internet_checksum, mops_number


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


def with_checksum(body: bytes, spoil: int = 0) -> bytes:
    return body[:2] + struct.pack("!H", internet_checksum(body) ^ spoil) + body[4:]


def nat_acknowledgement(
    level: int, original: str, translated: str, ports: Iterable[tuple[int, int]], *, protocol: int = TCP,
    version: int = 1, code: int = 0, reserved: int = 0, count: int | None = None, spoil: int = 0,
) -> bytes:  # fmt: skip
    ports = list(ports)
    words = protocol << 50 | mops_number(original), (len(ports) if count is None else count) << 50
    body = struct.pack(
        "!HHBBBBQQ", 102, 0, version, code, level, reserved, words[0], words[1] | mops_number(translated)
    )
    return with_checksum(body + b"".join(struct.pack("!HH", *pair) for pair in ports), spoil)


def anycast_acknowledgement(
    anycast: str, unicast: str, source_port: int, destination_port: int, *, protocol: int = TCP, version: int = 1,
    code: int = 0, reserved: int = 0, spoil: int = 0, extra: bytes = b"",
) -> bytes:  # fmt: skip
    words = protocol << 50 | mops_number(anycast), reserved << 50 | mops_number(unicast)
    ports = source_port, destination_port
    return with_checksum(struct.pack("!HHBBHQQHH", 101, 0, version, code, reserved, *words, *ports) + extra, spoil)


def elsewhere(network: str, index: int = 1) -> str:
    """An address for the node."""
    return host_address(network, 0x0500 + index)


def server_address(network: str, index: int = 1) -> str:
    return host_address(network, 0x0600 + index)
