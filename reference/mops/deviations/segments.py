# SPDX-License-Identifier: GPL-2.0-or-later
"""Segments that no kernel has asked for, or has made otherwise, for deviations that send some."""

import struct

from reference.bump.checksum import adjust, checksum
from reference.bump.datapath import Fields
from reference.bump.flows import Flow
from reference.bump.network import ETHERNET, HEADROOM, TCP, Network, Packet
from reference.bump.tcp import CHECKSUM_AT, NO_OPERATION, SEGMENT, split
from reference.mops.datapath import MopsDatapath


def bare_segment(network: Network, flow: Flow, flags: int) -> bytes:
    """A TCP segment without options and data, as the connection would send it on the wire now."""
    ports, numbers = (flow.own_port, flow.wire_port), (flow.tcp.snd_nxt, flow.tcp.rcv_nxt)
    segment = bytearray(SEGMENT.pack(*ports, *numbers, 20 << 2, flags, 1024, 0) + b"\0\0")
    pseudo = network.pseudo_header_sum(flow.wire_address, TCP, len(segment))
    struct.pack_into("!H", segment, CHECKSUM_AT, checksum(segment, pseudo))
    return bytes(segment)


class AfterAMove(MopsDatapath):
    """Sends other segments than the kernel has made, once the node has moved."""

    role = "mobile node"

    @property
    def has_moved(self) -> bool:
        return self.node is not None and self.node.counters["sockets_moved"] > 0

    def replace_options(self, packet: Packet, data: int, fields: Fields, options: bytes) -> Fields:
        """Put other options of the same length into a segment of the kernel; its fields then."""
        start = packet.start + 20
        old = bytes(self._kernel_view[start:data])
        self._kernel_view[start:data] = options
        changed = adjust(fields[7], (int.from_bytes(options, "big") - int.from_bytes(old, "big")) % 0xFFFF)
        struct.pack_into("!H", self._from_kernel, packet.start + CHECKSUM_AT, changed)
        return (*fields[:7], changed)

    def without(self, kind: int, packet: Packet, data: int, fields: Fields) -> Fields:
        """Overwrite the options of a kind with no-operations."""
        options = bytes(self._kernel_view[packet.start + 20 : data])
        kept = b"".join(
            bytes([NO_OPERATION]) * len(one) if one_kind == kind else one for one_kind, one in split(options)
        )
        return self.replace_options(packet, data, fields, kept.ljust(len(options), b"\0"))


class HearsErrors(AfterAMove):
    """Hears ICMP errors (RFC 792), which this host leaves to nobody."""

    def take_from_wire(self, length: int) -> None:
        packet = bytes(self._wire_view[HEADROOM + ETHERNET : HEADROOM + length])
        network = next((one for one in self.networks if one.name == "ipv4"), None)
        if network is not None and len(packet) >= 56 and packet[0] == 0x45 and packet[9] == 1 and packet[20] in (3, 11):
            self.error_received(network, packet[20:])
        else:
            super().take_from_wire(length)

    def error_received(self, network: Network, error: bytes) -> None:
        """Take an error; what it quotes begins at its ninth byte."""
