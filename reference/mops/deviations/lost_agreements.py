# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations by which a migrated connection loses what TCP has agreed on, or has under way."""

import struct

from reference.bump.checksum import adjust, words_sum
from reference.bump.flows import Flow, Tuple
from reference.bump.tcp import ACK, CHECKSUM_AT, NO_OPERATION, SACK, TIMESTAMPS, distance, split
from reference.mops.context import MopsFlows, last_move
from reference.mops.deviations.bindings import shadow_of
from reference.system.alterations import deviation

_SEQUENCE_AT, _OFFSET_AT, _WINDOW_AT, _OPTIONS_AT = 4, 12, 14, 20
_LONG = 1250
_QUARTER = 1 << 30


class _Spoilt(Flow):
    """Changes headers on the wire once it has migrated; checksums stay right."""

    __slots__ = ()

    def onto_wire(self, buffer: bytearray, at: int, checksum: int) -> None:
        super().onto_wire(buffer, at, checksum)
        if last_move(self) is not None:
            end = at + (buffer[at + _OFFSET_AT] >> 2 & 0x3C)
            before = words_sum(buffer[at:end])
            self.spoil(buffer, at, end)
            (field,) = struct.unpack_from("!H", buffer, at + CHECKSUM_AT)
            field = adjust(field, (words_sum(buffer[at:end]) - before) % 0xFFFF)
            struct.pack_into("!H", buffer, at + CHECKSUM_AT, field)

    def spoil(self, buffer: bytearray, at: int, end: int) -> None:
        """Change the header that lies there."""

    def find(self, buffer: bytearray, at: int, end: int, wanted: int) -> int:
        """Where an option of a kind lies, 0 where there is none."""
        place = at + _OPTIONS_AT
        for kind, option in split(bytes(buffer[place:end])):
            if kind == wanted:
                return place
            place += len(option)
        return 0


class _Rejuvenated(_Spoilt):
    __slots__ = ()

    def spoil(self, buffer: bytearray, at: int, end: int) -> None:
        if place := self.find(buffer, at, end, TIMESTAMPS):
            (value,) = struct.unpack_from("!I", buffer, place + 2)
            struct.pack_into("!I", buffer, place + 2, (value - _QUARTER) % (1 << 32))


@deviation(
    "timestamps-jump-back",
    "4.1",
    "After success timestamps do not go back.",
    "they go back by a quarter of their space",
)
class TimestampsJumpBack(MopsFlows):
    flow_type = _Rejuvenated


class _Forgetful(_Spoilt):
    __slots__ = ()

    def spoil(self, buffer: bytearray, at: int, end: int) -> None:
        if place := self.find(buffer, at, end, SACK):
            length = buffer[place + 1]
            buffer[place : place + length] = bytes([NO_OPERATION]) * length


@deviation(
    "selective-acknowledgements-lost",
    "4.1",
    "After success SACK blocks are sent as before.",
    "none is sent",
)
class SackLost(MopsFlows):
    flow_type = _Forgetful


class _Shut(_Spoilt):
    __slots__ = ("is_shut",)

    def set_wire(self, address: int, port: int) -> None:
        self.is_shut = self.tcp.state.name == "ESTABLISHED" and self.tcp.rcv_edge == self.tcp.rcv_nxt
        super().set_wire(address, port)

    def spoil(self, buffer: bytearray, at: int, end: int) -> None:
        if self.is_shut:
            struct.pack_into("!H", buffer, at + _WINDOW_AT, 0)


@deviation(
    "shut-window-stays-shut",
    "4.1",
    "A receive window that is shut at the move opens again.",
    "it is shut for ever",
)
class ShutWindowStaysShut(MopsFlows):
    flow_type = _Shut


@deviation(
    "retransmissions-to-the-old-tuple",
    "4.1",
    "What was under way at the move is retransmitted to the new tuple.",
    "until it is acknowledged everything goes to the old one",
)
class RetransmissionsToTheOldTuple(MopsFlows):
    def __init__(self) -> None:
        super().__init__()
        self.under_way: dict[Tuple, tuple[Tuple, int]] = {}

    def migrate(self, flow: Flow, address: int, port: int) -> None:
        if flow.protocol == 6 and flow.tcp.snd_una != flow.tcp.snd_nxt:
            self.under_way[flow.kernel] = flow.wire, flow.tcp.snd_nxt
        super().migrate(flow, address, port)

    def outbound(self, address: int, port: int, local_port: int, now: float, flags: int = ACK) -> Flow | None:
        flow = super().outbound(address, port, local_port, now, flags)
        wire, edge = self.under_way.get((address, port, local_port), ((0, 0, 0), 0))
        if flow is None or not wire[1] or distance(flow.tcp.snd_una, edge) <= 0:
            return flow
        return shadow_of(flow, wire)


class _FullSegmentsLost(_Spoilt):
    __slots__ = ()

    def onto_wire(self, buffer: bytearray, at: int, checksum: int) -> None:
        super().onto_wire(buffer, at, checksum)
        (sequence,) = struct.unpack_from("!I", buffer, at + _SEQUENCE_AT)
        if last_move(self) is not None and distance(sequence, self.tcp.snd_nxt) > _LONG:
            buffer[at + CHECKSUM_AT] ^= 1


@deviation(
    "full-segments-lost",
    "4.1",
    "After success full segments are sent as before.",
    "the checksum of long segments is wrong",
)
class FullSegmentsLost(MopsFlows):
    flow_type = _FullSegmentsLost
