# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP segments of the tester: by the layers, or as bytes where the layers would give the same (RFC 9293, 3.1).

A header is given by the layers' names of its fields, the option area as it stands.
"""

from typing import Any

from scapy.fields import RawVal
from scapy.layers.inet import TCP
from scapy.packet import Packet

from testbed.wire.headers import BITS, MOST_OPTIONS, TCP_HEADER, TCP_PROTOCOL, TcpHeader, write_tcp
from testbed.wire.network import Network

_NUMBERS = {"sport", "dport", "seq", "ack", "window", "flags"}


def layered_segment(header: dict[str, Any], area: bytes, data: bytes) -> Packet:
    """The segment as the layers build it, whatever its fields are."""
    if area:
        header = {"options": RawVal(area), "dataofs": (TCP_HEADER + len(area)) // 4} | header
    segment = TCP(**header)
    return segment / data if data else segment


def is_plain(header: dict[str, Any], area: bytes) -> bool:
    """Whether every field that is set has an ordinary value, and the option area fits the header."""
    numbers, flags = [value for name, value in header.items() if name != "flags"], header["flags"]
    ordinary = header.keys() == _NUMBERS and all(type(value) is int for value in numbers)
    return ordinary and isinstance(flags, str) and BITS.keys() >= set(flags) and len(area) <= MOST_OPTIONS


def plain_segment(
    network: Network, source: int, destination: int, header: dict[str, Any], area: bytes, data: bytes
) -> bytes:
    """The segment between two addresses as bytes."""
    size = TCP_HEADER + len(area)
    word = size // 4 << 12 | sum(BITS[letter] for letter in set(header["flags"]))
    ports = header["sport"], header["dport"]
    numbers = TcpHeader(*ports, header["seq"], header["ack"], word, header["window"], 0, 0)
    return write_tcp(numbers, area, data, network.pseudo_header(source, destination, TCP_PROTOCOL, size + len(data)))
