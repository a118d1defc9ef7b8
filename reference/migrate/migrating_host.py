# SPDX-License-Identifier: GPL-2.0-or-later
"""The migrating host: Migrate SYNs sent (draft-snoeren-tcp-migrate-00, Requesting Migration).

Readings, where the draft is silent:
- the first ReqNo is 0, and every migration has the next one; a SYN that nobody answers is sent again as it was;
- until the SYN-ACK comes what the kernel sends is held, and goes out in order in slow start;
- a reset in answer to a Migrate SYN ends the connection: the peer knows no such one;
- connections that cannot migrate stay with the address that was left, without sending or receiving, until they time out
  or the host returns to it; of those that are opening the SYN is sent from the new address.
"""

from reference.bump.flows import Flow
from reference.bump.tcp import ACK, RST, SYN, State, distance
from reference.migrate.context import Context, Exchange, Segment, context_of
from reference.migrate.host import FixedHost
from reference.migrate.option import REQNO_SPACE, Migrate
from reference.system.log import log

#: Seconds between two Migrate SYNs that nobody answers.
RETRY_S = 0.4


class MigratingHost:
    """Moves of our own."""

    role = "mobile node"

    def __init__(self, host: FixedHost) -> None:
        self.host = host
        self.network, self.flows, self.settings, self.mechanics = (
            host.network,
            host.flows,
            host.settings,
            host.mechanics,
        )
        self.moving: dict[Flow, None] = {}

    def move(self, address: int, now: float) -> None:
        """The host has another address on the wire from now on."""
        old = self.network.own
        self.network.own = address
        self.flows.change_own(self.network.kernel_own - address)
        self.host.counters["moves"] += 1
        for flow in list(self.flows.by_kernel.values()):
            context = context_of(flow)
            if flow.parked_at is not None:
                if flow.parked_at == address:
                    self.flows.unpark(flow)
            elif context is not None and self.is_movable(flow):
                self.request(flow, context, now)
            elif flow.tcp.state is State.SYN_SENT:
                continue
            elif flow.is_live or flow.tcp.state is State.TIME_WAIT:
                self.flows.park(flow, old)
            else:
                self.flows.free(flow)

    def is_movable(self, flow: Flow) -> bool:
        return self.host.is_migrateable(flow)

    def request(self, flow: Flow, context: Context, now: float) -> None:
        """Ask the peer of a connection to follow."""
        context.own_reqno = self.next_reqno(context)
        self.host.resume(flow, context)
        context.awaits_ack = False
        sequence = self.syn_number(context)
        option = self.option(context, sequence).pack(self.settings.option_kind)
        context.exchange = Exchange(sequence, option, now)
        self.moving[flow] = None
        self.sender_slow_start(context)
        self.send(flow, context, context.exchange)

    def next_reqno(self, context: Context) -> int:
        return 0 if context.own_reqno is None else (context.own_reqno + 1) % REQNO_SPACE

    def syn_number(self, context: Context) -> int:
        """The number of the byte that was acknowledged last."""
        return (context.acknowledged - 1) & 0xFFFFFFFF

    def option(self, context: Context, sequence: int) -> Migrate:
        number = context.own_reqno or 0
        return Migrate(number, self.token(context), self.host.request(context, sequence, number))

    def token(self, context: Context) -> bytes:
        return context.token

    def sender_slow_start(self, context: Context) -> None:
        self.host.begin_slow_start(context)

    def send(self, flow: Flow, context: Context, exchange: Exchange) -> None:
        """The Migrate SYN."""
        self.mechanics.originate(flow, exchange.sequence, 0, SYN, self.syn_options(exchange))

    def syn_options(self, exchange: Exchange) -> bytes:
        """That option, and none else."""
        return exchange.option

    def answered(self, flow: Flow, context: Context, segment: Segment) -> None:
        """A SYN-ACK: the connection resumes."""
        context.exchange = None
        self.moving.pop(flow, None)
        if context.slow_start is not None:
            context.slow_start.restart()
        self.acknowledges_data(flow, context, segment)
        self.complete(flow)
        self.mechanics.release(flow)

    def acknowledges_data(self, flow: Flow, context: Context, segment: Segment) -> None:
        """The acknowledgement of a SYN-ACK is one of data."""
        progress = distance(context.acknowledged, segment.acknowledgement)
        if progress > 0 <= distance(segment.acknowledgement, context.next):
            context.ack_received(segment.acknowledgement, False)
            self.mechanics.tell_kernel(flow, ACK)

    def complete(self, flow: Flow) -> None:
        """The ACK that ends the handshake."""
        self.mechanics.acknowledge(flow)

    def takes(self, flow: Flow, context: Context, segment: Segment) -> bool:
        """Whether a segment is about a Migrate SYN of ours, of which the kernel knows nothing."""
        is_syn_ack = segment.flags & (SYN | ACK) == SYN | ACK
        if context.exchange is not None and is_syn_ack:
            self.answered(flow, context, segment)
        elif context.exchange is not None and segment.flags & RST:
            self.reset(flow, context)
        elif context.own_reqno is not None and is_syn_ack:
            self.complete(flow)
        else:
            return False
        return True

    def reset(self, flow: Flow, context: Context) -> None:
        """The peer refuses."""
        log(f"port {flow.local_port}: the Migrate SYN is refused, closed")
        self.give_up(flow, context)

    def give_up(self, flow: Flow, context: Context) -> None:
        """The connection is closed, and its application sees an error."""
        self.moving.pop(flow, None)
        self.host.close(flow, context)

    def repeat(self, flow: Flow, context: Context, exchange: Exchange) -> None:
        """The same SYN once more."""
        self.send(flow, context, exchange)

    # Time --------------------------------------------------------------------------------------------------------

    def next_deadline(self) -> float | None:
        """When there will be something to do."""
        contexts = [context for flow in self.moving if (context := context_of(flow)) is not None]
        return min((one.exchange.last + RETRY_S for one in contexts if one.exchange is not None), default=None)

    def tick(self, now: float) -> None:
        """SYNs that nobody has answered."""
        for flow in list(self.moving):
            context = context_of(flow)
            if context is None or context.exchange is None or not flow.is_live:
                self.moving.pop(flow, None)
            elif now >= context.exchange.last + RETRY_S:
                self.unanswered(flow, context, context.exchange, now)

    def unanswered(self, flow: Flow, context: Context, exchange: Exchange, now: float) -> None:
        if now - exchange.began >= self.settings.give_up_s:
            log(f"port {flow.local_port}: no answer to Migrate SYNs, closed")
            self.give_up(flow, context)
            return
        exchange.last = now
        self.repeat(flow, context, exchange)
