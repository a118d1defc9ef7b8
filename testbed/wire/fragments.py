# SPDX-License-Identifier: GPL-2.0-or-later
"""A network packet in pieces (RFC 791, 3.2), of IPv4 alone: IPFF knows none."""

from scapy.layers.inet import IP, fragment
from scapy.packet import Packet

from testbed.wire import chance

_CHECKSUM_AT = 10


def fragments(packet: Packet, size: int) -> list[bytes]:
    """The fragments of an IPv4 packet, each with `size` bytes of its payload, which is a multiple of 8."""
    whole = IP(bytes(packet))
    whole.id = chance.randbits(16)
    return [bytes(one) for one in fragment(whole, size)]


def with_a_wrong_header_checksum(packet: bytes) -> bytes:
    """An IPv4 packet whose header checksum is another number than the right one."""
    spoilt = bytearray(packet)
    spoilt[_CHECKSUM_AT + 1] ^= 1
    return bytes(spoilt)


def lone_fragment(packet: Packet, *, offset: int, more: bool) -> bytes:
    """A packet as it is, but said to be the piece of another one at this offset in bytes."""
    alone = IP(bytes(packet))
    alone.id, alone.frag, alone.flags = chance.randbits(16), offset // 8, "MF" if more else 0
    del alone.chksum
    return bytes(alone)
