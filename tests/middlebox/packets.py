# SPDX-License-Identifier: GPL-2.0-or-later
"""Packets between two sides, made and taken apart with struct alone."""

import struct
from typing import NamedTuple

from tests.lab.ipff import DRAFT, internet_checksum
from tests.lab.wire import ICMP_PROTOCOL, TCP, UDP, network_packet, number, pseudo_header, udp_datagram

Tuple = tuple[str, int]
HEADER = 20


class Came(NamedTuple):
    """A packet that has come out: its ends by number, its protocol, its payload."""

    source: tuple[int, int]
    destination: tuple[int, int]
    protocol: int
    payload: bytes


def datagram(network: str, source: Tuple, destination: Tuple, data: bytes = b"data") -> bytes:
    """A datagram of UDP."""
    ends, ports = (source[0], destination[0]), (source[1], destination[1])
    return network_packet(network, *ends, UDP, udp_datagram(network, ends, ports, data))


def segment(
    network: str,
    source: Tuple,
    destination: Tuple,
    flags: int,
    data: bytes = b"",
    options: bytes = b"",
    numbers: tuple[int, int] = (1000, 2000),
) -> bytes:
    """A segment of TCP, with these numbers: its own and what it acknowledges."""
    offset = (HEADER + len(options)) << 2
    head = struct.pack("!HHIIBBHHH", source[1], destination[1], *numbers, offset, flags, 4096, 0, 0)
    whole = head + options + data
    pseudo = pseudo_header(network, source[0], destination[0], len(whole))
    checksum = internet_checksum(pseudo + whole)
    whole = whole[:16] + struct.pack("!H", checksum) + whole[18:]
    return network_packet(network, source[0], destination[0], TCP, whole)


def message(network: str, source: str, destination: str, content: bytes) -> bytes:
    """A message of ICMPv5, its checksum that of the content alone."""
    return network_packet(network, source, destination, ICMP_PROTOCOL[network], content)


def read(network: str, packet: bytes) -> Came:
    """Take a packet apart, its checksum found right."""
    if network == "ipff":
        received = DRAFT.read(packet)
        ends, protocol, payload = (received.source, received.destination), received.protocol, received.payload
        if protocol in (TCP, UDP):
            assert DRAFT.is_intact(received)
        else:
            payload = DRAFT.plain(received)
    else:
        assert internet_checksum(packet[:HEADER]) == 0
        protocol, source, destination = struct.unpack_from("!9xB2xII", packet)
        ends, payload = (source, destination), packet[HEADER:]
        if protocol in (TCP, UDP):
            pseudo = struct.pack("!IIBBH", *ends, 0, protocol, len(payload))
            assert internet_checksum(pseudo + payload) == 0
        else:
            assert internet_checksum(payload) == 0
    ports = struct.unpack_from("!HH", payload) if protocol in (TCP, UDP) else (0, 0)
    return Came((ends[0], ports[0]), (ends[1], ports[1]), protocol, payload)


def numbered(end: Tuple) -> tuple[int, int]:
    """An end by number."""
    return number(end[0]), end[1]
