# SPDX-License-Identifier: GPL-2.0-or-later
"""Variants with receive windows that are small, as those of small hosts are."""

import struct

from reference.bump.checksum import adjust
from reference.bump.flows import Flow, Tuple
from reference.bump.tcp import CHECKSUM_AT, SYN, Tracking
from reference.mops.context import MopsFlows
from reference.system.alterations import variant

_FLAGS_AT, _WINDOW_AT = 13, 14


class _NarrowTracking(Tracking):
    """Knows of no larger window than goes out on the wire."""

    __slots__ = ("most",)

    most: int

    def announced(self, window: int, flags: int) -> int:
        """What the window field of the kernel becomes on the wire."""
        return min(window, self.most if flags & SYN else max(1, self.most >> self.scale))

    def from_kernel(
        self, sequence: int, acknowledgement: int, flags: int, window: int, length: int, options: memoryview
    ) -> None:
        super().from_kernel(sequence, acknowledgement, flags, self.announced(window, flags), length, options)


class _NarrowFlow(Flow):
    """Announces a window of `most` bytes at the most, or one unit of its scale, where that is more."""

    __slots__ = ()

    most: int

    def __init__(self, wire: Tuple, kernel: Tuple, now: float, own_delta: int) -> None:
        super().__init__(wire, kernel, now, own_delta)
        self.tcp: _NarrowTracking = _NarrowTracking()
        self.tcp.most = self.most

    def set_wire(self, address: int, port: int) -> None:
        super().set_wire(address, port)
        self.is_rewritten = True

    def onto_wire(self, buffer: bytearray, at: int, checksum: int) -> None:
        super().onto_wire(buffer, at, checksum)
        (window,) = struct.unpack_from("!H", buffer, at + _WINDOW_AT)
        announced = self.tcp.announced(window, buffer[at + _FLAGS_AT])
        struct.pack_into("!H", buffer, at + _WINDOW_AT, announced)
        (field,) = struct.unpack_from("!H", buffer, at + CHECKSUM_AT)
        struct.pack_into("!H", buffer, at + CHECKSUM_AT, adjust(field, (announced - window) % 0xFFFF))


class _Narrow536Flow(_NarrowFlow):
    __slots__ = ()
    most = 536


class _Narrow1072Flow(_NarrowFlow):
    __slots__ = ()
    most = 1072


@variant(
    "window-of-536",
    "4.1",
    "A small host announces one segment.",
    "the receive window is never larger than 536 bytes, or one unit of its scale",
)
class WindowOf536(MopsFlows):
    flow_type = _Narrow536Flow


@variant(
    "window-of-1072",
    "4.1",
    "A small host announces two segments.",
    "the receive window is never larger than 1072 bytes",
)
class WindowOf1072(MopsFlows):
    flow_type = _Narrow1072Flow
