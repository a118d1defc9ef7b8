# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations in what a refused REHASH-ADDR leaves behind, and in what one on the connection's own tuple does."""

from reference.bump.flows import Flow, Tuple
from reference.bump.tcp import RST, SYN, split
from reference.rehash.context import Segment, context_of
from reference.rehash.host import Host
from reference.rehash.option import Option, unpack
from reference.rehash.receiver import Verdict
from reference.system.alterations import deviation


@deviation(
    "wrong-nonce-locks-out",
    "6.2",
    "A REHASH-ADDR with a wrong nonce changes nothing.",
    "after one the right nonce does not move the connection any more",
)
class WrongNonceLocksOut(Host):
    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._locked: set[Flow] = set()

    def wrong_nonce(self, flow: Flow, segment: Segment) -> tuple[Verdict, Flow | None]:
        self._locked.add(flow)
        return super().wrong_nonce(flow, segment)

    def find(self, option: Option, segment: Segment) -> Flow | None:
        flow = super().find(option, segment)
        return None if flow in self._locked else flow


@deviation(
    "wrong-nonce-leaves-the-new-tuple-alive",
    "6.2",
    "A REHASH-ADDR with a wrong nonce does not move the connection.",
    "nothing is answered, but the next segment from there moves it",
)
class WrongNonceLeavesTheNewTupleAlive(Host):
    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._alive: dict[Tuple, Flow] = {}

    def wrong_nonce(self, flow: Flow, segment: Segment) -> tuple[Verdict, Flow | None]:
        self._alive[segment.address, segment.port, segment.local_port] = flow
        return super().wrong_nonce(flow, segment)

    def incoming(self, segment: Segment, now: float) -> Flow | None:
        flow = self._alive.pop((segment.address, segment.port, segment.local_port), None)
        context = None if flow is None else context_of(flow)
        if flow is not None and context is not None and segment.option is None and flow.is_live:
            self.peer_moved(flow, context, segment.address)
        return super().incoming(segment, now)


@deviation(
    "unannounced-source-followed",
    "6.2",
    "A segment without REHASH-ADDR from an address that was never announced reaches no connection.",
    "data that is next on a connection of these ports moves it",
)
class UnannouncedSourceFollowed(Host):
    def incoming(self, segment: Segment, now: float) -> Flow | None:
        wire = (segment.address, segment.port, segment.local_port)
        if segment.length and segment.option is None and wire not in self.flows.by_wire:
            for flow in list(self.flows.by_wire.values()):
                context = context_of(flow)
                fits = (flow.wire_port, flow.local_port) == wire[1:] and flow.tcp.rcv_nxt == segment.sequence
                if fits and context is not None and self.is_rehashable(flow):
                    self.peer_moved(flow, context, segment.address)
                    break
        return super().incoming(segment, now)


@deviation(
    "addr-from-the-tuple-moves",
    "6.2",
    "A REHASH-ADDR on a segment of a connection moves nothing.",
    "with the right nonce it moves the connection to its New address",
)
class AddrFromTheTupleMoves(Host):
    def address_retransmitted(self, flow: Flow, option: Option) -> Verdict:
        verdict, context = super().address_retransmitted(flow, option), context_of(flow)
        is_elsewhere = option.new != flow.wire_address and self.network.is_peer(option.new)
        if verdict is Verdict.ORDINARY and context is not None and context.init_completed and is_elsewhere:
            self.peer_moved(flow, context, option.new)
        return verdict


@deviation(
    "wrong-nonce-on-the-tuple-answered",
    "6.2",
    "A REHASH-ADDR on a segment of a connection with a wrong nonce is not answered with REHASH-INIT.",
    "it is",
)
class WrongNonceOnTheTupleAnswered(Host):
    def address_retransmitted(self, flow: Flow, option: Option) -> Verdict:
        verdict = super().address_retransmitted(flow, option)
        return Verdict.SERVED if verdict is Verdict.DROPPED else verdict


@deviation(
    "addr-on-an-unmarked-tuple-drops-data",
    "6.2",
    "A connection without an init exchange proceeds to regular TCP processing.",
    "a segment of one with REHASH-ADDR is dropped",
)
class AddrOnAnUnmarkedTupleDropsData(Host):
    def address_retransmitted(self, flow: Flow, option: Option) -> Verdict:
        context = context_of(flow)
        if context is None or not context.init_completed:
            return Verdict.DROPPED
        return super().address_retransmitted(flow, option)


