# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations of a proxy that splices: whose acknowledgements are told, and what is mapped."""

from reference.bump.segment import Segment
from reference.bump.tcp import ACK
from reference.msocks.flow import Flow, distance
from reference.msocks.splice import Splice
from reference.system.alterations import deviation

_WIDE = 0xFFFF
_LONGEST = 1460


def _acknowledge_to_far(splice: Splice, out: Flow, segment: Segment) -> None:
    """Tell the correspondent that all of a segment has come, whoever has it."""
    end = splice.peer_acked + len(segment.data)
    end += distance(segment.sequence, splice.out_peer + splice.peer_acked & 0xFFFFFFFF)
    if segment.data and not splice.over:
        out.transmit(splice.out_node + splice.node_acked, splice.out_peer + end, ACK, _WIDE)


@deviation(
    "msocks-splice-acknowledges-for-the-node",
    "4",
    "Data is acknowledged to the correspondent when the node has it.",
    "when the proxy has it",
)
class AcknowledgesForTheNode(Splice):
    def from_outside(self, out: Flow, segment: Segment) -> None:
        super().from_outside(out, segment)
        _acknowledge_to_far(self, out, segment)


@deviation(
    "msocks-splice-acknowledges-after-a-move",
    "4",
    "Data is acknowledged to the correspondent when the node has it.",
    "after a move when the proxy has it",
)
class AcknowledgesAfterAMove(Splice):
    sides = 0

    def _join(self, mob: Flow) -> None:
        self.sides += 1
        super()._join(mob)

    def from_outside(self, out: Flow, segment: Segment) -> None:
        super().from_outside(out, segment)
        if self.sides > 1:
            _acknowledge_to_far(self, out, segment)


@deviation(
    "msocks-splice-acknowledges-for-the-correspondent",
    "4",
    "Data is acknowledged to the node when the correspondent has it.",
    "when the proxy has it",
)
class AcknowledgesForTheCorrespondent(Splice):
    def from_mobile(self, mob: Flow, segment: Segment) -> None:
        super().from_mobile(mob, segment)
        if segment.data and not self.over and self.mob is mob:
            mob.transmit(self.mob_peer + self.peer_top, self.mob_node + self.node_top, ACK, _WIDE)


@deviation(
    "msocks-splice-window-of-its-own",
    "4",
    "Neither end is told of a larger window than the other has announced.",
    "both are told of the largest",
)
class WindowOfItsOwn(Splice):
    def pass_on(self, to: Flow, sequence: int, acknowledgement: int, segment: Segment, window: int) -> None:
        super().pass_on(to, sequence, acknowledgement, segment, _WIDE)


@deviation(
    "msocks-splice-segments-uncut",
    "4",
    "No segment is longer than its receiver takes.",
    "it is as long as it came",
)
class SegmentsUncut(Splice):
    def pass_on(self, to: Flow, sequence: int, acknowledgement: int, segment: Segment, window: int) -> None:
        to.peer_mss = _LONGEST
        super().pass_on(to, sequence, acknowledgement, segment, window)
