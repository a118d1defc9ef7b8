# SPDX-License-Identifier: GPL-2.0-or-later
"""The TCP Rehash host: every decision of draft-mongazon-tcpm-tcp-rehash-00; `datapath` carries them out.

Readings, where the draft is silent:
- a REHASH-ADDR moves on the word of its nonce alone, whatever ordinary TCP then thinks of the segment; on a SYN or a
  reset it moves nothing; a segment whose own tuple is a connection can retransmit a move but not begin one;
- a move to a tuple that another connection has is no move, and its segment is dropped; one to an address that is none
  of a peer is no move, and its segment is one of no connection;
- of several Rehash options in a segment the first sound one counts;
- a REHASH-INIT with another nonce than the connection's first is no REHASH-INIT; Old and New in it do not matter;
- a first REHASH-INIT after the handshake is always answered, retransmissions as often as it may be sent again unasked;
- connections without a completed exchange stay with the address that was left, without sending or receiving, until they
  time out or the host returns to it; half-open ones too, but for a SYN that has no answer yet: it is sent from the new;
- segments with REHASH-ADDR count whoever makes them; the last two are kept for retransmissions, so that a burst of data
  does not use them up, and what the kernel sends in excess is lost;
- a pending REHASH-INIT goes out even while a move of our own is unanswered: both ends have moved;
- a host that moves on before an answer names the address that the peer had acknowledged, and in retransmissions by
  turns those used since: the peer may have served one of them. A reset by a peer that did not know one is no reset.
Every choice a host could get wrong is a method of its own.
"""

from reference.bump.flows import Flow
from reference.bump.tcp import ACK, FIN, RST, SYN, State
from reference.rehash.context import Context, Segment, context_of
from reference.rehash.option import ADDR, INIT, Option
from reference.rehash.receiver import AddrReceiver, Verdict
from reference.rehash.sender import RETRY_S, AddrSender
from reference.rehash.slow_start import SlowStart