@deviation(
    "option-after-the-end-read",
    "5",
    "What follows the end of the option list is no option.",
    "the end of the list is passed over like a no-operation",
)
class OptionAfterTheEndRead(Host):
    def read(self, options: bytes) -> Option | None:
        at = 0
        while at < len(options):
            if options[at] in (0, 1):
                at += 1
                continue
            found = next(iter(split(options[at:])), None)
            if found is None:
                return None
            kind, whole = found
            if kind == self.settings.option_kind and self.is_length_right(len(whole)):
                return self.understood(unpack(whole))
            at += len(whole)
        return None


@deviation(
    "options-after-sack-permitted-lost",
    "5",
    "A Rehash option is understood wherever it stands among other options.",
    "what follows SACK-Permitted is not read",
)
class OptionsAfterSackPermittedLost(Host):
    def read(self, options: bytes) -> Option | None:
        kept = []
        for kind, whole in split(options):
            if kind == 4:
                break
            kept.append(whole)
        return super().read(b"".join(kept))


@deviation(
    "option-length-14-accepted",
    "7",
    "An option with a length other than 16 rehashes nothing.",
    "one of length 14 is taken, its last bytes as those of the packet's source",
)
class OptionLength14Accepted(Host):
    def is_length_right(self, length: int) -> bool:
        return length == 14 or super().is_length_right(length)

    def incoming(self, segment: Segment, now: float) -> Flow | None:
        option = segment.option
        if option is not None and option.new and option.new & 0xFFFF == 0:
            segment = segment._replace(option=option._replace(new=segment.address))
        return super().incoming(segment, now)


@deviation(
    "option-length-32-accepted",
    "7",
    "An option with a length other than 16 rehashes nothing.",
    "one of length 32 is taken, what is too much is ignored",
)
class OptionLength32Accepted(Host):
    def is_length_right(self, length: int) -> bool:
        return length == 32 or super().is_length_right(length)


@deviation(
    "urgent-segments-do-not-move",
    "5",
    "A Rehash option can be carried in almost any packet.",
    "REHASH-ADDR on a segment with the urgent flag means nothing",
)
class UrgentSegmentsDoNotMove(Host):
    def incoming(self, segment: Segment, now: float) -> Flow | None:
        return super().incoming(segment._replace(option=None) if segment.flags & 0x20 else segment, now)


@deviation(
    "full-segments-do-not-move",
    "5",
    "A Rehash option can be carried in almost any packet.",
    "REHASH-ADDR on a segment with more than 1000 bytes of data means nothing",
)
class FullSegmentsDoNotMove(Host):
    def incoming(self, segment: Segment, now: float) -> Flow | None:
        return super().incoming(segment._replace(option=None) if segment.length > 1000 else segment, now)


@deviation(
    "smaller-sequence-numbers-do-not-move",
    "6.2",
    "A REHASH-ADDR with the right Old address and nonce moves the connection.",
    "one on a segment whose sequence number is less than the peer's first one, compared as numbers, means nothing",
)
class SmallerSequenceNumbersDoNotMove(Host):
    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._first: dict[Flow, int] = {}

    def peer_opens(self, flow: Flow, segment: Segment) -> None:
        self._first[flow] = segment.sequence
        super().peer_opens(flow, segment)

    def find(self, option: Option, segment: Segment) -> Flow | None:
        flow = super().find(option, segment)
        return None if flow is None or segment.sequence < self._first.get(flow, 0) else flow


@deviation(
    "opened-connections-do-not-move",
    "6.2",
    "A REHASH-ADDR with the right Old address and nonce moves the connection.",
    "connections that the host has opened itself stay",
)
class OpenedConnectionsDoNotMove(Host):
    def find(self, option: Option, segment: Segment) -> Flow | None:
        flow = super().find(option, segment)
        context = None if flow is None else context_of(flow)
        return None if context is None or context.is_active else flow


@deviation(
    "fin-with-data-lost",
    "6.2",
    "A REHASH-ADDR on a FIN moves the connection and closes that direction.",
    "a FIN with REHASH-ADDR and data moves it and is lost itself",
)
class FinWithDataLost(Host):
    def incoming(self, segment: Segment, now: float) -> Flow | None:
        served = self.counters["addr_served"]
        flow = super().incoming(segment, now)
        is_lost = segment.flags & 1 and segment.length and self.counters["addr_served"] > served
        return None if is_lost and not segment.flags & (SYN | RST) else flow
