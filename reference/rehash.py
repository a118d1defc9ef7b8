# SPDX-License-Identifier: GPL-2.0-or-later
"""The TCP Rehash host: every decision of draft-mongazon-tcpm-tcp-rehash-00; `rehash_datapath` carries them out.

Readings, where the draft is silent:
- a REHASH-ADDR moves on the word of its nonce alone, whatever ordinary TCP then thinks of the segment; on a SYN or a
  reset it moves nothing; a segment whose own tuple is a connection can repeat a move but not begin one;
- a move to a tuple that another connection has, or to an address that is none of a peer, is no move: the segment is
  dropped, or is one of no connection;
- of several Rehash options in a segment the first sound one counts;
- a REHASH-INIT with another nonce than the connection's first is no REHASH-INIT;
- a first REHASH-INIT after the handshake is always answered, repeats a few times;
- connections without a completed exchange stay with the address that was left, unheard and unable to speak, until they
  time out or the host returns to it; half-open ones too, but for a SYN that has no answer yet: it is sent from the new;
- segments with REHASH-ADDR count whoever makes them; the last two are kept for repeats, so that a burst of data does
  not use them up, and what the kernel sends in excess is lost;
- a host that moves on before an answer names the address that the peer had acknowledged, and in repeats by turns those
  used since: the peer may have served one of them. A reset by a peer that did not know one is no reset.
Every choice a host could get wrong is a method of its own.
"""

from typing import Protocol

from reference.carriage_ipv4 import Ipv4Carriage
from reference.flows import Flow
from reference.log import log
from reference.rehash_context import Context, Exchange, Nonces, Segment
from reference.rehash_option import ADDR, INIT, LENGTH, Option, split, unpack
from reference.rehash_settings import RehashSettings
from reference.slow_start import SlowStart
from reference.tcp import ACK, RST, SYN, State

#: Seconds between two segments with REHASH-ADDR when there is nothing else to send.
RETRY_S = 0.4
#: Seconds that the kernel has for a segment on which REHASH-INIT can travel.
ANSWER_S = 0.005
_KEPT_FOR_REPEATS = 2


class Mechanics(Protocol):
    """What decisions are carried out with."""

    def acknowledge(self, flow: Flow, option: Option | None) -> None:
        """Send a duplicate ACK."""

    def transmit(self, flow: Flow, packet: bytes) -> None:
        """Send a segment of the kernel that was held."""

    def reset_kernel(self, flow: Flow) -> None:
        """Have the kernel believe that the peer has reset the connection."""

    def send(self, source: int, destination: int, segment: bytes) -> None:
        """Send any segment."""


