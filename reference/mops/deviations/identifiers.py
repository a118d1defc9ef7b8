# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations in what a server asks of the sequence number."""

from reference.bump.flows import Flow
from reference.bump.tcp import distance
from reference.mops.server import Server
from reference.system.alterations import deviation


@deviation(
    "no-sequence-check",
    "4.1",
    "A Migrate whose sequence number lies outside the receive window is refused.",
    "any sequence number will do",
)
class NoSequenceCheck(Server):
    def is_identifier_right(self, flow: Flow, identifier: int) -> bool:
        return True


@deviation(
    "sequence-below-window",
    "4.1",
    "A Migrate whose sequence number is RCV.NXT - 1 is refused.",
    "RCV.NXT - 1 is accepted too",
)
class SequenceBelowWindow(Server):
    def is_identifier_right(self, flow: Flow, identifier: int) -> bool:
        return super().is_identifier_right(flow, identifier) or distance(flow.tcp.rcv_nxt, identifier) == -1


@deviation(
    "sequence-beyond-window",
    "4.1",
    "A Migrate whose sequence number lies after the end of the receive window is refused.",
    "any sequence number from RCV.NXT on is accepted",
)
class SequenceBeyondWindow(Server):
    def is_identifier_right(self, flow: Flow, identifier: int) -> bool:
        return super().is_identifier_right(flow, identifier) or distance(flow.tcp.rcv_nxt, identifier) > 0


@deviation(
    "sequence-exact",
    "4.1",
    "A session whose last data was lost in flight survives the move (where migrate_seq = window is claimed).",
    "only RCV.NXT is accepted, whatever is claimed",
)
class SequenceExact(Server):
    def is_identifier_right(self, flow: Flow, identifier: int) -> bool:
        return identifier == flow.tcp.rcv_nxt


@deviation(
    "sequence-low-half",
    "4.1",
    "The whole 32-bit sequence number is compared.",
    "only the low 16 bits of the sequence number are compared",
)
class SequenceLowHalf(Server):
    def is_identifier_right(self, flow: Flow, identifier: int) -> bool:
        same_half = (identifier ^ flow.tcp.rcv_nxt) & 0xFFFF == 0
        return super().is_identifier_right(flow, identifier) or same_half


@deviation(
    "exact-sequence-not-kept",
    "4.1",
    "Where migrate_seq = exact is claimed, RCV.NXT alone is accepted.",
    "any number inside the receive window is accepted, whatever is claimed",
)
class ExactSequenceNotKept(Server):
    def is_identifier_right(self, flow: Flow, identifier: int) -> bool:
        self.exact_sequence = False
        return super().is_identifier_right(flow, identifier)
