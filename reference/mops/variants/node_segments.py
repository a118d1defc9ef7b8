# SPDX-License-Identifier: GPL-2.0-or-later
"""Variants in the TCP of a mobile node: other stacks have smaller windows and fewer options than this kernel."""

import struct

from reference.bump.checksum import adjust
from reference.bump.datapath import Fields
from reference.bump.flows import Flow
from reference.bump.network import Network, Packet
from reference.bump.tcp import CHECKSUM_AT, NO_OPERATION, SACK, SYN, TIMESTAMPS, WINDOW_SCALE, split
from reference.mops.datapath import MopsDatapath
from reference.system.alterations import variant

_WINDOW_AT = 14
_SACK_PERMITTED = 4


@variant(
    "node-small-window",
    "4.1",
    "The receive window is a host's own choice: 1072 bytes are two segments of a small stack.",
    "no more than 1072 bytes are announced",
)
class SmallWindow(MopsDatapath):
    role = "mobile node"

    def segment_from_kernel(
        self, network: Network, packet: Packet, flow: Flow, fields: Fields, data: int
    ) -> Flow | None:
        at, window = packet.start, fields[6]
        small = min(window, max(1, 1072 >> flow.tcp.scale) if not fields[5] & SYN else 1072)
        changed = adjust(fields[7], (small - window) % 0xFFFF)
        struct.pack_into("!HH", self._from_kernel, at + _WINDOW_AT, small, changed)
        return super().segment_from_kernel(network, packet, flow, (*fields[:6], small, changed), data)


@variant(
    "node-without-tcp-options",
    "4.1",
    "Timestamps, SACK and window scale are optional (RFC 7323, RFC 2018).",
    "its SYN asks for none of them",
)
class WithoutTcpOptions(MopsDatapath):
    role = "mobile node"

    def segment_from_kernel(
        self, network: Network, packet: Packet, flow: Flow, fields: Fields, data: int
    ) -> Flow | None:
        if not fields[5] & SYN:
            return super().segment_from_kernel(network, packet, flow, fields, data)
        start = packet.start + 20
        options = bytes(self._kernel_view[start:data])
        kept = b"".join(
            bytes([NO_OPERATION]) * len(one)
            if kind in (WINDOW_SCALE, _SACK_PERMITTED, SACK, TIMESTAMPS)
            else bytes(one)
            for kind, one in split(options)
        ).ljust(len(options), b"\0")
        self._kernel_view[start:data] = kept
        difference = (int.from_bytes(kept, "big") - int.from_bytes(options, "big")) % 0xFFFF
        changed = adjust(fields[7], difference)
        struct.pack_into("!H", self._from_kernel, packet.start + CHECKSUM_AT, changed)
        return super().segment_from_kernel(network, packet, flow, (*fields[:7], changed), data)
