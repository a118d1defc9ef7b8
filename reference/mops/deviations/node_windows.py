# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations by which a mobile node forgets windows, scales, gaps and clocks when it moves."""

from reference.bump import forgetful
from reference.mops.datapath import MopsDatapath
from reference.mops.deviations import lost_windows
from reference.system.alterations import deviation


@deviation(
    "node-peers-scale-lost",
    "4.1",
    "After a move the server's window has its scale.",
    "it is taken for one without scale",
)
class PeersScaleLost(forgetful.PeersScaleLost, MopsDatapath):
    role = "mobile node"


@deviation(
    "node-peers-window-kept",
    "4.1",
    "After a move the window that the server announces counts.",
    "the one that it announced last before the move does",
)
class PeersWindowKept(forgetful.PeersWindowKept, MopsDatapath):
    role = "mobile node"


@deviation(
    "node-gap-never-filled",
    "4.1",
    "After a move what was missing before is taken.",
    "a connection with a gap takes nothing that lies in it",
)
class GapNeverFilled(forgetful.GapNeverFilled, MopsDatapath):
    role = "mobile node"


@deviation(
    "node-timestamps-compared-as-numbers",
    "4.1",
    "After a move timestamps are compared modulo 2^32.",
    "one that is a smaller number than the last before the move is refused",
)
class TimestampsComparedAsNumbers(forgetful.StampsAreNumbers, MopsDatapath):
    role = "mobile node"


@deviation(
    "node-timestamps-have-to-grow",
    "4.1",
    "After a move a timestamp that equals the last one is no older.",
    "it is refused",
)
class TimestampsHaveToGrow(forgetful.StampsHaveToGrow, MopsDatapath):
    role = "mobile node"


@deviation(
    "node-segment-size-lost",
    "4.1",
    "After a move segments fit the server.",
    "two of them go in one, if it takes small ones only",
)
class SegmentSizeLost(forgetful.SegmentSizeLost, MopsDatapath):
    role = "mobile node"


@deviation("node-urgent-data-lost", "4.1", "After a move urgent data is urgent.", "the urgent flag is cleared")
class UrgentDataLost(forgetful.UrgentDataLost, MopsDatapath):
    role = "mobile node"


@deviation(
    "node-own-scale-lost",
    "4.1",
    "After a move the window is announced with its scale.",
    "it is announced as if there were none",
)
class OwnScaleLost(lost_windows.OwnScaleLost):
    role = "mobile node"
