# SPDX-License-Identifier: GPL-2.0-or-later
"""The host that moves: REHASH-ADDR sent (section 6.2)."""

from reference.bump.flows import Flow
from reference.bump.tcp import RST, State
from reference.rehash.context import Context, Exchange, context_of
from reference.rehash.endpoint import Endpoint
from reference.system.log import log

#: Seconds between two segments with REHASH-ADDR when there is nothing else to send.
RETRY_S = 0.4
#: Segments with REHASH-ADDR that a burst of the kernel leaves for later.
KEPT_FOR_RETRANSMISSIONS = 2


class AddrSender(Endpoint):
    """Moves of our own."""

    def move(self, address: int, now: float) -> None:
        """The host has another address on the wire from now on."""
        old = self.network.own
        self.network.own = address
        self.left.add(old)
        self.left.discard(address)
        self.flows.change_own(self.network.kernel_own - address)
        self.counters["moves"] += 1
        for flow in list(self.flows.by_kernel.values()):
            context = context_of(flow)
            if flow.parked_at is not None:
                if flow.parked_at == address:
                    self.flows.unpark(flow)
            elif context is not None and self.is_movable(flow):
                self.begin_move(flow, context, old, now)
            elif flow.tcp.state is State.SYN_SENT and context is not None:
                context.addresses = [address]
            elif flow.is_live or flow.tcp.state is State.TIME_WAIT:
                self.flows.park(flow, old)
            else:
                self.flows.free(flow)

    def is_movable(self, flow: Flow) -> bool:
        return self.is_rehashable(flow)

    def begin_move(self, flow: Flow, context: Context, old: int, now: float) -> None:
        """Announce the new address of one connection."""
        own = self.network.own
        olds = [one for one in context.addresses if one != own]
        if own in context.addresses:
            olds.append(own)
        else:
            context.addresses.append(own)
        context.exchange = exchange = Exchange(olds, now)
        context.answers_left = 0
        self.moving[flow] = None
        self.sender_slow_start(context)
        self.announce(flow, context, exchange, now)

    def sender_slow_start(self, context: Context) -> None:
        self.begin_slow_start(context)

    def announce(self, flow: Flow, context: Context, exchange: Exchange, now: float) -> None:
        """The first segment from the new address."""
        self.send_address(flow, context, exchange, now)

    def send_address(self, flow: Flow, context: Context, exchange: Exchange, now: float) -> None:
        """REHASH-ADDR in a segment of its own."""
        self.count(exchange, now)
        self.mechanics.acknowledge(flow, self.address(flow, context, exchange))

    def count(self, exchange: Exchange, now: float) -> None:
        """A segment with REHASH-ADDR goes out."""
        exchange.sent += 1
        exchange.last = now

    def may_carry(self, exchange: Exchange, now: float) -> bool:
        """Whether a segment of the kernel may go out with REHASH-ADDR now."""
        if not self.settings.max_retries:
            return True
        left = self.settings.max_retries - exchange.sent
        return left > KEPT_FOR_RETRANSMISSIONS or (left > 0 and now - exchange.last >= RETRY_S / 2)

    def retransmit(self, flow: Flow, context: Context, exchange: Exchange, now: float) -> None:
        """No answer: REHASH-ADDR again, or the end."""
        if self.is_exhausted(exchange):
            self.fail(flow, context)
            return
        exchange.turn += 1
        self.send_address(flow, context, exchange, now)

    def is_exhausted(self, exchange: Exchange) -> bool:
        return 0 < self.settings.max_retries <= exchange.sent

    def is_reset_believed(self, context: Context) -> bool:
        """A peer that does not know one of several possible Old addresses resets, and may know the next one."""
        return context.exchange is None or len(context.exchange.olds) == 1

    def finish(self, flow: Flow, context: Context) -> None:
        """The peer has acknowledged the move."""
        self.counters["acknowledged"] += 1
        context.exchange = None
        context.addresses = [self.network.own]
        self.moving.pop(flow, None)
        if context.slow_start is not None:
            context.slow_start.restart()

    def fail(self, flow: Flow, context: Context) -> None:
        """The rehash has failed: the connection is closed locally."""
        log(f"port {flow.local_port}: no answer to REHASH-ADDR from {self.network.text(flow.wire_address)}, closed")
        self.counters["failed"] += 1
        context.is_failed = True
        context.exchange = context.slow_start = None
        self.moving.pop(flow, None)
        self.mechanics.tell_kernel(flow, RST)
        flow.tcp.state = State.CLOSED

    def answers_when_failed(self, length: int) -> bool:
        """Whether the kernel is told once more that a connection is closed when it sends so much data on it."""
        return True

    def in_flight(self, packet: bytes) -> None:
        """A packet to an address that was left: silently discarded."""
