# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations by which a migrated connection forgets windows, scales, gaps and clocks, as in a socket made anew."""

from reference.bump import forgetful
from reference.bump.datapath import Fields
from reference.bump.flows import Flow
from reference.bump.network import Network, Packet
from reference.bump.tcp import SYN
from reference.mops.context import last_move
from reference.mops.datapath import MopsDatapath
from reference.system.alterations import deviation

_LARGEST = 0xFFFF


@deviation(
    "peers-scale-lost", "4.1", "After a move the node's window has its scale.", "it is taken for one without scale"
)
class PeersScaleLost(forgetful.PeersScaleLost, MopsDatapath):
    role = "server"


@deviation(
    "peers-window-kept",
    "4.1",
    "After a move the window that the node announces counts.",
    "the one that it announced last before the move does",
)
class PeersWindowKept(forgetful.PeersWindowKept, MopsDatapath):
    role = "server"


@deviation(
    "gap-never-filled",
    "4.1",
    "After a move what was missing before is taken.",
    "a connection with a gap takes nothing that lies in it",
)
class GapNeverFilled(forgetful.GapNeverFilled, MopsDatapath):
    role = "server"


@deviation(
    "timestamps-compared-as-numbers",
    "4.1",
    "After a move timestamps are compared modulo 2^32.",
    "one that is a smaller number than the last before the move is refused",
)
class TimestampsComparedAsNumbers(forgetful.StampsAreNumbers, MopsDatapath):
    role = "server"


@deviation(
    "timestamps-have-to-grow", "4.1", "After a move a timestamp that equals the last one is no older.", "it is refused"
)
class TimestampsHaveToGrow(forgetful.StampsHaveToGrow, MopsDatapath):
    role = "server"


@deviation(
    "mops-segment-size-lost",
    "4.1",
    "After a move segments fit the node.",
    "two of them go in one, if it takes small ones only",
)
class SegmentSizeLost(forgetful.SegmentSizeLost, MopsDatapath):
    role = "server"


@deviation("urgent-data-lost", "4.1", "After a move urgent data is urgent.", "the urgent flag is cleared")
class UrgentDataLost(forgetful.UrgentDataLost, MopsDatapath):
    role = "server"


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
            forgetful.put_word(self._from_kernel, packet.start, forgetful.WINDOW_AT, unscaled)
        return found
