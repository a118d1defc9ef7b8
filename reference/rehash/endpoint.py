# SPDX-License-Identifier: GPL-2.0-or-later
"""What both directions of TCP Rehash share: the option as it is read and written, and REHASH-INIT that is pending."""

from typing import Protocol

from reference.bump.flows import Flow
from reference.bump.ipv4 import Ipv4Network
from reference.bump.tcp import State, split
from reference.rehash.context import Context, Exchange, Nonces, context_of
from reference.rehash.option import ADDR, INIT, LENGTH, Option, unpack, with_option
from reference.rehash.settings import Settings
from reference.rehash.slow_start import SlowStart

#: Seconds that the kernel has for a segment on which REHASH-INIT can travel.
ANSWER_S = 0.005


class Mechanics(Protocol):
    """What decisions are carried out with."""

    def acknowledge(self, flow: Flow, option: Option | None) -> None:
        """Send a duplicate ACK."""

    def transmit(self, flow: Flow, packet: bytes) -> None:
        """Send a segment of the kernel that was held."""

    def tell_kernel(self, flow: Flow, flags: int) -> None:
        """Have the kernel believe that the peer has sent a segment with these flags alone."""

    def originate(self, source: int, destination: int, segment: bytearray) -> None:
        """Send any segment, its checksum left to be filled in."""


class Endpoint:
    """A host that speaks TCP Rehash."""

    role = "host"

    def __init__(
        self,
        network: Ipv4Network,
        settings: Settings,
        nonces: Nonces,
        slow_start: type[SlowStart],
        mechanics: Mechanics,
    ) -> None:
        self.network, self.flows, self.settings = network, network.flows, settings
        self.nonces, self.slow_start, self.mechanics = nonces, slow_start, mechanics
        self.segment_limit = 1444
        self.left: set[int] = set()  # own addresses of the past
        self.init_deadlines: dict[Flow, float] = {}  # REHASH-INIT, and when it goes out at the latest
        self.moving: dict[Flow, None] = {}
        self.counters = dict.fromkeys(
            ("init_received", "addr_served", "addr_dropped", "moves", "acknowledged", "failed"), 0
        )

    # The option --------------------------------------------------------------------------------------------------

    def read(self, options: bytes) -> Option | None:
        """The Rehash option among the options of a segment."""
        for kind, whole in split(options):
            if kind == self.settings.option_kind and self.is_length_right(len(whole)):
                option = self.understood(unpack(whole))
                if option is not None:
                    return option
        return None

    def is_length_right(self, length: int) -> bool:
        return length == LENGTH

    def understood(self, option: Option) -> Option | None:
        """An option as it is taken; None when it is ignored."""
        return option if option.control in (INIT, ADDR) else None

    def init(self, flow: Flow, context: Context) -> Option:
        """REHASH-INIT as it stands on a connection at this moment."""
        context.is_init_sent = True
        return Option(INIT, context.own_nonce, 0, self.network.own)

    def address(self, flow: Flow, context: Context, exchange: Exchange) -> Option:
        """REHASH-ADDR as it stands on a connection at this moment."""
        return Option(ADDR, context.peer_nonce or 0, exchange.old, self.network.own)

    def encode(self, option: Option) -> bytes:
        return option.pack(self.settings.option_kind)

    def insert(self, options: bytes, option: bytes) -> bytes | None:
        """The options of a segment of the kernel with one more; None when it cannot be."""
        return with_option(options, option)

    # Both directions ---------------------------------------------------------------------------------------------

    def is_rehashable(self, flow: Flow) -> bool:
        """From the end of the handshake until both sides are closed, the init exchange completed."""
        context = context_of(flow)
        return flow.tcp.state is State.ESTABLISHED and context is not None and context.init_completed

    def schedule_init(self, flow: Flow, context: Context, now: float, kernel_answers: bool) -> None:
        """REHASH-INIT goes out with the kernel's next segment, or in a duplicate ACK when there is none at once."""
        context.init_pending = True
        self.init_deadlines[flow] = now + (ANSWER_S if kernel_answers else 0.0)

    def init_sent(self, flow: Flow, context: Context) -> None:
        """The pending REHASH-INIT goes out."""
        context.init_pending = False
        self.init_deadlines.pop(flow, None)

    def begin_slow_start(self, context: Context) -> None:
        """The connection continues on a path of which nothing is known."""
        if context.slow_start is None:
            context.slow_start = self.slow_start(context.acknowledged, min(context.segment_size, self.segment_limit))
        else:
            context.slow_start.restart()