class Rehash:
    """Both directions of the protocol, for all connections of a host."""

    def __init__(
        self,
        carriage: Ipv4Carriage,
        settings: RehashSettings,
        nonces: Nonces,
        slow_start: type[SlowStart],
        mechanics: Mechanics,
    ) -> None:
        self.carriage, self.flows, self.settings = carriage, carriage.flows, settings
        self.nonces, self.slow_start, self.mechanics = nonces, slow_start, mechanics
        self.segment_limit = 1444
        self.left: set[int] = set()  # own addresses of the past
        self._owing: dict[Flow, float] = {}
        self._moving: dict[Flow, None] = {}
        self.counters = {
            "init_received": 0,
            "addr_served": 0,
            "addr_dropped": 0,
            "moves": 0,
            "acknowledged": 0,
            "failed": 0,
        }

    # Options -----------------------------------------------------------------------------------------------------

    def read(self, options: bytes) -> Option | None:
        """The Rehash option among the options of a segment."""
        for kind, whole in split(options):
            if kind == self.settings.option_kind and self.is_length_right(len(whole)):
                option = unpack(whole)
                if self.is_control_known(option.control):
                    return option
        return None

    def is_length_right(self, length: int) -> bool:
        return length == LENGTH

    def is_control_known(self, control: int) -> bool:
        return control in (INIT, ADDR)

    def init(self, flow: Flow, context: Context) -> Option:
        """REHASH-INIT as it stands on a connection at this moment."""
        context.is_init_sent = True
        return Option(INIT, context.own_nonce, 0, self.carriage.own)

    def address(self, flow: Flow, context: Context, exchange: Exchange) -> Option:
        """REHASH-ADDR as it stands on a connection at this moment."""
        return Option(ADDR, context.peer_nonce or 0, exchange.old, self.carriage.own)

    def encode(self, option: Option) -> bytes:
        return option.pack(self.settings.option_kind)

    # Segments from the peer --------------------------------------------------------------------------------------

    def incoming(self, segment: Segment, now: float) -> Flow | None:
        """The connection that a segment is for, None when it is to be dropped."""
        option, flow = segment.option, None
        served = False
        if option is not None and option.control == ADDR and self.can_carry_address(segment.flags):
            flow, served, dropped = self.address_received(segment, option)
            if dropped:
                self.counters["addr_dropped"] += 1
                return None
        if flow is None:
            flow = self.flows.inbound(segment.address, segment.port, segment.local_port, segment.flags, now)
        if flow is None:
            return None
        if segment.flags & SYN:
            self._peer_opens(flow, segment)
        context = flow.rehash
        if context is not None and context.is_failed:
            return None
        if context is not None and segment.flags & RST and not self.is_reset_believed(flow, context):
            self._repeat(flow, context, now)
            return None
        if context is not None and served:
            self.owe_init(flow, context, now, segment.length)
        return flow

    def accounted(self, flow: Flow, segment: Segment, now: float) -> None:
        """The TCP state is what a segment has made it: acknowledgement and REHASH-INIT come into effect."""
        context, option = flow.rehash, segment.option
        if context is None or segment.flags & (SYN | RST) or not segment.flags & ACK:
            return
        context.is_acknowledged(segment.acknowledgement)
        if option is not None and option.control == INIT and flow.tcp.state is State.ESTABLISHED:
            self.counters["init_received"] += 1
            self.init_received(flow, context, option, now, segment.length)
        if flow in self._owing and option is not None and option.control == ADDR and context.slow_start is not None:
            context.slow_start.restart()
        if context.slow_start is not None and context.exchange is None:
            self._release(flow, context.slow_start)

    def _release(self, flow: Flow, slow_start: SlowStart) -> None:
        while (packet := slow_start.release()) is not None:
            self.mechanics.transmit(flow, packet)
        if slow_start.is_over and flow.rehash is not None:
            flow.rehash.slow_start = None

    def _peer_opens(self, flow: Flow, segment: Segment) -> None:
        """A SYN or SYN-ACK: the nonce in it is the peer's."""
        option = segment.option
        nonce = option.nonce if option is not None and option.control == INIT else None
        state = flow.tcp.state
        if not segment.flags & ACK and state in (State.UNKNOWN, State.OPENING):
            if flow.rehash is None or state is State.UNKNOWN:
                flow.rehash = Context(self.nonces.fresh(), self.carriage.own, False, self.settings.init_reissues)
            flow.rehash.peer_nonce = nonce
        elif state is State.SYN_SENT and flow.rehash is not None and nonce is not None:
            flow.rehash.peer_nonce = nonce

    def init_received(self, flow: Flow, context: Context, option: Option, now: float, length: int) -> None:
        """REHASH-INIT on an established connection."""
        if context.peer_nonce is None:
            context.peer_nonce = option.nonce
            self.owe_init(flow, context, now, length)
        elif option.nonce != context.peer_nonce:
            return
        elif context.exchange is not None:
            self.finish(flow, context)
        elif context.repeats > 0:
            context.repeats -= 1
            self.owe_init(flow, context, now, length)

    def owe_init(self, flow: Flow, context: Context, now: float, length: int) -> None:
        """REHASH-INIT goes out with the next segment: the kernel's, or a duplicate ACK if there is none at once."""
        context.owes_init = True
        self._owing[flow] = now + (ANSWER_S if length else 0.0)

    # The peer moves ----------------------------------------------------------------------------------------------

    def can_carry_address(self, flags: int) -> bool:
        return not flags & (SYN | RST)

    def address_received(self, segment: Segment, option: Option) -> tuple[Flow | None, bool, bool]:
        """REHASH-ADDR: the connection it moved or had moved, whether it was served, whether to drop the segment."""
        occupant = self.flows.occupant(segment.address, segment.port, segment.local_port)
        if occupant is not None:
            context = occupant.rehash
            if context is None or not context.is_marked:
                return None, False, False
            if not self.is_nonce_right(context, option):
                return None, False, True
            return occupant, option.new == occupant.wire_address, False
        flow = self.find(option, segment)
        if flow is None or flow.rehash is None:
            return None, False, False
        if not self.is_nonce_right(flow.rehash, option):
            return None, False, True
        if not self.carriage.is_peer(option.new):
            return None, False, False
        if self.is_in_use(flow, option.new):
            return None, False, True
        self.peer_moved(flow, flow.rehash, option.new)
        return flow, True, False

    def find(self, option: Option, segment: Segment) -> Flow | None:
        """The connection that the Old address and the ports name."""
        flow = self.flows.by_wire.get((option.old, segment.port, segment.local_port))
        return flow if flow is not None and self.is_rehashable(flow) else None

    def is_rehashable(self, flow: Flow) -> bool:
        """From the end of the handshake until both sides are closed, the init exchange completed."""
        return flow.tcp.state is State.ESTABLISHED and flow.rehash is not None and flow.rehash.is_marked

    def is_nonce_right(self, context: Context, option: Option) -> bool:
        return option.nonce == context.own_nonce

    def is_in_use(self, flow: Flow, address: int) -> bool:
        occupant = self.flows.occupant(address, flow.wire_port, flow.local_port)
        return occupant is not None and occupant is not flow

    def peer_moved(self, flow: Flow, context: Context, address: int) -> None:
        """Rehash."""
        log(f"port {flow.local_port}: {self.carriage.text(flow.wire_address)} is {self.carriage.text(address)} now")
        self.counters["addr_served"] += 1
        self.flows.rebind(flow, address, flow.wire_port)
        self.begin_slow_start(context)

    def begin_slow_start(self, context: Context) -> None:
        if context.slow_start is None:
            context.slow_start = self.slow_start(context.acknowledged, min(context.segment_size, self.segment_limit))
        else:
            context.slow_start.restart()

    # We move -----------------------------------------------------------------------------------------------------

    def move(self, address: int, now: float) -> None:
        """The host has another address on the wire from now on."""
        old, carriage = self.carriage.own, self.carriage
        carriage.own = address
        self.left.add(old)
        self.left.discard(address)
        self.flows.change_own(carriage.kernel_own - address)
        self.counters["moves"] += 1
        for flow in list(self.flows.by_kernel.values()):
            if flow.parked_at is not None:
                if flow.parked_at == address:
                    self.flows.unpark(flow)
            elif flow.rehash is not None and self.is_movable(flow):
                self.begin_move(flow, flow.rehash, address, now)
            elif flow.tcp.state is State.SYN_SENT and flow.rehash is not None:
                flow.rehash.addresses = [address]
            elif flow.is_live or flow.tcp.state is State.TIME_WAIT:
                self.flows.park(flow, old)
            else:
                self.flows.free(flow)

    def is_movable(self, flow: Flow) -> bool:
        return self.is_rehashable(flow)

    def begin_move(self, flow: Flow, context: Context, address: int, now: float) -> None:
        """Announce the new address of one connection."""
        olds = [one for one in context.addresses if one != address]
        if address in context.addresses:
            olds.append(address)
        else:
            context.addresses.append(address)
        context.exchange = exchange = Exchange(olds, now)
        context.repeats = 0
        self._moving[flow] = None
        self.begin_slow_start(context)
        self.announce(flow, context, exchange, now)

    def announce(self, flow: Flow, context: Context, exchange: Exchange, now: float) -> None:
        """The first segment from the new address."""
        self._send_address(flow, context, exchange, now)

    def _send_address(self, flow: Flow, context: Context, exchange: Exchange, now: float) -> None:
        exchange.sent += 1
        exchange.last = now
        self.mechanics.acknowledge(flow, self.address(flow, context, exchange))

    def may_carry(self, exchange: Exchange, now: float) -> bool:
        """Whether a segment of the kernel may go out with REHASH-ADDR now."""
        if not self.settings.max_retries:
            return True
        left = self.settings.max_retries - exchange.sent
        return left > _KEPT_FOR_REPEATS or (left > 0 and now - exchange.last >= RETRY_S / 2)

    def _repeat(self, flow: Flow, context: Context, now: float) -> None:
        """No answer: REHASH-ADDR again, or the end."""
        exchange = context.exchange
        if exchange is None:
            return
        if self.is_exhausted(exchange):
            self.fail(flow, context)
            return
        exchange.turn += 1
        self._send_address(flow, context, exchange, now)

    def is_exhausted(self, exchange: Exchange) -> bool:
        return 0 < self.settings.max_retries <= exchange.sent

    def finish(self, flow: Flow, context: Context) -> None:
        """The peer has acknowledged the move."""
        self.counters["acknowledged"] += 1
        context.exchange = None
        context.addresses = [self.carriage.own]
        self._moving.pop(flow, None)
        if context.slow_start is not None:
            context.slow_start.restart()

    def fail(self, flow: Flow, context: Context) -> None:
        """The rehash has failed: the connection is closed locally."""
        log(f"port {flow.local_port}: no answer to REHASH-ADDR from {self.carriage.text(flow.wire_address)}, closed")
        self.counters["failed"] += 1
        context.is_failed = True
        self._moving.pop(flow, None)
        self.mechanics.reset_kernel(flow)
        flow.tcp.state = State.CLOSED

    def is_reset_believed(self, flow: Flow, context: Context) -> bool:
        """A peer that does not know one of several possible Old addresses resets, and may know the next one."""
        return context.exchange is None or len(context.exchange.olds) == 1

    def in_flight(self, packet: bytes) -> None:
        """A packet to an address that was left: dropped in silence."""

    # Segments from the kernel ------------------------------------------------------------------------------------

    def kernel_opens(self, flow: Flow, is_answer: bool, sequence: int, is_again: bool) -> None:
        """The kernel sends a SYN (again) or a SYN-ACK."""
        if not is_answer and not is_again:
            flow.rehash = Context(self.nonces.fresh(), self.carriage.own, True, self.settings.init_reissues)
        if flow.rehash is not None:
            flow.rehash.opens(sequence)

    def outgoing(
        self, flow: Flow, context: Context, sequence: int, flags: int, length: int, now: float
    ) -> tuple[bool, Option | None]:
        """Whether a segment of the kernel goes out now, and with which option."""
        if flags & RST:
            return True, None
        if flags & SYN:
            return True, self.init(flow, context) if self.opens_with_init(context, flags) else None
        if context.owes_init:
            self.paid(flow, context)
            return True, self._init_on(flow, context, sequence, length)
        if context.exchange is not None:
            if not self.may_carry(context.exchange, now):
                return False, None
            context.exchange.sent += 1
            context.exchange.last = now
            return True, self.address(flow, context, context.exchange)
        if context.init_sequences and self.carried_init(context, sequence, length):
            return True, self.init(flow, context)
        if self.must_reissue(flow, context):
            context.reissues -= 1
            return True, self._init_on(flow, context, sequence, length)
        return True, None

    def opens_with_init(self, context: Context, flags: int) -> bool:
        """On every SYN; on a SYN-ACK when the SYN had one."""
        return not flags & ACK or context.peer_nonce is not None

    def _init_on(self, flow: Flow, context: Context, sequence: int, length: int) -> Option:
        if length and len(context.init_sequences) < 64:
            context.init_sequences.add(sequence)
        return self.init(flow, context)

    def carried_init(self, context: Context, sequence: int, length: int) -> bool:
        """Whether this is data that has been sent with REHASH-INIT before."""
        return any((one - sequence) % (1 << 32) < length for one in context.init_sequences)

    def must_reissue(self, flow: Flow, context: Context) -> bool:
        """Whether the peer of a connection that we opened gets another chance to answer REHASH-INIT."""
        waiting = context.is_active and context.peer_nonce is None and flow.tcp.state is State.ESTABLISHED
        return waiting and context.reissues > 0

    def paid(self, flow: Flow, context: Context) -> None:
        context.owes_init = False
        self._owing.pop(flow, None)

    # Time --------------------------------------------------------------------------------------------------------

    def next_deadline(self) -> float | None:
        """When there will be something to do."""
        moving = [flow.rehash.exchange.last + RETRY_S for flow in self._moving if flow.rehash and flow.rehash.exchange]
        return min([*self._owing.values(), *moving], default=None)

    def tick(self, now: float) -> None:
        """Answers that found no segment of the kernel, and repeats."""
        for flow, deadline in list(self._owing.items()):
            if now >= deadline and flow.rehash is not None:
                self.paid(flow, flow.rehash)
                if flow.is_live and flow.parked_at is None:
                    self.mechanics.acknowledge(flow, self.init(flow, flow.rehash))
        for flow in list(self._moving):
            context = flow.rehash
            if context is None or context.exchange is None or not flow.is_live:
                self._moving.pop(flow, None)
            elif now >= context.exchange.last + RETRY_S:
                self._repeat(flow, context, now)
