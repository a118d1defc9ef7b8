# SPDX-License-Identifier: GPL-2.0-or-later
"""The fixed host: Migrate SYNs received, and MIGRATE-WAIT (draft-snoeren-tcp-migrate-00).

Readings, where the draft is silent:
- a first ReqNo may be any; later ones are larger or not as sequence numbers are, modulo 128;
- a Migrate SYN whose ReqNo is not larger is dropped; the one that was served last, from the same tuple, has its SYN-ACK
  repeated, as it has on a timer while nothing acknowledges it;
- until then the connection sends nothing: what the kernel sends is held, and goes out in order in slow start;
- a Migrate SYN to the tuple of another live connection is dropped; one to the connection's own tuple is served, for a
  peer may come back to where it was; one to another port of ours than the connection's names none;
- in MIGRATE-WAIT the kernel gets whatever the peer sends but resets, and what it sends is held;
- a reset counts where the kernel would believe it (RFC 5961): its number is RCV.NXT. Others are the kernel's.
Every choice a host could get wrong is a method of its own.
"""

from reference.bump.flows import Flow
from reference.bump.tcp import ACK, FIN, RST, SYN, State
from reference.migrate.context import Context, Segment, context_of
from reference.migrate.negotiation import Negotiation
from reference.migrate.option import REQNO_SPACE, Migrate
from reference.system.log import log

SYN_ACK_AGAIN_S = 1.0
MOST_SYN_ACKS = 5


