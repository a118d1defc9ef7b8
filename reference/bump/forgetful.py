# SPDX-License-Identifier: GPL-2.0-or-later
"""Datapaths that forget something of a connection when an end of it moves, as a socket made anew would.

For deviations of any protocol: put in front of its datapath.
"""

import struct
from typing import Any

from reference.bump.checksum import adjust, checksum
from reference.bump.datapath import Datapath
from reference.bump.flows import Flow, Tuple
from reference.bump.network import ETHERNET, TCP, Network, Packet
from reference.bump.tcp import CHECKSUM_AT, SYN, distance, maximum_segment_size, timestamps, window_scale

WINDOW_AT = 14
_SEQUENCE_AT, _FLAGS_AT, _OPTIONS_AT = 4, 13, 20
_URGENT = 0x20
_IP_HEADER, _SMALL, _SPACE = 20, 600, 1 << 32


class Seen:
    """What the device has last seen of a peer before either of them moved, and where they were."""

    def __init__(self, own: int, wire: Tuple) -> None:
        self.own, self.wire = own, wire
        self.scale = self.window = self.stamp = self.segment_size = 0
        self.has_gap = False


class Forgetful(Datapath):
    """Looks at each segment of a peer, and may change it or drop it once an end of the connection has moved."""

    def _segment_from_wire(self, network: Network, packet: Packet) -> Flow | None:
        at = packet.start
        if packet.end - at < _OPTIONS_AT:
            return None
        header = bytes(self._wire_view[at : packet.end])
        port, own_port = struct.unpack_from("!HH", header)
        wire = packet.peer, port, own_port
        flow = network.flows.by_wire.get(wire)
        seen = None if flow is None else flow.contexts.get(Seen)
        if flow is not None and seen is not None and (seen.own, seen.wire) != (network.own, wire):
            return super()._segment_from_wire(network, packet) if self.take(flow, seen, header, at) else None
        found = super()._segment_from_wire(network, packet)
        flow = network.flows.by_wire.get(wire)
        if flow is not None:
            self.remember(flow, flow.contexts.setdefault(Seen, Seen(network.own, wire)), header)
        return found

    def remember(self, flow: Flow, seen: Seen, header: bytes) -> None:
        """A segment before the move."""
        options = header[_OPTIONS_AT : header[12] >> 2 & 0x3C]
        (seen.window,) = struct.unpack_from("!H", header, WINDOW_AT)
        if header[_FLAGS_AT] & SYN:
            seen.scale = window_scale(options) or 0
            return
        stamps = timestamps(options)
        if stamps is not None:
            (seen.stamp,) = struct.unpack_from("!I", stamps, 2)
        (sequence,) = struct.unpack_from("!I", header, _SEQUENCE_AT)
        is_ahead = distance(flow.tcp.expected, sequence) > 0 < distance(sequence, flow.tcp.rcv_edge)
        seen.has_gap = seen.has_gap or is_ahead

    def take(self, flow: Flow, seen: Seen, header: bytes, at: int) -> bool:
        """A segment after it, which lies at `at` on its way to the kernel; whether it goes on."""
        return True

    def put(self, at: int, offset: int, value: int) -> None:
        """Have a 16-bit word of the segment be another one."""
        put_word(self._from_wire, at, offset, value)


def put_word(buffer: bytearray, at: int, offset: int, value: int) -> None:
    """Have a 16-bit word of the segment at `at` be another one; a checksum that is right stays so."""
    (before,) = struct.unpack_from("!H", buffer, at + offset)
    (field,) = struct.unpack_from("!H", buffer, at + CHECKSUM_AT)
    struct.pack_into("!H", buffer, at + offset, value)
    struct.pack_into("!H", buffer, at + CHECKSUM_AT, adjust(field, (value - before) % 0xFFFF))


def stamp_of(header: bytes) -> int | None:
    """TSval of a segment, None without one."""
    stamps = timestamps(header[_OPTIONS_AT : header[12] >> 2 & 0x3C])
    return None if stamps is None else int.from_bytes(stamps[2:6], "big")


class PeersScaleLost(Forgetful):
    """Takes the peer's window for one without scale."""

    def take(self, flow: Flow, seen: Seen, header: bytes, at: int) -> bool:
        (window,) = struct.unpack_from("!H", header, WINDOW_AT)
        self.put(at, WINDOW_AT, window >> seen.scale)
        return True


