# SPDX-License-Identifier: GPL-2.0-or-later
"""Migrate-Permitted on SYN and SYN-ACK: which connections can migrate, and by which key and token."""

from collections.abc import Callable
from typing import Protocol

from reference.bump.flows import Flow
from reference.bump.ipv4 import Ipv4Network
from reference.bump.tcp import ACK, RST, SYN, State, maximum_segment_size
from reference.migrate.context import Context, Keys, Segment, SlowStart, context_of
from reference.migrate.option import (
    INSECURE,
    Migrate,
    Permitted,
    key_of,
    migrate_in,
    permitted_in,
    request,
    stamps_in,
    token,
)
from reference.migrate.settings import Settings
from reference.system.log import log


class Mechanics(Protocol):
    """What decisions are carried out with."""

    now: float

    def originate(self, flow: Flow, sequence: int, acknowledgement: int, flags: int, options: bytes = b"") -> None:
        """Send a segment of our own on a connection."""

    def refuse(self, segment: Segment) -> None:
        """Answer a segment with the reset of a connection that does not exist."""

    def acknowledge(self, flow: Flow) -> None:
        """Send an acknowledgement: sequence number, window and timestamps are the kernel's last."""

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Do something so many seconds from now."""

    def release(self, flow: Flow) -> None:
        """Send what was held, as far as the congestion window allows."""

    def tell_kernel(self, flow: Flow, flags: int) -> None:
        """Have the kernel believe that the peer has sent a segment with these flags alone."""

    def settled(self, flow: Flow) -> None:
        """Take all that the kernel has sent on a connection."""


class Negotiation:
    """What both ends of a connection say of migration while it opens."""

    role = "server"
    needs_stamps = True  # a key that finds no timestamps is not sent

    def __init__(
        self,
        network: Ipv4Network,
        settings: Settings,
        keys: Keys,
        slow_start: type[SlowStart],
        mechanics: Mechanics,
    ) -> None:
        self.network, self.flows, self.settings, self.keys = network, network.flows, settings, keys
        self.slow_start, self.mechanics = slow_start, mechanics
        self.segment_limit = 1460
        self.by_token: dict[bytes, Flow] = {}
        self.waiting: dict[Flow, None] = {}  # in MIGRATE-WAIT
        self.counters = dict.fromkeys(("migrateable", "migrated", "refused", "waits", "moves", "failed"), 0)

    # Options as they are read ------------------------------------------------------------------------------------

    def permitted(self, options: bytes) -> Permitted | None:
        """The Migrate-Permitted of a SYN or SYN-ACK."""
        return permitted_in(options, self.settings.permitted_kind)

    def migrate(self, segment: Segment) -> Migrate | None:
        """The Migrate of a segment; None where it means nothing."""
        if segment.flags & (SYN | ACK | RST) != SYN:
            return None
        return migrate_in(segment.options, self.settings.option_kind)

    # A connection that the peer opens ----------------------------------------------------------------------------

    def peer_opens(self, flow: Flow, segment: Segment) -> None:
        """A SYN: what the peer permits."""
        if flow.tcp.state not in (State.UNKNOWN, State.OPENING):
            return
        context = context_of(flow)
        if context is None:
            context = flow.contexts[Context] = self.new_context(False)
            context.ni = segment.sequence
            context.peer = self.permitted(segment.options)
            context.own = self.answer(context)
        context.segment_size = maximum_segment_size(segment.options)
        context.peer_window = segment.window

    def new_context(self, is_active: bool) -> Context:
        return Context(is_active)

    def answer(self, context: Context) -> Permitted | None:
        """The Migrate-Permitted of our SYN-ACK: of the length and the Curve ID of the SYN's, or none."""
        peer = context.peer
        if peer is None or not self.is_known(peer):
            return None
        if not peer.is_secure:
            context.key = key_of()
            return Permitted(INSECURE)
        context.private = self.keys.fresh()
        secret = self.keys.secret(context.private, peer.key_data)
        if secret is None:
            return None
        context.key = key_of(secret)
        return Permitted(peer.curve, self.keys.public(context.private))

    def is_known(self, permitted: Permitted) -> bool:
        """Whether it is a variant that this host has."""
        if permitted.is_secure:
            return self.settings.is_secure and permitted.curve == self.settings.curve
        return self.settings.is_insecure

    def answers(self, flow: Flow, context: Context, sequence: int) -> None:
        """The kernel sends its SYN-ACK."""
        context.opens(sequence)
        context.na = sequence
        if context.own is not None:
            self.becomes_migrateable(flow, context)

    # A connection that we open -----------------------------------------------------------------------------------

    def opens(self, flow: Flow, sequence: int) -> None:
        """The kernel sends its SYN, for the first time or again."""
        context = context_of(flow)
        if context is None or context.ni != sequence:
            context = flow.contexts[Context] = self.new_context(True)
            context.ni = sequence
            context.own = self.offer(context)
        context.opens(sequence)

    def offer(self, context: Context) -> Permitted | None:
        """The Migrate-Permitted of our SYN."""
        if not self.settings.offers_secure:
            return Permitted(INSECURE)
        context.private = self.keys.fresh()
        return Permitted(self.settings.curve, self.keys.public(context.private))

    def peer_answers(self, flow: Flow, context: Context, segment: Segment) -> bool:
        """A SYN-ACK: whether the connection opens; migrateable, or an ordinary one."""
        context.segment_size = maximum_segment_size(segment.options)
        context.peer_window = segment.window
        context.peer, context.na = self.permitted(segment.options), segment.sequence
        if context.own is None or context.peer is None:
            return True
        if not self.is_same_curve(context.own, context.peer):
            self.abort(flow, context, segment)
            return False
        secret = self.keys.secret(context.private, context.peer.key_data) if context.own.is_secure else b""
        if secret is not None:
            context.key = key_of(secret)
            self.becomes_migrateable(flow, context)
        return True

    def is_same_curve(self, own: Permitted, peer: Permitted) -> bool:
        return own.curve == peer.curve

    def abort(self, flow: Flow, context: Context, segment: Segment) -> None:
        """The peer answers with another curve: a reset, and no connection."""
        log(f"port {flow.local_port}: SYN-ACK with another curve, reset")
        self.mechanics.originate(flow, segment.acknowledgement, 0, RST)
        self.mechanics.tell_kernel(flow, RST | ACK)
        context.is_failed = True

    # Both --------------------------------------------------------------------------------------------------------

    def becomes_migrateable(self, flow: Flow, context: Context) -> None:
        """Both sides permit migration."""
        self.counters["migrateable"] += 1
        context.token = self.token(context)
        if len(self.by_token) > 2 * len(self.flows) + 64:
            self.by_token = {one: known for one, known in self.by_token.items() if known.kernel in self.flows.by_kernel}
        self.by_token[context.token] = flow

    def token(self, context: Context) -> bytes:
        """What names the connection."""
        return token(context.ni, context.na, context.key or b"")

    def request(self, context: Context, sequence: int, number: int) -> bytes:
        """What proves a migration."""
        return request(context.ni, context.na, context.key or b"", sequence, number)

    def is_migrateable(self, flow: Flow) -> bool:
        """From the end of the handshake until both sides are closed, where both permit it."""
        context = context_of(flow)
        return flow.tcp.state is State.ESTABLISHED and context is not None and context.key is not None

    def own_stamps(self, context: Context, stamps: bytes) -> bytes:
        """Timestamps of our SYN or SYN-ACK: the end of the key in place of the kernel's."""
        assert context.own is not None
        context.kernel_stamp, context.echo = stamps[:4], context.own.stamps[:4]
        return context.own.stamps

    def peer_stamps(self, context: Context, options: bytes) -> bytes | None:
        """Timestamps of the peer's SYN or SYN-ACK for the kernel: none that it could compare or measure with.

        None where the peer's own may stay. Linux takes a TSval of 0 for one that says nothing.
        """
        stamps = stamps_in(options)
        if context.peer is None or not context.peer.is_secure or context.own is None or stamps is None:
            return None
        context.peer_stamp = stamps[:4]
        return bytes(8)

    def begin_slow_start(self, context: Context) -> None:
        """The connection continues on a path of which nothing is known."""
        if context.slow_start is None:
            context.slow_start = self.slow_start(context.acknowledged, min(context.segment_size, self.segment_limit))
        else:
            context.slow_start.restart()