class Host(AddrReceiver, AddrSender):
    """Both directions of the protocol, for all connections of a host."""

    # Segments from the peer --------------------------------------------------------------------------------------

    def incoming(self, segment: Segment, now: float) -> Flow | None:
        """The connection that a segment is for, None when it is to be dropped."""
        option, flow, verdict = segment.option, None, Verdict.ORDINARY
        if option is not None and option.control == ADDR and self.can_carry_address(segment.flags):
            verdict, flow = self.address_received(segment, option)
            if verdict is Verdict.DROPPED:
                self.counters["addr_dropped"] += 1
                return None
        if flow is None:
            flow = self.flows.inbound(segment.address, segment.port, segment.local_port, segment.flags, now)
        if flow is None:
            return None
        if segment.flags & SYN:
            self.peer_opens(flow, segment)
        context = context_of(flow)
        if context is None:
            return flow
        if context.is_failed:
            return None
        if segment.flags & RST and context.exchange is not None and not self.is_reset_believed(context):
            self.retransmit(flow, context, context.exchange, now)
            return None
        if verdict is Verdict.SERVED:
            self.address_served(flow, context, segment, now)
        return flow

    def address_served(self, flow: Flow, context: Context, segment: Segment, now: float) -> None:
        """A REHASH-ADDR has been served: REHASH-INIT goes back."""
        self.schedule_init(flow, context, now, self.kernel_answers(segment))

    @staticmethod
    def kernel_answers(segment: Segment) -> bool:
        """Whether the kernel acknowledges a segment at once."""
        return segment.length > 0 or bool(segment.flags & FIN)

    def accounted(self, flow: Flow, segment: Segment, now: float) -> None:
        """The TCP state is what a segment has made it: acknowledgement and option come into effect."""
        context, option = context_of(flow), segment.option
        if context is None or segment.flags & (SYN | RST) or not segment.flags & ACK:
            return
        context.ack_received(segment.acknowledgement, option is None and not self.kernel_answers(segment))
        if option is not None and option.control == INIT and flow.tcp.state is State.ESTABLISHED:
            self.counters["init_received"] += 1
            self.init_received(flow, context, option, segment, now)
        if context.slow_start is not None and context.exchange is None:
            self._flush(flow, context, context.slow_start)

    def _flush(self, flow: Flow, context: Context, slow_start: SlowStart) -> None:
        while (packet := slow_start.flush()) is not None:
            self.mechanics.transmit(flow, packet)
        if slow_start.is_over:
            context.slow_start = None

    def peer_opens(self, flow: Flow, segment: Segment) -> None:
        """A SYN or SYN-ACK: the nonce in it is the peer's."""
        option, state, context = segment.option, flow.tcp.state, context_of(flow)
        nonce = option.nonce if option is not None and option.control == INIT else None
        if not segment.flags & ACK and state in (State.UNKNOWN, State.OPENING):
            if context is None or state is State.UNKNOWN:
                context = self._new_context(flow, False)
            context.peer_nonce = nonce
        elif state is State.SYN_SENT and context is not None and nonce is not None:
            context.peer_nonce = nonce

    def _new_context(self, flow: Flow, is_active: bool) -> Context:
        context = Context(self.nonces.fresh(), self.network.own, is_active, self.settings.init_reissues)
        flow.contexts[Context] = context
        return context

    def init_received(self, flow: Flow, context: Context, option: Option, segment: Segment, now: float) -> None:
        """REHASH-INIT on an established connection."""
        if context.peer_nonce is None:
            context.peer_nonce = option.nonce
            self.schedule_init(flow, context, now, self.kernel_answers(segment))
        elif option.nonce != context.peer_nonce:
            self.another_nonce(context, option)
        elif context.exchange is not None:
            self.finish(flow, context)
        elif context.answers_left > 0:
            context.answers_left -= 1
            self.schedule_init(flow, context, now, self.kernel_answers(segment))

    def another_nonce(self, context: Context, option: Option) -> None:
        """A REHASH-INIT whose nonce is not the peer's: it means nothing."""

    # Segments from the kernel ------------------------------------------------------------------------------------

    def kernel_opens(self, flow: Flow, is_answer: bool, sequence: int, is_again: bool) -> None:
        """The kernel sends a SYN (again) or a SYN-ACK."""
        context = context_of(flow) if is_answer or is_again else self._new_context(flow, True)
        if context is not None:
            context.opens(sequence)

    def outgoing(
        self, flow: Flow, context: Context, sequence: int, flags: int, length: int, now: float
    ) -> tuple[bool, Option | None]:
        """Whether a segment of the kernel goes out now, and with which option."""
        if flags & RST:
            return True, None
        if flags & SYN:
            return True, self.init(flow, context) if self.opens_with_init(context, flags) else None
        if context.init_pending:
            self.init_sent(flow, context)
            return True, self.init_on(flow, context, sequence, length)
        if context.exchange is not None:
            if not self.may_carry(context.exchange, now):
                return False, None
            self.count(context.exchange, now)
            return True, self.address_on(flow, context, sequence, length)
        if context.init_sequences and self.carried_init(context, sequence, length):
            return True, self.init(flow, context)
        if self.must_reissue(flow, context):
            context.reissues -= 1
            return True, self.init_on(flow, context, sequence, length)
        return True, None

    def opens_with_init(self, context: Context, flags: int) -> bool:
        """On every SYN; on a SYN-ACK when the SYN had one."""
        return not flags & ACK or context.peer_nonce is not None

    def init_on(self, flow: Flow, context: Context, sequence: int, length: int) -> Option | None:
        """REHASH-INIT on a segment that may have data, which is remembered."""
        if length and len(context.init_sequences) < 64:
            context.init_sequences.add(sequence)
        return self.init(flow, context)

    def address_on(self, flow: Flow, context: Context, sequence: int, length: int) -> Option | None:
        """REHASH-ADDR on a segment of the kernel."""
        return self.address(flow, context, context.exchange) if context.exchange is not None else None

    def carried_init(self, context: Context, sequence: int, length: int) -> bool:
        """Whether this is data that has been sent with REHASH-INIT before."""
        return any((one - sequence) % (1 << 32) < length for one in context.init_sequences)

    def must_reissue(self, flow: Flow, context: Context) -> bool:
        """Whether the peer of a connection that we opened gets another chance to answer REHASH-INIT."""
        waiting = context.is_active and context.peer_nonce is None and flow.tcp.state is State.ESTABLISHED
        return waiting and self.may_reissue(context)

    def may_reissue(self, context: Context) -> bool:
        return context.reissues > 0

    # Time --------------------------------------------------------------------------------------------------------

    def next_deadline(self) -> float | None:
        """When there will be something to do."""
        if not self.init_deadlines and not self.moving:
            return None
        contexts = [context for flow in self.moving if (context := context_of(flow)) is not None]
        moves = [context.exchange.last + RETRY_S for context in contexts if context.exchange is not None]
        return min([*self.init_deadlines.values(), *moves], default=None)

    def tick(self, now: float) -> None:
        """Answers that found no segment of the kernel, and retransmissions."""
        for flow, deadline in list(self.init_deadlines.items()):
            context = context_of(flow)
            if now >= deadline and context is not None:
                self.init_sent(flow, context)
                if flow.is_live and flow.parked_at is None:
                    self.mechanics.acknowledge(flow, self.init(flow, context))
        for flow in list(self.moving):
            context = context_of(flow)
            if context is None or context.exchange is None or not flow.is_live:
                self.moving.pop(flow, None)
            elif now >= context.exchange.last + RETRY_S:
                self.retransmit(flow, context, context.exchange, now)