class PeersWindowKept(Forgetful):
    """Goes by the window that the peer has announced last before the move."""

    def take(self, flow: Flow, seen: Seen, header: bytes, at: int) -> bool:
        self.put(at, WINDOW_AT, seen.window)
        return True


class GapNeverFilled(Forgetful):
    """Takes nothing that lies in a gap from before the move."""

    def take(self, flow: Flow, seen: Seen, header: bytes, at: int) -> bool:
        (sequence,) = struct.unpack_from("!I", header, _SEQUENCE_AT)
        has_data = len(header) > header[12] >> 2 & 0x3C
        return not (seen.has_gap and has_data and sequence == flow.tcp.rcv_nxt)


class StampsAreNumbers(Forgetful):
    """Refuses a timestamp that is a smaller number than the last one before the move."""

    def take(self, flow: Flow, seen: Seen, header: bytes, at: int) -> bool:
        stamp = stamp_of(header)
        return stamp is None or stamp >= seen.stamp


class StampsHaveToGrow(Forgetful):
    """Refuses a timestamp that equals the last one before the move."""

    def take(self, flow: Flow, seen: Seen, header: bytes, at: int) -> bool:
        return stamp_of(header) != seen.stamp or not seen.stamp


class UrgentDataLost(Forgetful):
    """Clears the urgent flag."""

    def take(self, flow: Flow, seen: Seen, header: bytes, at: int) -> bool:
        (word,) = struct.unpack_from("!H", header, _FLAGS_AT - 1)
        self.put(at, _FLAGS_AT - 1, word & ~_URGENT)
        return True


class SegmentSizeLost(Forgetful):
    """Joins two full segments into one for a peer of small ones, over IPv4."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._held: dict[tuple[int, int], bytes] = {}

    def remember(self, flow: Flow, seen: Seen, header: bytes) -> None:
        super().remember(flow, seen, header)
        if header[_FLAGS_AT] & SYN:
            seen.segment_size = maximum_segment_size(header[_OPTIONS_AT : header[12] >> 2 & 0x3C])

    def _emit(
        self, network: Network, destination: int, buffer: bytearray, view: memoryview, start: int, end: int
    ) -> None:
        frame = bytes(buffer[start:end])
        joined = self._joined(network, destination, frame) if frame[9] == TCP and network.name == "ipv4" else frame
        if joined is not None:
            room = bytearray(ETHERNET) + joined
            super()._emit(network, destination, room, memoryview(room), ETHERNET, len(room))

    def _joined(self, network: Network, destination: int, packet: bytes) -> bytes | None:
        """What goes out in place of a packet; None while it waits for the next one."""
        own_port, port, sequence = struct.unpack_from("!HHI", packet, _IP_HEADER)
        flow = network.flows.by_wire.get((destination, port, own_port))
        seen = None if flow is None else flow.contexts.get(Seen)
        data = _IP_HEADER + (packet[_IP_HEADER + 12] >> 2 & 0x3C)
        if (
            flow is None
            or seen is None
            or not 0 < seen.segment_size < _SMALL
            or not self._has_moved(network, flow, seen)
        ):
            return packet
        held = self._held.pop((port, own_port), b"")
        if (
            held
            and sequence == (int.from_bytes(held[_IP_HEADER + 4 : _IP_HEADER + 8], "big") + len(held) - data) % _SPACE
        ):
            return self._sealed(network, destination, held + packet[data:])
        is_full = len(packet) - data == seen.segment_size
        if is_full and not held:
            self._held[port, own_port] = packet
            return None
        return packet

    def _has_moved(self, network: Network, flow: Flow, seen: Seen) -> bool:
        return (seen.own, seen.wire) != (network.own, flow.wire)

    @staticmethod
    def _sealed(network: Network, destination: int, packet: bytes) -> bytes:
        """A packet with the length and the checksums that it should have."""
        sealed = bytearray(packet)
        struct.pack_into("!H", sealed, 2, len(sealed))
        struct.pack_into("!H", sealed, 10, 0)
        struct.pack_into("!H", sealed, 10, checksum(bytes(sealed[:_IP_HEADER])))
        struct.pack_into("!H", sealed, _IP_HEADER + CHECKSUM_AT, 0)
        pseudo = network.pseudo_header_sum(destination, TCP, len(sealed) - _IP_HEADER)
        struct.pack_into("!H", sealed, _IP_HEADER + CHECKSUM_AT, checksum(sealed[_IP_HEADER:], pseudo))
        return bytes(sealed)
