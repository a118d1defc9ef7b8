# SPDX-License-Identifier: GPL-2.0-or-later
"""What ICMP errors of a NAT, and those that pass through it, quote."""

from scapy.layers.inet import ICMP, IP
from scapy.packet import Packet
from scapy.utils import checksum

from testbed.case.verdict import require
from testbed.wire.capture import Frame

_ICMP_HEADER = 8
_FIELDS = ("src", "dst", "proto", "id", "len")


def quoted_in(packet: Packet) -> Packet:
    """The packet that an error quotes, as far as it does."""
    return IP(bytes(packet[ICMP])[_ICMP_HEADER:])


def is_about(packet: Packet, identification: int) -> bool:
    """Whether a message quotes a packet with this identification."""
    content = bytes(packet[ICMP])[_ICMP_HEADER:]
    return len(content) >= 20 and int.from_bytes(content[4:6], "big") == identification


def require_quote(frame: Frame, packet: Packet, original: Packet) -> None:
    """The quoted packet is the original one: addresses, checksum of its header, bytes of its transport header."""
    content = bytes(packet[ICMP])[_ICMP_HEADER:]
    quoted = IP(content)
    for name in _FIELDS:
        one, other = getattr(original, name), getattr(quoted, name)
        require(one == other, f"{name} of the quoted packet", one, other, frame)
    length = quoted.ihl * 4
    right = checksum(content[:length]) == 0
    require(right, "header checksum of the quoted packet", "a right one", hex(quoted.chksum), frame)
    expected = bytes(original)[original.ihl * 4 :][: len(content) - length]
    seen = content[length:][: len(expected)]
    require(seen == expected, "transport header of the quoted packet", expected.hex(), seen.hex(), frame)
