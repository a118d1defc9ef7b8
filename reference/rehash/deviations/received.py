# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations in what a REHASH-ADDR does, whose nonce is right."""

from reference.bump.flows import Flow
from reference.rehash.context import Context, Segment
from reference.rehash.host import Host
from reference.rehash.option import ADDR, Option
from reference.rehash.receiver import Verdict
from reference.system.alterations import deviation


@deviation(
    "addr-not-answered",
    "6.2",
    "A REHASH-ADDR that was served is answered with REHASH-INIT.",
    "it is answered with a duplicate ACK without option",
)
class AddrNotAnswered(Host):
    def address_served(self, flow: Flow, context: Context, segment: Segment, now: float) -> None:
        self.mechanics.acknowledge(flow, None)


class _OtherAnswer(Host):
    """The REHASH-INIT that answers a REHASH-ADDR, made otherwise."""

    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._answering: set[Context] = set()

    def address_served(self, flow: Flow, context: Context, segment: Segment, now: float) -> None:
        self._answering.add(context)
        super().address_served(flow, context, segment, now)

    def init(self, flow: Flow, context: Context) -> Option:
        option = super().init(flow, context)
        if context not in self._answering:
            return option
        self._answering.discard(context)
        return self.answer(context, option)

    def answer(self, context: Context, option: Option) -> Option:
        raise NotImplementedError


@deviation(
    "addr-answered-with-addr",
    "6.2",
    "A REHASH-ADDR that was served is answered with REHASH-INIT.",
    "it is answered with a REHASH-ADDR",
)
class AddrAnsweredWithAddr(_OtherAnswer):
    def answer(self, context: Context, option: Option) -> Option:
        return option._replace(control=ADDR)


@deviation(
    "addr-answered-with-peer-nonce",
    "6.2",
    "The REHASH-INIT sent as acknowledgement carries the sender's own unchanged nonce.",
    "it carries the nonce of the peer",
)
class AddrAnsweredWithPeerNonce(_OtherAnswer):
    def answer(self, context: Context, option: Option) -> Option:
        return option._replace(nonce=context.peer_nonce or 0)


@deviation(
    "addr-answered-with-old",
    "6.2",
    "The REHASH-INIT sent as acknowledgement has Old 0.",
    "it has the host's address as Old",
)
class AddrAnsweredWithOld(_OtherAnswer):
    def answer(self, context: Context, option: Option) -> Option:
        return option._replace(old=self.network.own)


@deviation(
    "addr-payload-dropped",
    "6.2",
    "Payload and acknowledgement of the segment that carried REHASH-ADDR are processed.",
    "the connection moves, and a segment with data is dropped",
)
class AddrPayloadDropped(Host):
    def incoming(self, segment: Segment, now: float) -> Flow | None:
        before = self.counters["addr_served"]
        flow = super().incoming(segment, now)
        if flow is None or not segment.length or self.counters["addr_served"] == before:
            return flow
        self.init_deadlines[flow] = now
        return None


@deviation(
    "wrong-nonce-reset",
    "6.2",
    "A REHASH-ADDR with a wrong nonce is silently discarded.",
    "its sender gets a reset",
)
class WrongNonceReset(Host):
    def wrong_nonce(self, flow: Flow, segment: Segment) -> tuple[Verdict, Flow | None]:
        return Verdict.ORDINARY, None


@deviation(
    "wrong-nonce-acknowledged",
    "6.2",
    "A REHASH-ADDR with a wrong nonce is silently discarded.",
    "the connection's peer gets a duplicate ACK",
)
class WrongNonceAcknowledged(Host):
    def wrong_nonce(self, flow: Flow, segment: Segment) -> tuple[Verdict, Flow | None]:
        self.mechanics.acknowledge(flow, None)
        return Verdict.DROPPED, None


@deviation(
    "wrong-nonce-data-taken",
    "6.2",
    "No data is taken from a segment with a REHASH-ADDR whose nonce is wrong.",
    "the connection does not move, but the data is taken",
)
class WrongNonceDataTaken(Host):
    def wrong_nonce(self, flow: Flow, segment: Segment) -> tuple[Verdict, Flow | None]:
        return Verdict.ORDINARY, flow
