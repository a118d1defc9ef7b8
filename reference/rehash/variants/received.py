# SPDX-License-Identifier: GPL-2.0-or-later
"""Variants in what a REHASH-ADDR does."""

from reference.bump.flows import Flow
from reference.bump.tcp import SYN, distance, split
from reference.rehash.context import Context, Segment
from reference.rehash.host import Host
from reference.rehash.option import Option, unpack
from reference.rehash.receiver import Verdict
from reference.system.alterations import variant


@variant(
    "addr-unknown-dropped",
    "6.2",
    "What becomes of a REHASH-ADDR whose Old address and ports are no connection is not said.",
    "it is silently discarded",
)
class AddrUnknownDropped(Host):
    def address_received(self, segment: Segment, option: Option) -> tuple[Verdict, Flow | None]:
        verdict, flow = super().address_received(segment, option)
        known = self.flows.occupant(segment.address, segment.port, segment.local_port)
        return (Verdict.DROPPED if verdict is Verdict.ORDINARY and known is None else verdict), flow


@variant(
    "reset-with-addr-resets",
    "6.2",
    "The connection is rehashed, and regular TCP packet processing follows: a reset.",
    "a reset with REHASH-ADDR ends the connection that it names",
)
class ResetWithAddrResets(Host):
    def can_carry_address(self, flags: int) -> bool:
        return not flags & SYN


@variant(
    "wrong-nonce-on-the-tuple-is-ordinary",
    "6.2",
    "Only segments that match no connection are trapped.",
    "a segment of a connection with a REHASH-ADDR whose nonce is wrong is an ordinary one",
)
class WrongNonceOnTheTupleIsOrdinary(Host):
    def address_retransmitted(self, flow: Flow, option: Option) -> Verdict:
        verdict = super().address_retransmitted(flow, option)
        return Verdict.ORDINARY if verdict is Verdict.DROPPED else verdict


@variant(
    "addr-on-acceptable-segments-only",
    "6.2",
    "A segment that ordinary TCP would not accept may as well move nothing.",
    "REHASH-ADDR on a segment that begins outside the window is dropped",
)
class AddrOnAcceptableSegmentsOnly(Host):
    def address_received(self, segment: Segment, option: Option) -> tuple[Verdict, Flow | None]:
        flow = self.find(option, segment)
        known = self.flows.occupant(segment.address, segment.port, segment.local_port)
        if flow is not None and known is None and not self._is_acceptable(flow, segment):
            return Verdict.DROPPED, None
        return super().address_received(segment, option)

    @staticmethod
    def _is_acceptable(flow: Flow, segment: Segment) -> bool:
        before, beyond = distance(segment.sequence, flow.tcp.rcv_nxt), distance(flow.tcp.rcv_edge, segment.sequence)
        acknowledges = distance(segment.acknowledgement, flow.tcp.snd_nxt) if flow.tcp.snd_nxt else 0
        return before <= segment.length and beyond <= 0 and acknowledges >= -(1 << 20)


@variant(
    "moves-to-the-source",
    "6.2",
    "Where New differs from the packet's source nothing is said of who is right.",
    "the connection moves to the packet's source, whatever New says",
)
class MovesToTheSource(Host):
    def peer_moved(self, flow: Flow, context: Context, address: int) -> None:
        super().peer_moved(flow, context, self._source)

    def address_received(self, segment: Segment, option: Option) -> tuple[Verdict, Flow | None]:
        self._source = segment.address
        return super().address_received(segment, option)


@variant(
    "last-option-counts",
    "7",
    "The draft speaks of one option a segment.",
    "of several the last sound one counts",
)
class LastOptionCounts(Host):
    def read(self, options: bytes) -> Option | None:
        whole = [one for kind, one in split(options) if kind == self.settings.option_kind]
        sound = [self.understood(unpack(one)) for one in whole if self.is_length_right(len(one))]
        return next((one for one in reversed(sound) if one is not None), None)


@variant(
    "window-of-one-segment-after-a-move",
    "6.2",
    "The initial window may be smaller than RFC 5681 allows.",
    "slow start begins with a single segment",
)
class WindowOfOneSegment(Host):
    def begin_slow_start(self, context: Context) -> None:
        super().begin_slow_start(context)
        if context.slow_start is not None:
            context.slow_start.window = context.slow_start.segment_size
