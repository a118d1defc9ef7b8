# SPDX-License-Identifier: GPL-2.0-or-later
"""Messages made wrong on purpose: by their checksum, or by a field."""

from collections.abc import Callable
from typing import Any

from scapy.packet import Packet

from conformance.mops.migrate import Message, Octets, sealed

CHECKSUMS: dict[str, Callable[[int], int]] = {
    "zero": lambda right: 0,
    "inverted": lambda right: right ^ 0xFFFF,
    "off by one": lambda right: (right + 1) % 0xFFFF,
}
"""Wrong checksums, by what they are made of."""


def replaced(message: Packet, **fields: Any) -> Packet:
    """A message with other values of some fields."""
    for name, value in fields.items():
        setattr(message, name, value)
    return message


def _spoil(name: str) -> Callable[[Packet], Message]:
    return lambda message: Octets(bytes(message), CHECKSUMS[name])


WRONG_CHECKSUMS: dict[str, Callable[[Packet], Message]] = {f"checksum {name}": _spoil(name) for name in CHECKSUMS}

MALFORMED: dict[str, Callable[[Packet], Message]] = {
    "version 0": lambda message: replaced(message, version=0),
    "version 2": lambda message: replaced(message, version=2),
    "version 255": lambda message: replaced(message, version=255),
    "Count 0": lambda message: replaced(message, count=0),
    "Count too large": lambda message: replaced(message, count=len(message.entries) + 1),
    "largest Count": lambda message: replaced(message, count=16383),
    "cut short": lambda message: sealed(bytes(message)[:-2]),
}
"""What is no sound message of version 1, whatever its type: its version, or fewer entries than Count says."""
