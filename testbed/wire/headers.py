# SPDX-License-Identifier: GPL-2.0-or-later
"""Headers as bytes: reading and writing frames where nothing has to be decoded (RFC 791, RFC 9293 3.1).

The Scapy layers are the authority: `tests/testbed/test_headers.py` proves that these bytes are theirs. What is being
tested, messages and options, is always built and read by the layers.
"""

import struct
from typing import NamedTuple

from scapy.utils import checksum

ETHERNET_HEADER = 14
IPV4_HEADER = 20
TCP_HEADER = 20
MOST_OPTIONS = 40

TCP_PROTOCOL = 6
UDP_PROTOCOL = 17

IPFF_ADDRESS = (1 << 50) - 1
"""The bits of an IPFF address in the eight bytes that it is written in."""

HOPS = 64
"""The hop limit of what the tester sends."""

_FLAGS = "FSRPAUECN"
_TCP = struct.Struct("!HHIIHHHH")
_IPV4 = struct.Struct("!BBHHHBBHII")

LETTERS = tuple(
    "".join(letter for place, letter in enumerate(_FLAGS) if bits >> place & 1) for bits in range(1 << len(_FLAGS))
)
"""The letters of every value of the flags of TCP, in the layers' order."""

BITS = {letter: 1 << place for place, letter in enumerate(_FLAGS)}
"""The bit of each letter."""


class IpHeader(NamedTuple):
    """What the network header of a frame says: addresses as numbers, and where in the frame its payload lies.

    A `fragment` is one that does not begin the payload; `hops` is how many routers it may still pass.
    """

    protocol: int
    source: int
    destination: int
    start: int
    end: int
    fragment: bool = False
    hops: int = 0


class TcpHeader(NamedTuple):
    """The numbers of a TCP header; `word` holds data offset, reserved bits and flags."""

    source_port: int
    destination_port: int
    seq: int
    ack: int
    word: int
    window: int
    checksum: int
    urgent: int


class IpffEnds(NamedTuple):
    """Where the addresses of an IPFF frame lie, each in the last 50 bits of eight bytes, and its EtherType."""

    ethertype: int
    source: slice
    destination: slice


def read_ipv4(frame: bytes) -> IpHeader | None:
    """The IPv4 header of an Ethernet frame, None if it is cut short."""
    if len(frame) < ETHERNET_HEADER + IPV4_HEADER:
        return None
    first, _, length, _, fragment, hops, protocol, _, source, destination = _IPV4.unpack_from(frame, ETHERNET_HEADER)
    header = (first & 15) * 4
    end = ETHERNET_HEADER + length if length >= header else len(frame)
    return IpHeader(protocol, source, destination, ETHERNET_HEADER + header, end, bool(fragment & 0x1FFF), hops)


def read_tcp(segment: bytes) -> TcpHeader | None:
    """The TCP header at the beginning of these bytes, None if it is cut short."""
    return TcpHeader._make(_TCP.unpack_from(segment)) if len(segment) >= TCP_HEADER else None


def write_ipv4(source: int, destination: int, protocol: int, payload: bytes) -> bytes:
    """An IPv4 packet around `payload`."""
    length = IPV4_HEADER + len(payload)
    header = _IPV4.pack(0x45, 0, length, 1, 0, HOPS, protocol, 0, source, destination)
    return header[:10] + _sum(header) + header[12:] + payload


def with_length(frame: bytes, payload: bytes) -> bytes:
    """The Ethernet frame of a whole packet: these headers of its first fragment, with the whole payload."""
    header = frame[ETHERNET_HEADER:]
    length = struct.pack("!H", len(header) + len(payload))
    blank = header[:2] + length + header[4:6] + bytes(2) + header[8:10] + bytes(2) + header[12:]
    return frame[:ETHERNET_HEADER] + blank[:10] + _sum(blank) + blank[12:] + payload


def write_tcp(header: TcpHeader, options: bytes, data: bytes, pseudo_header: bytes) -> bytes:
    """A TCP segment; its checksum covers the pseudo-header."""
    segment = _TCP.pack(*header) + options + data
    return segment[:16] + _sum(pseudo_header + segment) + segment[18:]


def _sum(covered: bytes) -> bytes:
    return int(checksum(covered)).to_bytes(2, "big")