class FixedHost(Negotiation):
    """What becomes of the connections of a host whose peers move."""

    # Migrate SYNs ------------------------------------------------------------------------------------------------

    def migrate_received(self, segment: Segment, option: Migrate) -> None:
        """A SYN with the Migrate option."""
        flow = self.find(option, segment)
        context = None if flow is None else context_of(flow)
        if flow is None or context is None:
            self.refuse(segment)
            return
        if not self.is_larger(option, context):
            self.duplicate(flow, context, segment, option)
            return
        if not self.is_request_right(context, segment, option):
            self.wrong_request(flow, context, segment, option)
            return
        if self.is_in_use(flow, segment):
            return
        context.peer_reqno = option.reqno
        self.peer_moved(flow, context, segment)

    def find(self, option: Migrate, segment: Segment) -> Flow | None:
        """The connection that a Token names."""
        flow = self.by_token.get(option.token)
        if flow is None or self.flows.by_kernel.get(flow.kernel) is not flow or not self.is_migrateable(flow):
            return None
        return flow if self.is_port_right(flow, segment) else None

    def is_port_right(self, flow: Flow, segment: Segment) -> bool:
        return flow.own_port == segment.local_port

    def is_larger(self, option: Migrate, context: Context) -> bool:
        """Whether a ReqNo is larger than the last one served."""
        return context.peer_reqno is None or self.is_after(option.reqno, context.peer_reqno)

    def is_after(self, reqno: int, last: int) -> bool:
        return 0 < (reqno - last) % REQNO_SPACE < REQNO_SPACE // 2

    def duplicate(self, flow: Flow, context: Context, segment: Segment, option: Migrate) -> None:
        """A ReqNo that is not larger."""
        if option.reqno == context.peer_reqno and flow.wire == segment.tuple and context.awaits_ack:
            self.send_syn_ack(flow, context)

    def is_request_right(self, context: Context, segment: Segment, option: Migrate) -> bool:
        return option.request == self.request(context, segment.sequence, option.number)

    def wrong_request(self, flow: Flow, context: Context, segment: Segment, option: Migrate) -> None:
        """The Token is right, and the Request is not."""
        self.refuse(segment)

    def refuse(self, segment: Segment) -> None:
        self.counters["refused"] += 1
        self.mechanics.refuse(segment)

    def is_in_use(self, flow: Flow, segment: Segment) -> bool:
        occupant = self.flows.occupant(*segment.tuple)
        return occupant is not None and occupant is not flow

    def peer_moved(self, flow: Flow, context: Context, segment: Segment) -> None:
        """Migrate: the connection continues where the SYN is from."""
        log(f"port {flow.local_port}: the peer is {self.network.text(segment.address)}:{segment.port} now")
        self.counters["migrated"] += 1
        self.mechanics.settled(flow)
        self.flows.place(flow, segment.address, segment.port, segment.local_port)
        self.resume(flow, context)
        context.awaits_ack, context.syn_acks = True, 0
        self.receiver_slow_start(context)
        self.send_syn_ack(flow, context)

    def receiver_slow_start(self, context: Context) -> None:
        """The path to the peer is a new one."""
        self.begin_slow_start(context)

    def send_syn_ack(self, flow: Flow, context: Context) -> None:
        """SYN-ACK: the last byte that was acknowledged, and an acknowledgement of the peer's last."""
        context.syn_acks += 1
        sequence, acknowledgement = self.syn_ack_numbers(flow, context)
        self.mechanics.originate(flow, sequence, acknowledgement, SYN | ACK, self.syn_ack_options(context))

    def syn_ack_numbers(self, flow: Flow, context: Context) -> tuple[int, int]:
        return (context.acknowledged - 1) & 0xFFFFFFFF, flow.tcp.rcv_nxt

    def syn_ack_options(self, context: Context) -> bytes:
        return b""

    def syn_ack_due(self, flow: Flow, number: int) -> None:
        """The time of an unanswered SYN-ACK is over."""
        context = context_of(flow)
        if context is not None and context.awaits_ack and number <= context.syn_acks < MOST_SYN_ACKS:
            self.send_syn_ack(flow, context)

    def acknowledged(self, flow: Flow, context: Context) -> None:
        """The SYN-ACK of a migration is acknowledged: the connection continues."""
        context.awaits_ack = False
        self.mechanics.release(flow)

    # Resets, MIGRATE-WAIT ----------------------------------------------------------------------------------------

    def reset_received(self, flow: Flow, context: Context | None, segment: Segment) -> bool:
        """Whether a reset goes to the kernel."""
        if context is None or not self.is_migrateable(flow):
            return True
        if context.wait_until is not None:
            return self.reset_while_waiting(flow, context)
        if segment.sequence != flow.tcp.rcv_nxt:
            return True
        self.wait(flow, context)
        return False

    def reset_while_waiting(self, flow: Flow, context: Context) -> bool:
        """Whether a reset in MIGRATE-WAIT goes to the kernel."""
        return False

    def wait(self, flow: Flow, context: Context) -> None:
        """Enter MIGRATE-WAIT."""
        log(f"port {flow.local_port}: reset from {self.network.text(flow.wire_address)}, MIGRATE-WAIT")
        self.counters["waits"] += 1
        context.awaits_ack = False
        context.wait_until = self.mechanics.now + self.wait_s()
        self.waiting[flow] = None

    def resume(self, flow: Flow, context: Context) -> None:
        """Leave MIGRATE-WAIT, if that is where the connection is."""
        context.wait_until = None
        self.waiting.pop(flow, None)

    def wait_s(self) -> float:
        return self.settings.wait_s

    def may_send(self, context: Context, length: int) -> bool:
        """Whether what the kernel sends goes out."""
        return not context.is_silent

    def wait_is_over(self, flow: Flow, context: Context) -> None:
        """Nobody has come: the connection is closed."""
        log(f"port {flow.local_port}: nobody has come, closed")
        self.close(flow, context)

    def close(self, flow: Flow, context: Context) -> None:
        """End a connection for the kernel, and say nothing to anybody else."""
        self.counters["failed"] += 1
        context.is_failed = True
        context.exchange = context.slow_start = None
        self.resume(flow, context)
        self.by_token.pop(context.token, None)
        self.mechanics.tell_kernel(flow, RST)
        flow.tcp.state = State.CLOSED

    # Segments from the peer --------------------------------------------------------------------------------------

    def incoming(self, segment: Segment, now: float) -> Flow | None:
        """The connection that a segment is for, None when the kernel does not get it."""
        option = self.migrate(segment)
        if option is not None:
            self.migrate_received(segment, option)
            return None
        flow = self.flows.inbound(segment.address, segment.port, segment.local_port, segment.flags, now)
        if flow is None:
            return None
        if segment.flags & (SYN | ACK) == SYN:
            self.peer_opens(flow, segment)
        context = context_of(flow)
        if context is not None and context.is_failed:
            return None
        if segment.flags & RST:
            return flow if self.reset_received(flow, context, segment) else None
        is_answer = segment.flags & SYN and segment.flags & ACK and context is not None
        if is_answer and flow.tcp.state is State.SYN_SENT and context is not None:
            return flow if self.peer_answers(flow, context, segment) else None
        return flow

    def accounted(self, flow: Flow, segment: Segment) -> None:
        """The TCP state is what a segment has made it: its acknowledgement comes into effect."""
        context = context_of(flow)
        if context is None or segment.flags & (SYN | RST) or not segment.flags & ACK:
            return
        context.peer_window = segment.window
        context.ack_received(segment.acknowledgement, not segment.length and not segment.flags & FIN)
        if context.awaits_ack:
            self.acknowledged(flow, context)
        elif context.slow_start is not None and not context.is_silent:
            self.mechanics.release(flow)

    # Time --------------------------------------------------------------------------------------------------------

    def next_deadline(self) -> float | None:
        """When there will be something to do."""
        contexts = [context for flow in self.waiting if (context := context_of(flow)) is not None]
        return min((one.wait_until for one in contexts if one.wait_until is not None), default=None)

    def tick(self, now: float) -> None:
        """MIGRATE-WAIT ends."""
        for flow in list(self.waiting):
            context = context_of(flow)
            if context is None or context.wait_until is None or not flow.is_live:
                self.waiting.pop(flow, None)
            elif now >= context.wait_until:
                self.wait_is_over(flow, context)
