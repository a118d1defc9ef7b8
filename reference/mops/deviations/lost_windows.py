# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations by which a migrated connection forgets windows, scales, gaps and clocks, as in a socket made anew."""

import struct

from reference.bump.checksum import adjust
from reference.bump.datapath import Fields
from reference.bump.flows import Flow
from reference.bump.network import Network, Packet
from reference.bump.tcp import CHECKSUM_AT, SYN, distance, timestamps, window_scale
from reference.mops.context import last_move
from reference.mops.datapath import MopsDatapath
from reference.system.alterations import deviation

_SEQUENCE_AT, _FLAGS_AT, _WINDOW_AT, _OPTIONS_AT = 4, 13, 14, 20
_LARGEST = 0xFFFF
_URGENT = 0x20


class _Seen:
    """What the device has last seen of a peer before either of them moved."""

    def __init__(self, own: int) -> None:
        self.own = own  # the device's address then
        self.scale = self.window = self.stamp = 0
        self.has_gap = False


class _Reads(MopsDatapath):
    """Looks at each segment of a peer, and may change it or drop it once the connection has migrated."""

    role = "server"

    def _segment_from_wire(self, network: Network, packet: Packet) -> Flow | None:
        at = packet.start
        if packet.end - at < _OPTIONS_AT:
            return None
        header = bytes(self._wire_view[at : packet.end])
        flow = super()._segment_from_wire(network, packet)
        if flow is None:
            return None
        seen = flow.contexts.setdefault(_Seen, _Seen(network.own))
        if last_move(flow) is not None or network.own != seen.own:
            return flow if self.take(flow, seen, header, at) else None
        self.remember(flow, seen, header)
        return flow

    def remember(self, flow: Flow, seen: _Seen, header: bytes) -> None:
        """A segment before the move."""
        options = header[_OPTIONS_AT : header[12] >> 2 & 0x3C]
        if header[_FLAGS_AT] & SYN:
            seen.scale = window_scale(options) or 0
            return
        stamps = timestamps(options)
        if stamps is not None:
            (seen.stamp,) = struct.unpack_from("!I", stamps, 2)
        (seen.window,) = struct.unpack_from("!H", header, _WINDOW_AT)
        (sequence,) = struct.unpack_from("!I", header, _SEQUENCE_AT)
        seen.has_gap = seen.has_gap or distance(flow.tcp.expected, sequence) > 0

    def take(self, flow: Flow, seen: _Seen, header: bytes, at: int) -> bool:
        """A segment after it, which lies at `at` on its way to the kernel; whether it goes on."""
        return True

    def put(self, at: int, offset: int, value: int) -> None:
        """Have a 16-bit word of the segment be another one."""
        (before,) = struct.unpack_from("!H", self._from_wire, at + offset)
        (field,) = struct.unpack_from("!H", self._from_wire, at + CHECKSUM_AT)
        struct.pack_into("!H", self._from_wire, at + offset, value)
        struct.pack_into("!H", self._from_wire, at + CHECKSUM_AT, adjust(field, (value - before) % _LARGEST))


@deviation(
    "peers-scale-lost", "4.1", "After success the node's window has its scale.", "it is taken for one without scale"
)
class PeersScaleLost(_Reads):
    def take(self, flow: Flow, seen: _Seen, header: bytes, at: int) -> bool:
        (window,) = struct.unpack_from("!H", header, _WINDOW_AT)
        self.put(at, _WINDOW_AT, window >> seen.scale)
        return True


@deviation(
    "peers-window-kept",
    "4.1",
    "After success the window that the node announces counts.",
    "the one that it announced last before the move does",
)
class PeersWindowKept(_Reads):
    def take(self, flow: Flow, seen: _Seen, header: bytes, at: int) -> bool:
        self.put(at, _WINDOW_AT, seen.window)
        return True


@deviation(
    "gap-never-filled",
    "4.1",
    "What was missing before the move is taken after it.",
    "a connection with a gap takes nothing that lies in it",
)
class GapNeverFilled(_Reads):
    def take(self, flow: Flow, seen: _Seen, header: bytes, at: int) -> bool:
        (sequence,) = struct.unpack_from("!I", header, _SEQUENCE_AT)
        has_data = len(header) > header[12] >> 2 & 0x3C
        return not (seen.has_gap and has_data and sequence == flow.tcp.rcv_nxt)


@deviation(
    "timestamps-compared-as-numbers",
    "4.1",
    "After success timestamps are compared modulo 2^32.",
    "one that is a smaller number than the last before the move is refused",
)
class TimestampsComparedAsNumbers(_Reads):
    def take(self, flow: Flow, seen: _Seen, header: bytes, at: int) -> bool:
        stamps = timestamps(header[_OPTIONS_AT : header[12] >> 2 & 0x3C])
        return stamps is None or struct.unpack_from("!I", stamps, 2)[0] >= seen.stamp


@deviation(
    "timestamps-have-to-grow",
    "4.1",
    "After success a timestamp that equals the last one is no older.",
    "it is refused",
)
class TimestampsHaveToGrow(_Reads):
    def take(self, flow: Flow, seen: _Seen, header: bytes, at: int) -> bool:
        stamps = timestamps(header[_OPTIONS_AT : header[12] >> 2 & 0x3C])
        return stamps is None or struct.unpack_from("!I", stamps, 2)[0] != seen.stamp


@deviation("urgent-data-lost", "4.1", "After success urgent data is urgent.", "the urgent flag is cleared")
class UrgentDataLost(_Reads):
    def take(self, flow: Flow, seen: _Seen, header: bytes, at: int) -> bool:
        (word,) = struct.unpack_from("!H", header, _FLAGS_AT - 1)
        self.put(at, _FLAGS_AT - 1, word & ~_URGENT)
        return True


@deviation(
    "own-scale-lost",
    "4.1",
    "After success the window is announced with its scale.",
    "it is announced as if there were none",
)
class OwnScaleLost(MopsDatapath):
    role = "server"

    def segment_from_kernel(
        self, network: Network, packet: Packet, flow: Flow, fields: Fields, data: int
    ) -> Flow | None:
        window = fields[6]
        found = super().segment_from_kernel(network, packet, flow, fields, data)
        has_moved = last_move(flow) is not None or network.own != network.kernel_own
        if found is not None and has_moved and not fields[5] & SYN:
            unscaled = min(window << flow.tcp.scale, _LARGEST)
            (field,) = struct.unpack_from("!H", self._from_kernel, packet.start + CHECKSUM_AT)
            struct.pack_into("!H", self._from_kernel, packet.start + _WINDOW_AT, unscaled)
            changed = adjust(field, (unscaled - window) % _LARGEST)
            struct.pack_into("!H", self._from_kernel, packet.start + CHECKSUM_AT, changed)
        return found
