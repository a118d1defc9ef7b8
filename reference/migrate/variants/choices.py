# SPDX-License-Identifier: GPL-2.0-or-later
"""Variants of what the draft leaves open: variants of keys, answers to duplicates, numbers, ports and times."""

from reference.bump.flows import Flow
from reference.bump.tcp import ACK, FIN, RST, SYN, State, split
from reference.migrate.context import Context, Exchange, Segment, context_of
from reference.migrate.host import FixedHost
from reference.migrate.migrating_host import MigratingHost
from reference.migrate.option import REQNO_SPACE, Migrate, Permitted
from reference.system.alterations import variant

FIRST_PORT = 61000


@variant(
    "migrate-offers-no-key",
    "permitted",
    "Which variant a SYN offers is the host's choice.",
    "it is what the configuration says: the insecure one",
)
class OffersNoKey(FixedHost):
    pass


@variant(
    "migrate-syn-ack-number-is-the-next-one",
    "processing",
    "A host may take SND.UNA, the number that is acknowledged last, for that of the byte that is.",
    "its SYN-ACK has that number",
)
class SynAckNumberIsTheNextOne(FixedHost):
    def syn_ack_numbers(self, flow: Flow, context: Context) -> tuple[int, int]:
        return context.acknowledged, super().syn_ack_numbers(flow, context)[1]


@variant(
    "migrate-syn-number-is-the-next-one",
    "requesting",
    "A host may take SND.UNA, the number that is acknowledged last, for that of the byte that is.",
    "its Migrate SYN has that number",
)
class SynNumberIsTheNextOne(MigratingHost):
    def syn_number(self, context: Context) -> int:
        return context.acknowledged


@variant(
    "migrate-token-of-the-host",
    "2",
    "The draft does not say where a Token is looked up.",
    "among all connections of the host: a Migrate SYN to another port moves the connection there",
)
class TokenOfTheHost(FixedHost):
    def is_port_right(self, flow: Flow, segment: Segment) -> bool:
        return True


@variant(
    "migrate-unknown-curve-reset",
    "exchange",
    "A SYN with Migrate-Permitted may be answered by a reset.",
    "one whose key is not usable is",
)
class UnknownCurveReset(FixedHost):
    def incoming(self, segment: Segment, now: float) -> Flow | None:
        peer = self.permitted(segment.options) if segment.flags & (SYN | ACK | RST) == SYN else None
        if peer is not None and (not self.is_known(peer) or not self._is_usable(peer)):
            self.refuse(segment)
            return None
        return super().incoming(segment, now)

    def _is_usable(self, peer: Permitted) -> bool:
        return not peer.is_secure or self.keys.secret(1, peer.key_data) is not None


@variant(
    "migrate-duplicates-answered",
    "3",
    "A Migrate SYN that comes again from the tuple that it has migrated to may have its SYN-ACK again.",
    "it has, however late it comes",
)
class DuplicatesAnswered(FixedHost):
    def duplicate(self, flow: Flow, context: Context, segment: Segment, option: Migrate) -> None:
        if option.reqno == context.peer_reqno and flow.wire == segment.tuple:
            self.send_syn_ack(flow, context)


@variant(
    "migrate-older-numbers-reset",
    "processing",
    "How a Migrate SYN with an older ReqNo is answered is left open.",
    "by a reset where it came from",
)
class OlderNumbersReset(FixedHost):
    def duplicate(self, flow: Flow, context: Context, segment: Segment, option: Migrate) -> None:
        if flow.wire == segment.tuple:
            super().duplicate(flow, context, segment, option)
        else:
            self.refuse(segment)


@variant(
    "migrate-first-number-is-127",
    "requesting",
    "The first ReqNo may be any.",
    "it is 127, and the next one 0",
)
class FirstNumberIs127(MigratingHost):
    def next_reqno(self, context: Context) -> int:
        return REQNO_SPACE - 1 if context.own_reqno is None else super().next_reqno(context)


@variant(
    "migrate-numbers-left-out",
    "requesting",
    "ReqNo increases; by how much is left open.",
    "by 20 with every move",
)
class NumbersLeftOut(MigratingHost):
    def next_reqno(self, context: Context) -> int:
        return 0 if context.own_reqno is None else (context.own_reqno + 20) % REQNO_SPACE


@variant(
    "migrate-asks-late",
    "requesting",
    "A host may take its time until it knows its new address for good.",
    "the first Migrate SYN goes out 0.8 s after the move",
)
class AsksLate(MigratingHost):
    def send(self, flow: Flow, context: Context, exchange: Exchange) -> None:
        if exchange.began == exchange.last:
            self.mechanics.after(0.8, lambda: self._send(flow, context, exchange))
        else:
            super().send(flow, context, exchange)

    def _send(self, flow: Flow, context: Context, exchange: Exchange) -> None:
        if context.exchange is exchange:
            super().send(flow, context, exchange)


@variant(
    "migrate-from-another-port",
    "basic",
    "The second connection is from a new address and port pair.",
    "every move has another port of the host's own, too",
)
class FromAnotherPort(MigratingHost):
    def request(self, flow: Flow, context: Context, now: float) -> None:
        if context.is_active and flow.tcp.state is State.ESTABLISHED:
            self._port = max(getattr(self, "_port", 0), FIRST_PORT) + 1
            self.flows.place(flow, flow.wire_address, flow.wire_port, self._port)
        super().request(flow, context, now)


@variant(
    "migrate-silent-peers-wait",
    "2",
    "Silence may lead to MIGRATE-WAIT, too.",
    "a connection that was resumed waits for the first acknowledgement before it sends anything, SYN-ACKs aside",
)
class SilentPeersWait(FixedHost):
    def syn_ack_due(self, flow: Flow, number: int) -> None:
        context = context_of(flow)
        if context is not None and context.awaits_ack:
            self.send_syn_ack(flow, context)


@variant(
    "migrate-odd-permission-reset",
    "2",
    "What a Migrate-Permitted of another length means is left open.",
    "a SYN-ACK with it gets a reset, and the connection does not open",
)
class OddPermissionReset(FixedHost):
    def peer_answers(self, flow: Flow, context: Context, segment: Segment) -> bool:
        lengths = [len(whole) for kind, whole in split(segment.options) if kind == self.settings.permitted_kind]
        if set(lengths) - {3, 20}:
            self.abort(flow, context, segment)
            return False
        return super().peer_answers(flow, context, segment)


@variant(
    "migrate-refuses-a-syn-with-more",
    "processing",
    "The draft says nothing of data or a FIN on a Migrate SYN.",
    "it is refused like one that is wrong",
)
class RefusesASynWithMore(FixedHost):
    def is_request_right(self, context: Context, segment: Segment, option: Migrate) -> bool:
        return not segment.length and not segment.flags & FIN and super().is_request_right(context, segment, option)
