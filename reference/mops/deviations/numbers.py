# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations in how sequence numbers are compared: halves, wraps, edges."""

from reference.bump.flows import Flow
from reference.bump.tcp import distance
from reference.mops.server import Server
from reference.system.alterations import deviation


@deviation(
    "sequence-high-half",
    "4.1",
    "The whole 32-bit sequence number is compared.",
    "a number with the right high 16 bits is accepted",
)
class SequenceHighHalf(Server):
    def is_identifier_right(self, flow: Flow, identifier: int) -> bool:
        same_half = identifier >> 16 == flow.tcp.rcv_nxt >> 16
        return super().is_identifier_right(flow, identifier) or same_half


@deviation(
    "sequence-not-modulo",
    "4.1",
    "Sequence numbers are compared modulo 2^32.",
    "a window that wraps ends at 0xffffffff",
)
class SequenceNotModulo(Server):
    def is_identifier_right(self, flow: Flow, identifier: int) -> bool:
        return super().is_identifier_right(flow, identifier) and identifier >= flow.tcp.rcv_nxt


@deviation(
    "sequence-edge-refused",
    "4.1",
    "The edge of the receive window is accepted: a node that has filled the window stands there.",
    "the number after the last byte of the window is refused",
)
class SequenceEdgeRefused(Server):
    def is_identifier_right(self, flow: Flow, identifier: int) -> bool:
        at_edge = identifier == flow.tcp.rcv_edge != flow.tcp.rcv_nxt
        return super().is_identifier_right(flow, identifier) and not at_edge


@deviation(
    "sequence-halves-swapped",
    "4.1",
    "The sequence number is compared as it stands.",
    "it is accepted with its halves exchanged too",
)
class SequenceHalvesSwapped(Server):
    def is_identifier_right(self, flow: Flow, identifier: int) -> bool:
        swapped = identifier >> 16 | (identifier & 0xFFFF) << 16
        return super().is_identifier_right(flow, identifier) or swapped == flow.tcp.rcv_nxt


@deviation(
    "sequence-of-the-other-direction",
    "4.1",
    "The node's own sequence number is compared.",
    "the server's next number is accepted too",
)
class SequenceOfTheOtherDirection(Server):
    def is_identifier_right(self, flow: Flow, identifier: int) -> bool:
        return super().is_identifier_right(flow, identifier) or identifier == flow.tcp.snd_nxt


@deviation(
    "sequence-zero-refused",
    "4.1",
    "Sequence number 0 is one like any other.",
    "0 is taken for none",
)
class SequenceZeroRefused(Server):
    def is_identifier_right(self, flow: Flow, identifier: int) -> bool:
        return identifier != 0 and super().is_identifier_right(flow, identifier)


@deviation(
    "sequence-far-below-accepted",
    "4.1",
    "A sequence number more than a window below RCV.NXT is refused.",
    "a number from a window below RCV.NXT on, and further, is accepted",
)
class SequenceFarBelowAccepted(Server):
    def is_identifier_right(self, flow: Flow, identifier: int) -> bool:
        window = distance(flow.tcp.rcv_nxt, flow.tcp.rcv_edge)
        below = distance(identifier, flow.tcp.rcv_nxt)
        return super().is_identifier_right(flow, identifier) or below > window
