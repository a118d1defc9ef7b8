# SPDX-License-Identifier: GPL-2.0-or-later
"""Segments that no kernel has asked for, for deviations that send some."""

import struct

from reference.bump.checksum import words_sum
from reference.bump.flows import Flow
from reference.bump.network import TCP, Network
from reference.bump.tcp import CHECKSUM_AT, SEGMENT


def bare_segment(network: Network, flow: Flow, flags: int) -> bytes:
    """A TCP segment without options and data, as the connection would send it on the wire now."""
    ports, numbers = (flow.own_port, flow.wire_port), (flow.tcp.snd_nxt, flow.tcp.rcv_nxt)
    segment = bytearray(SEGMENT.pack(*ports, *numbers, 20 << 2, flags, 1024, 0) + b"\0\0")
    total = (network.pseudo_header_sum(flow.wire_address, TCP, len(segment)) + words_sum(segment)) % 0xFFFF
    struct.pack_into("!H", segment, CHECKSUM_AT, 0xFFFF - (total or 0xFFFF))
    return bytes(segment)
