# SPDX-License-Identifier: GPL-2.0-or-later
"""The host whose peer moves: REHASH-ADDR received (section 6.2)."""

from enum import Enum

from reference.bump.flows import Flow
from reference.bump.tcp import RST, SYN
from reference.rehash.context import Context, Segment, context_of
from reference.rehash.endpoint import Endpoint
from reference.rehash.option import Option
from reference.system.log import log


class Verdict(Enum):
    """What becomes of a segment with REHASH-ADDR."""

    ORDINARY = "the option means nothing"
    SERVED = "the connection is where the option says, and REHASH-INIT goes back"
    DROPPED = "nothing happens at all"


class AddrReceiver(Endpoint):
    """Moves that peers announce."""

    def can_carry_address(self, flags: int) -> bool:
        return not flags & (SYN | RST)

    def address_received(self, segment: Segment, option: Option) -> tuple[Verdict, Flow | None]:
        """REHASH-ADDR: what becomes of its segment, and the connection that it is for if it has moved just now."""
        occupant = self.flows.occupant(segment.address, segment.port, segment.local_port)
        if occupant is not None:
            return self.address_retransmitted(occupant, option), None
        flow = self.find(option, segment)
        context = None if flow is None else context_of(flow)
        if flow is None or context is None:
            return Verdict.ORDINARY, None
        if not self.is_nonce_right(context, option):
            return self.wrong_nonce(flow, segment)
        if not self.network.is_peer(option.new):
            return Verdict.ORDINARY, None
        if self.is_in_use(flow, option.new):
            return Verdict.DROPPED, None
        self.peer_moved(flow, context, option.new)
        return Verdict.SERVED, flow

    def address_retransmitted(self, flow: Flow, option: Option) -> Verdict:
        """REHASH-ADDR from a tuple that is a connection: its REHASH-INIT was lost, or it is not meant for it."""
        context = context_of(flow)
        if context is None or not context.init_completed:
            return Verdict.ORDINARY
        if not self.is_nonce_right(context, option):
            return Verdict.DROPPED
        return Verdict.SERVED if option.new == flow.wire_address else Verdict.ORDINARY

    def find(self, option: Option, segment: Segment) -> Flow | None:
        """The connection that the Old address and the ports name."""
        flow = self.flows.by_wire.get((option.old, segment.port, segment.local_port))
        return flow if flow is not None and self.is_rehashable(flow) else None

    def is_nonce_right(self, context: Context, option: Option) -> bool:
        return option.nonce == context.own_nonce

    def wrong_nonce(self, flow: Flow, segment: Segment) -> tuple[Verdict, Flow | None]:
        """Somebody who does not know the nonce names a connection."""
        return Verdict.DROPPED, None

    def is_in_use(self, flow: Flow, address: int) -> bool:
        occupant = self.flows.occupant(address, flow.wire_port, flow.local_port)
        return occupant is not None and occupant is not flow

    def peer_moved(self, flow: Flow, context: Context, address: int) -> None:
        """Rehash: the connection continues at the new address."""
        log(f"port {flow.local_port}: {self.network.text(flow.wire_address)} is {self.network.text(address)} now")
        self.counters["addr_served"] += 1
        self.flows.rebind(flow, address, flow.wire_port)
        self.receiver_slow_start(context)

    def receiver_slow_start(self, context: Context) -> None:
        """The path to the peer is a new one for this end too."""
        self.begin_slow_start(context)
