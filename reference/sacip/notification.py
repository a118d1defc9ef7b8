# SPDX-License-Identifier: GPL-2.0-or-later
"""The notification: ICMP type 20 and the new address (section "Notification ICMP", and the captured frames).

The captured bytes of the address are reversed: the machine that sent them was little-endian, and converted once too
often. A big-endian machine sends network order.
"""

import struct

from reference.bump.checksum import checksum
from reference.sacip.settings import CAPTURED

ICMP, TYPE = 1, 20
_MESSAGE = struct.Struct("!BBHI")
LENGTH = _MESSAGE.size


class Notification:
    """How a new address is told."""

    role = "mobile node"

    def __init__(self, byte_order: str) -> None:
        self.byte_order = byte_order

    def encode(self, new: int) -> bytes:
        """The message that names a new address."""
        return self.seal(_MESSAGE.pack(TYPE, 0, 0, self.ordered(new)))

    def seal(self, message: bytes) -> bytes:
        """The message with its checksum."""
        return message[:2] + checksum(message).to_bytes(2, "big") + message[4:]

    def ordered(self, address: int) -> int:
        """The address as it stands in the message, and the address that stands there."""
        return reversed_bytes(address) if self.byte_order == CAPTURED else address


def reversed_bytes(address: int) -> int:
    """An address with its last byte first."""
    return int.from_bytes(address.to_bytes(4, "big"), "little")


def address_in(message: bytes) -> int:
    """The address as it stands in a notification."""
    return int(_MESSAGE.unpack_from(message)[3])
