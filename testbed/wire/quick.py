# SPDX-License-Identifier: GPL-2.0-or-later
"""Ordinary frames in words, read from their bytes where that says what the layers would say, at a fiftieth of the cost.

What is out of the ordinary is left to the layers: fragments, IPv4 options, headers that are cut short or contradict
themselves, TCP options that may not be dissected, and every other protocol.
"""

import struct

from testbed.wire.headers import ETHERNET_HEADER, LETTERS, TCP_HEADER, TCP_PROTOCOL, UDP_PROTOCOL, read_tcp
from testbed.wire.interface import ETHERTYPE_IPV4
from testbed.wire.network import Network

ETHERTYPE_ARP = 0x0806

Words = tuple[str, str, str]
"""Source, destination and summary of a frame."""

_ARP = struct.Struct("!HHBBH6s4s6s4s")
_ARP_OF_IPV4 = (1, 0x0800, 6, 4)
_UDP = struct.Struct("!HHH")
_UDP_HEADER, _UDP_HEADER_WITHOUT_LENGTH = 8, 6
_IPV4_WITHOUT_OPTIONS = 0x45
_FRAGMENTED = 0x3FFF
_DISSECTED_OPTIONS = (29, 30)
"""Options whose value the layers may take apart (RFC 5925, RFC 8684); looked for in every byte of the area."""


def quick_words(network: Network, frame: bytes) -> Words | None:
    """A plain TCP segment, UDP datagram or ARP message of `network` in words; None for any other frame."""
    ethertype = int.from_bytes(frame[12:14], "big")
    if ethertype == ETHERTYPE_ARP:
        return _arp(frame)
    header = network.header(frame)
    if header is None or (ethertype == ETHERTYPE_IPV4 and not _is_plain_ipv4(frame)):
        return None
    payload = frame[header.start : header.end]
    if header.protocol == TCP_PROTOCOL:
        found = _tcp(payload)
    elif header.protocol == UDP_PROTOCOL:
        found = _udp(payload) if network.udp_has_length else _udp_without_length(payload)
    else:
        return None
    if found is None:
        return None
    source_port, destination_port, summary = found
    source, destination = network.address(header.source), network.address(header.destination)
    return f"{source}:{source_port}", f"{destination}:{destination_port}", summary


def _is_plain_ipv4(frame: bytes) -> bool:
    fragment = int.from_bytes(frame[ETHERNET_HEADER + 6 : ETHERNET_HEADER + 8], "big")
    return frame[ETHERNET_HEADER] == _IPV4_WITHOUT_OPTIONS and not fragment & _FRAGMENTED


def _arp(frame: bytes) -> Words | None:
    if len(frame) < ETHERNET_HEADER + _ARP.size:
        return None
    *kind, operation, mac, source, _, destination = _ARP.unpack_from(frame, ETHERNET_HEADER)
    if tuple(kind) != _ARP_OF_IPV4:
        return None
    asked, asking = (".".join(map(str, address)) for address in (destination, source))
    return asking, asked, f"ARP who has {asked}" if operation == 1 else f"ARP {asking} is at {mac.hex(':')}"


def _tcp(segment: bytes) -> tuple[int, int, str] | None:
    header = read_tcp(segment)
    if header is None:
        return None
    size = header.word >> 12 << 2
    options = segment[TCP_HEADER:size]
    if not TCP_HEADER <= size <= len(segment) or any(kind in options for kind in _DISSECTED_OPTIONS):
        return None
    data = f" {len(segment) - size} bytes" if len(segment) > size else ""
    flags = LETTERS[header.word & 0x1FF]
    summary = f"TCP [{flags}] seq {header.seq} ack {header.ack} win {header.window}{data}"
    return header.source_port, header.destination_port, summary


def _udp(datagram: bytes) -> tuple[int, int, str] | None:
    if len(datagram) < _UDP_HEADER:
        return None
    source_port, destination_port, length = _UDP.unpack_from(datagram)
    if length != len(datagram):
        return None
    return source_port, destination_port, f"UDP {length - _UDP_HEADER} bytes"


def _udp_without_length(datagram: bytes) -> tuple[int, int, str] | None:
    if len(datagram) < _UDP_HEADER_WITHOUT_LENGTH:
        return None
    source_port, destination_port, _ = _UDP.unpack_from(datagram)
    return source_port, destination_port, f"UDP {len(datagram) - _UDP_HEADER_WITHOUT_LENGTH} bytes"
