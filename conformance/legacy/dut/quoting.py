# SPDX-License-Identifier: GPL-2.0-or-later
"""What ICMP errors of a NAT, and those that pass through it, quote."""

from scapy.layers.inet import ICMP, IP
from scapy.packet import Packet
from scapy.utils import checksum

from testbed.case.verdict import require
from testbed.wire.capture import Frame

_ICMP_HEADER = 8
_IP_HEADER = 20
_PROTOCOL = 9
_ERRORS = (3, 4, 5, 11, 12)
_FIELDS = ("src", "dst", "proto", "len")


def is_about(packet: Packet, protocol: int) -> bool:
    """Whether a message is an error that quotes a packet of this protocol."""
    content = bytes(packet[ICMP])[_ICMP_HEADER:]
    return packet[ICMP].type in _ERRORS and len(content) >= _IP_HEADER and content[_PROTOCOL] == protocol


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
