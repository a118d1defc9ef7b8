# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations in the REHASH-INIT exchange."""

from reference.bump.flows import Flow
from reference.bump.tcp import ACK, SYN, State
from reference.rehash.context import Context, Segment, context_of
from reference.rehash.host import Host
from reference.rehash.option import Option
from reference.system.alterations import deviation


@deviation(
    "init-never-begun",
    "6.1",
    "A host that opens a connection sends REHASH-INIT on it.",
    "a host that opens a connection sends none, but answers one",
)
class InitNeverBegun(Host):
    def opens_with_init(self, context: Context, flags: int) -> bool:
        return bool(flags & ACK) and super().opens_with_init(context, flags)

    def may_reissue(self, context: Context) -> bool:
        return False


@deviation(
    "init-not-on-syn",
    "6.1",
    "A host that opens a connection sends REHASH-INIT on the SYN.",
    "REHASH-INIT comes with the segments after the handshake",
)
class InitNotOnSyn(Host):
    def opens_with_init(self, context: Context, flags: int) -> bool:
        return bool(flags & ACK) and super().opens_with_init(context, flags)

    def must_reissue(self, flow: Flow, context: Context) -> bool:
        is_first = context.is_active and not context.is_init_sent and flow.tcp.state is State.ESTABLISHED
        return is_first or super().must_reissue(flow, context)


@deviation(
    "init-not-on-syn-ack",
    "6.1",
    "A SYN with REHASH-INIT is answered with REHASH-INIT, on the SYN-ACK or later.",
    "a SYN with REHASH-INIT is answered without",
)
class InitNotOnSynAck(Host):
    def opens_with_init(self, context: Context, flags: int) -> bool:
        return not flags & ACK


@deviation(
    "init-after-syn-ack",
    "6.1",
    "A SYN with REHASH-INIT is answered on the SYN-ACK.",
    "it is answered in the first segment after the handshake",
)
class InitAfterSynAck(Host):
    def opens_with_init(self, context: Context, flags: int) -> bool:
        return not flags & ACK

    def accounted(self, flow: Flow, segment: Segment, now: float) -> None:
        context = context_of(flow)
        if context is not None and flow.tcp.state is State.ESTABLISHED and self.is_silent_so_far(context):
            self.schedule_init(flow, context, now, self.kernel_answers(segment))
        super().accounted(flow, segment, now)

    @staticmethod
    def is_silent_so_far(context: Context) -> bool:
        return not context.is_active and context.peer_nonce is not None and not context.is_init_sent


@deviation(
    "late-init-ignored",
    "6.1",
    "REHASH-INIT received on an established connection is answered with REHASH-INIT.",
    "REHASH-INIT counts during the handshake only",
)
class LateInitIgnored(Host):
    def init_received(self, flow: Flow, context: Context, option: Option, segment: Segment, now: float) -> None:
        if context.peer_nonce is not None:
            super().init_received(flow, context, option, segment, now)


@deviation(
    "init-of-the-connected-ignored",
    "6.1",
    "The init exchange may be initiated by any side of the connection.",
    "only the peer that has connected can begin the exchange after the handshake",
)
class InitOfTheConnectedIgnored(Host):
    def init_received(self, flow: Flow, context: Context, option: Option, segment: Segment, now: float) -> None:
        if context.peer_nonce is not None or not context.is_active:
            super().init_received(flow, context, option, segment, now)


@deviation(
    "init-not-on-retransmitted-syn",
    "6.1",
    "A retransmitted SYN or SYN-ACK carries the REHASH-INIT of the first one.",
    "only the first SYN and the first SYN-ACK carry it",
)
class InitNotOnRetransmittedSyn(Host):
    def opens_with_init(self, context: Context, flags: int) -> bool:
        return not context.is_init_sent and super().opens_with_init(context, flags)


@deviation(
    "init-retransmitted-with-another-nonce",
    "6.1",
    "A retransmitted SYN or SYN-ACK carries the nonce of the first one.",
    "each retransmission of a SYN or SYN-ACK has a nonce of its own",
)
class InitRetransmittedWithAnotherNonce(Host):
    def opens_with_init(self, context: Context, flags: int) -> bool:
        if context.is_init_sent:
            context.own_nonce = self.nonces.fresh()
        return super().opens_with_init(context, flags)


@deviation(
    "init-not-on-retransmitted-data",
    "6.1",
    "A data segment that carried REHASH-INIT carries it again when it is retransmitted.",
    "the retransmission has no option",
)
class InitNotOnRetransmittedData(Host):
    def carried_init(self, context: Context, sequence: int, length: int) -> bool:
        return False


@deviation(
    "init-exchange-endless",
    "6.1",
    "Repeated REHASH-INITs start no endless exchange.",
    "after a repeated REHASH-INIT the host sends one after the other",
)
class InitExchangeEndless(Host):
    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._endless: set[Flow] = set()
        self._now = 0.0

    def init_received(self, flow: Flow, context: Context, option: Option, segment: Segment, now: float) -> None:
        self._now = now
        if option.nonce == context.peer_nonce and context.exchange is None:
            self._endless.add(flow)
        super().init_received(flow, context, option, segment, now)

    def init_sent(self, flow: Flow, context: Context) -> None:
        super().init_sent(flow, context)
        if flow in self._endless and flow.is_live and flow.parked_at is None:
            self.init_deadlines[flow] = self._now + 0.05

    def tick(self, now: float) -> None:
        self._now = now
        super().tick(now)


@deviation(
    "init-old-is-current",
    "6.1",
    "Old IP address is 0 in REHASH-INIT.",
    "it is the current address",
)
class InitOldIsCurrent(Host):
    def init(self, flow: Flow, context: Context) -> Option:
        return super().init(flow, context)._replace(old=self.network.own)


@deviation(
    "init-new-is-zero",
    "6.1",
    "New IP address in REHASH-INIT is the source address of the packet.",
    "it is 0",
)
class InitNewIsZero(Host):
    def init(self, flow: Flow, context: Context) -> Option:
        return super().init(flow, context)._replace(new=0)


@deviation(
    "init-new-is-first-address",
    "6.1",
    "New IP address in REHASH-INIT is the current address of the host.",
    "it is the address that the host had at the start, also after moves",
)
class InitNewIsFirstAddress(Host):
    def init(self, flow: Flow, context: Context) -> Option:
        return super().init(flow, context)._replace(new=self.network.kernel_own)


@deviation(
    "legacy-peers-refused",
    "8",
    "A host is fully compatible with peers that do not implement TCP Rehash.",
    "a SYN-ACK without REHASH-INIT is dropped",
)
class LegacyPeersRefused(Host):
    def incoming(self, segment: Segment, now: float) -> Flow | None:
        flow = super().incoming(segment, now)
        context = None if flow is None else context_of(flow)
        if flow is not None and flow.tcp.state is State.SYN_SENT and segment.flags & SYN and context is not None:
            return flow if context.peer_nonce is not None else None
        return flow
