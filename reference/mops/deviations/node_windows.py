# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations by which a mobile node forgets windows, scales, gaps and clocks when it moves."""

from reference.mops.deviations import lost_windows
from reference.system.alterations import deviation


@deviation(
    "node-peers-scale-lost",
    "4.1",
    "After a move the server's window has its scale.",
    "it is taken for one without scale",
)
class NodePeersScaleLost(lost_windows.PeersScaleLost):
    role = "mobile node"


@deviation(
    "node-peers-window-kept",
    "4.1",
    "After a move the window that the server announces counts.",
    "the one that it announced last before the move does",
)
class NodePeersWindowKept(lost_windows.PeersWindowKept):
    role = "mobile node"


@deviation(
    "node-own-scale-lost",
    "4.1",
    "After a move the window is announced with its scale.",
    "it is announced as if there were none",
)
class NodeOwnScaleLost(lost_windows.OwnScaleLost):
    role = "mobile node"


@deviation(
    "node-gap-never-filled",
    "4.1",
    "What was missing before the move is taken after it.",
    "a connection with a gap takes nothing that lies in it",
)
class NodeGapNeverFilled(lost_windows.GapNeverFilled):
    role = "mobile node"


@deviation(
    "node-timestamps-compared-as-numbers",
    "4.1",
    "After a move timestamps are compared modulo 2^32.",
    "one that is a smaller number than the last before the move is refused",
)
class NodeTimestampsComparedAsNumbers(lost_windows.TimestampsComparedAsNumbers):
    role = "mobile node"


@deviation(
    "node-timestamps-have-to-grow",
    "4.1",
    "After a move a timestamp that equals the last one is no older.",
    "it is refused",
)
class NodeTimestampsHaveToGrow(lost_windows.TimestampsHaveToGrow):
    role = "mobile node"


@deviation("node-urgent-data-lost", "4.1", "After a move urgent data is urgent.", "the urgent flag is cleared")
class NodeUrgentDataLost(lost_windows.UrgentDataLost):
    role = "mobile node"
