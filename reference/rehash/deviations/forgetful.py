# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations by which a connection forgets windows, scales, gaps and clocks when either end moves."""

import struct

from reference.bump import forgetful
from reference.bump.flows import Flow
from reference.bump.network import TCP, Network
from reference.bump.tcp import State
from reference.rehash.context import Segment
from reference.rehash.datapath import RehashDatapath
from reference.rehash.host import Host
from reference.system.alterations import deviation

_IP_HEADER, _PROTOCOL_AT, _LARGEST = 20, 9, 0xFFFF


@deviation(
    "rehash-peers-scale-lost",
    "6.2",
    "After a move the peer's window has its scale.",
    "it is taken for one without scale",
)
class PeersScaleLost(forgetful.PeersScaleLost, RehashDatapath):
    role = "host"


@deviation(
    "rehash-peers-window-kept",
    "6.2",
    "After a move the window that the peer announces counts.",
    "the one that it announced last before the move does",
)
class PeersWindowKept(forgetful.PeersWindowKept, RehashDatapath):
    role = "host"


@deviation(
    "rehash-gap-never-filled",
    "6.2",
    "After a move what was missing before is taken.",
    "a connection with a gap takes nothing that lies in it",
)
class GapNeverFilled(forgetful.GapNeverFilled, RehashDatapath):
    role = "host"


@deviation(
    "rehash-timestamps-compared-as-numbers",
    "6.2",
    "After a move timestamps are compared modulo 2^32.",
    "one that is a smaller number than the last before the move is refused",
)
class TimestampsComparedAsNumbers(forgetful.StampsAreNumbers, RehashDatapath):
    role = "host"


@deviation(
    "rehash-timestamps-have-to-grow",
    "6.2",
    "After a move a timestamp that equals the last one is no older.",
    "it is refused",
)
class TimestampsHaveToGrow(forgetful.StampsHaveToGrow, RehashDatapath):
    role = "host"


@deviation("rehash-urgent-data-lost", "6.2", "After a move urgent data is urgent.", "the urgent flag is cleared")
class UrgentDataLost(forgetful.UrgentDataLost, RehashDatapath):
    role = "host"


@deviation(
    "rehash-time-wait-forgotten",
    "6.2",
    "After a move a closed connection stays in TIME-WAIT.",
    "what comes for one whose peer has moved is dropped",
)
class TimeWaitForgotten(Host):
    def incoming(self, segment: Segment, now: float) -> Flow | None:
        flow = super().incoming(segment, now)
        is_lost = flow is not None and flow.tcp.state is State.TIME_WAIT and flow.wire_address != flow.kernel_address
        return None if is_lost else flow


@deviation(
    "rehash-own-scale-lost",
    "6.2",
    "After a move the window is announced with its scale.",
    "it is announced as if there were none",
)
class OwnScaleLost(RehashDatapath):
    role = "host"

    def _emit(
        self, network: Network, destination: int, buffer: bytearray, view: memoryview, start: int, end: int
    ) -> None:
        at = start + _IP_HEADER
        if buffer[start + _PROTOCOL_AT] == TCP:
            own_port, port = struct.unpack_from("!HH", buffer, at)
            (window,) = struct.unpack_from("!H", buffer, at + forgetful.WINDOW_AT)
            flow = network.flows.by_wire.get((destination, port, own_port))
            has_moved = network.own != network.kernel_own or (flow is not None and destination != flow.kernel_address)
            if flow is not None and has_moved:
                forgetful.put_word(buffer, at, forgetful.WINDOW_AT, min(window << flow.tcp.scale, _LARGEST))
        super()._emit(network, destination, buffer, view, start, end)
