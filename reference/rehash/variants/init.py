# SPDX-License-Identifier: GPL-2.0-or-later
"""Variants in the REHASH-INIT exchange."""

from reference.bump.flows import Flow
from reference.bump.tcp import ACK, SYN, State
from reference.rehash.context import Context, Segment, context_of
from reference.rehash.host import Host
from reference.rehash.option import INIT, Option
from reference.system.alterations import variant


@variant(
    "init-after-inactivity",
    "5",
    "A duplicate ACK might be generated after a period of inactivity time.",
    "REHASH-INIT for which there is no segment is on a duplicate ACK 2.5 s later",
)
class InitAfterInactivity(Host):
    def schedule_init(self, flow: Flow, context: Context, now: float, kernel_answers: bool) -> None:
        context.init_pending = True
        self.init_deadlines.setdefault(flow, now + 2.5)


@variant(
    "init-after-establishment",
    "6.1",
    "The init exchange can be performed at any time during connection lifetime, preferably with the handshake.",
    "SYN and SYN-ACK carry no REHASH-INIT, and it means nothing on those of the peer",
)
class InitAfterEstablishment(Host):
    def opens_with_init(self, context: Context, flags: int) -> bool:
        return False

    def peer_opens(self, flow: Flow, segment: Segment) -> None:
        super().peer_opens(flow, segment._replace(option=None))

    def must_reissue(self, flow: Flow, context: Context) -> bool:
        begins = context.is_active and not context.is_init_sent and flow.tcp.state is State.ESTABLISHED
        return begins or super().must_reissue(flow, context)


@variant(
    "init-with-the-first-data",
    "6.1",
    "A SYN with REHASH-INIT is answered on the SYN-ACK preferably, otherwise later.",
    "it is answered on the first segment of the kernel after the handshake, or after 1 s",
)
class InitWithTheFirstData(Host):
    def opens_with_init(self, context: Context, flags: int) -> bool:
        return not flags & ACK

    def accounted(self, flow: Flow, segment: Segment, now: float) -> None:
        context = context_of(flow)
        if context is not None and flow.tcp.state is State.ESTABLISHED and not context.is_active:
            owes = context.peer_nonce is not None and not context.is_init_sent and not context.init_pending
            if owes and not segment.flags & SYN:
                context.init_pending = True
                self.init_deadlines[flow] = now + 1.0
        super().accounted(flow, segment, now)


@variant(
    "init-begun-by-the-acceptor",
    "6.1",
    "The init exchange might be initiated by any side of the connection.",
    "the host begins it on connections that it has accepted as well, and answers no REHASH-INIT that crosses its own",
)
class InitBegunByTheAcceptor(Host):
    def must_reissue(self, flow: Flow, context: Context) -> bool:
        begins = not context.is_init_sent and flow.tcp.state is State.ESTABLISHED
        return begins or super().must_reissue(flow, context)

    def init_received(self, flow: Flow, context: Context, option: Option, segment: Segment, now: float) -> None:
        if context.peer_nonce is None and context.is_init_sent:
            context.peer_nonce = option.nonce
        else:
            super().init_received(flow, context, option, segment, now)


@variant(
    "init-reissued-without-end",
    "6.1",
    "The reissue might be stopped after some time: a permission.",
    "every segment to a peer that does not answer carries REHASH-INIT",
)
class InitReissuedWithoutEnd(Host):
    def may_reissue(self, context: Context) -> bool:
        return True


@variant(
    "init-never-reissued",
    "6.1",
    "Host A might still issue REHASH-INIT again: a permission.",
    "to a peer that does not answer it is sent once",
)
class InitNeverReissued(Host):
    def may_reissue(self, context: Context) -> bool:
        return False


@variant(
    "init-with-other-addresses-ignored",
    "7",
    "Old is 0 and New the current address in REHASH-INIT.",
    "a REHASH-INIT that says something else is none",
)
class InitWithOtherAddressesIgnored(Host):
    def incoming(self, segment: Segment, now: float) -> Flow | None:
        option = segment.option
        if option is not None and option.control == INIT and (option.old or option.new != segment.address):
            segment = segment._replace(option=None)
        return super().incoming(segment, now)
