# SPDX-License-Identifier: GPL-2.0-or-later
"""MOBILE_CAPABLE, the TCP option of handshakes (MOPS, appendix C).

Readings: the option has no number, so kind and experiment identifier (RFC 6994) come from the configuration, and
without them it is not used; it is on the SYN of a mobile socket, on the SYN-ACK of one when the SYN had it, and on the
ACK that ends the handshake when the SYN-ACK had it.
"""

import struct
from typing import NamedTuple

from reference.bump.tcp import ACK, SYN, split


class CapableSettings(NamedTuple):
    """How the option looks: kind, experiment identifier, and length, which leaves the identifier out where it is 2."""

    kind: int = 254
    exid: int = 0x4D4F
    length: int = 4


class MobileCapable:
    """When the option is sent."""

    role = "server"

    def __init__(self, settings: CapableSettings | None) -> None:
        self.settings = settings

    @property
    def is_used(self) -> bool:
        return self.settings is not None

    def encode(self) -> bytes:
        assert self.settings is not None
        kind, exid, length = self.settings
        return struct.pack("!BBH", kind, length, exid)[:length]

    def is_among(self, options: memoryview | bytes) -> bool:
        """Whether a segment's options have it."""
        wanted = self.encode()
        return any(option == wanted for _, option in split(bytes(options)))

    def is_due(self, is_mobile: bool, peer_capable: bool, flags: int) -> bool:
        """Whether a segment of the handshake is to carry it."""
        if not flags & SYN:
            return self.is_on_ack(is_mobile, peer_capable)
        return self.is_on_syn_ack(is_mobile, peer_capable) if flags & ACK else self.is_on_syn(is_mobile)

    def is_on_syn(self, is_mobile: bool) -> bool:
        return is_mobile

    def is_on_syn_ack(self, is_mobile: bool, peer_capable: bool) -> bool:
        return is_mobile and peer_capable

    def is_on_ack(self, is_mobile: bool, peer_capable: bool) -> bool:
        return is_mobile and peer_capable
