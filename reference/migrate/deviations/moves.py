# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations of a host that moves: its Migrate SYNs."""

from reference.bump.flows import Flow
from reference.bump.tcp import SYN
from reference.migrate.context import Context, Exchange
from reference.migrate.migrating_host import MigratingHost
from reference.migrate.option import REQNO_SPACE, Migrate, token
from reference.system.alterations import deviation

_SEGMENT_SIZE = bytes.fromhex("020405b4")
_PRELOAD = 0x80
MANY = 16


@deviation(
    "migrate-opened-connections-not-asked-for",
    "2",
    "A mobile node that moves sends a Migrate SYN for each migrateable connection.",
    "for those that it has opened it sends none",
)
class OpenedConnectionsNotAskedFor(MigratingHost):
    def is_movable(self, flow: Flow) -> bool:
        context = flow.contexts.get(Context)
        return super().is_movable(flow) and context is not None and not context.is_active


@deviation(
    "migrate-sixteen-connections-asked-for",
    "2",
    "A mobile node that moves sends a Migrate SYN for each migrateable connection.",
    "for sixteen at most",
)
class SixteenConnectionsAskedFor(MigratingHost):
    def request(self, flow: Flow, context: Context, now: float) -> None:
        if len(self.moving) < MANY:
            super().request(flow, context, now)


@deviation(
    "migrate-token-with-the-own-number-first",
    "3",
    "The Token is made of the initial numbers, the active opener's first.",
    "the host's own number is the first, whoever has opened the connection",
)
class TokenWithTheOwnNumberFirst(MigratingHost):
    def token(self, context: Context) -> bytes:
        return super().token(context) if context.is_active else token(context.na, context.ni, context.key or b"")


@deviation(
    "migrate-request-in-place-of-the-token",
    "2",
    "The Token of the Migrate SYN is the connection's.",
    "it is another one with every move",
)
class RequestInPlaceOfTheToken(MigratingHost):
    def option(self, context: Context, sequence: int) -> Migrate:
        option = super().option(context, sequence)
        return option._replace(token=option.request)


@deviation(
    "migrate-request-with-the-next-number",
    "3",
    "The Request is made with the SYN's sequence number.",
    "it is made with the number after it",
)
class RequestWithTheNextNumber(MigratingHost):
    def option(self, context: Context, sequence: int) -> Migrate:
        return super().option(context, (sequence + 1) & 0xFFFFFFFF)


@deviation(
    "migrate-request-of-the-first-move",
    "3",
    "The Request is made with the ReqNo of the SYN.",
    "the second one is made with that of the first",
)
class RequestOfTheFirstMove(MigratingHost):
    def option(self, context: Context, sequence: int) -> Migrate:
        option = super().option(context, sequence)
        return option._replace(request=self.host.request(context, sequence, 0))


@deviation(
    "migrate-number-stays",
    "3",
    "ReqNo grows with every migration of a connection.",
    "from the second move on it is 1",
)
class NumberStays(MigratingHost):
    def next_reqno(self, context: Context) -> int:
        return min(super().next_reqno(context), 1)


@deviation(
    "migrate-number-falls",
    "3",
    "ReqNo grows with every migration of a connection.",
    "it falls",
)
class NumberFalls(MigratingHost):
    def next_reqno(self, context: Context) -> int:
        return REQNO_SPACE - 1 if context.own_reqno is None else context.own_reqno - 1


@deviation(
    "migrate-preload-set-at-the-second-move",
    "option",
    "The Preload flag of a host that has opened or accepted the connection is 0.",
    "with the second move it is 1",
)
class PreloadSetAtTheSecondMove(MigratingHost):
    def option(self, context: Context, sequence: int) -> Migrate:
        number = (context.own_reqno or 0) | (_PRELOAD if context.own_reqno else 0)
        return Migrate(number, self.token(context), self.host.request(context, sequence, number))


@deviation(
    "migrate-syn-with-the-next-number",
    "requesting",
    "The sequence number of the Migrate SYN is that of the byte that was acknowledged last.",
    "it is the number after it",
)
class MigrateSynWithTheNextNumber(MigratingHost):
    def syn_number(self, context: Context) -> int:
        return context.acknowledged


@deviation(
    "migrate-syn-with-the-last-byte-sent",
    "requesting",
    "The sequence number of the Migrate SYN is that of the byte that was acknowledged last.",
    "it is that of the last byte sent",
)
class MigrateSynWithTheLastByteSent(MigratingHost):
    def syn_number(self, context: Context) -> int:
        return (context.next - 1) & 0xFFFFFFFF


@deviation(
    "migrate-syn-with-a-segment-size",
    "requesting",
    "The Migrate SYN has no other option.",
    "it names a maximum segment size",
)
class MigrateSynWithASegmentSize(MigratingHost):
    def syn_options(self, exchange: Exchange) -> bytes:
        return _SEGMENT_SIZE + super().syn_options(exchange)


@deviation(
    "migrate-syn-with-timestamps",
    "requesting",
    "The Migrate SYN has no other option.",
    "where the connection has timestamps it has them, too",
)
class MigrateSynWithTimestamps(MigratingHost):
    def send(self, flow: Flow, context: Context, exchange: Exchange) -> None:
        stamps = next(
            (context.options[at : at + 10] for at in range(4) if context.options[at : at + 2] == b"\x08\x0a"), b""
        )
        self.mechanics.originate(flow, exchange.sequence, 0, SYN, exchange.option + stamps)


@deviation(
    "migrate-no-way-home",
    "2",
    "A connection can migrate back to the first address.",
    "back at the first address the host sends no Migrate SYN",
)
class NoWayHome(MigratingHost):
    def send(self, flow: Flow, context: Context, exchange: Exchange) -> None:
        if self.network.own != self.network.kernel_own:
            super().send(flow, context, exchange)


@deviation(
    "migrate-half-closed-not-asked-for",
    "basic",
    "A connection on which one host has sent its FIN migrates.",
    "after a move it is not asked for",
)
class HalfClosedNotAskedFor(MigratingHost):
    def is_movable(self, flow: Flow) -> bool:
        return super().is_movable(flow) and not flow.tcp.is_half_closed


@deviation(
    "migrate-waiting-connections-not-asked-for",
    "wait",
    "Resets in MIGRATE-WAIT change nothing: the connection can be resumed.",
    "after a move of its own the host does not ask for one that waits",
)
class WaitingConnectionsNotAskedFor(MigratingHost):
    def is_movable(self, flow: Flow) -> bool:
        context = flow.contexts.get(Context)
        return super().is_movable(flow) and context is not None and context.wait_until is None
