# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations of a host that moves: how its connections resume, or do not."""

from reference.bump.flows import Flow
from reference.bump.tcp import ACK
from reference.migrate.context import Context, Exchange, Segment
from reference.migrate.migrating_host import MigratingHost
from reference.system.alterations import deviation

_SEGMENT_SIZE = bytes.fromhex("020405b4")
_PRELOAD = 0x80
MANY = 16


@deviation(
    "migrate-on-the-ack",
    "option",
    "Migrate stands on SYNs alone.",
    "the ACK that ends the handshake carries it, too",
)
class MigrateOnTheAck(MigratingHost):
    def answered(self, flow: Flow, context: Context, segment: Segment) -> None:
        option = context.exchange.option if context.exchange is not None else b""
        super().answered(flow, context, segment)
        self.mechanics.originate(flow, context.next, flow.tcp.rcv_nxt, ACK, option)


@deviation(
    "migrate-moved-host-does-not-slow-start",
    "requesting",
    "After its move the first flight of the device is at most the initial window.",
    "the congestion window is that from before",
)
class MovedHostDoesNotSlowStart(MigratingHost):
    def answered(self, flow: Flow, context: Context, segment: Segment) -> None:
        super().answered(flow, context, segment)
        if context.slow_start is not None:
            context.slow_start.window = 1 << 24
            self.mechanics.release(flow)


@deviation(
    "migrate-acknowledgement-of-the-syn-ack-ignored",
    "requesting",
    "Data that the SYN-ACK acknowledges is not sent again.",
    "its acknowledgement counts for nothing",
)
class AcknowledgementOfTheSynAckIgnored(MigratingHost):
    def acknowledges_data(self, flow: Flow, context: Context, segment: Segment) -> None:
        pass


@deviation(
    "migrate-syn-ack-not-acknowledged",
    "requesting",
    "The device acknowledges the SYN-ACK.",
    "it sends nothing until it has data",
)
class SynAckNotAcknowledged(MigratingHost):
    def complete(self, flow: Flow) -> None:
        pass


@deviation(
    "migrate-syn-counts-in-the-ack",
    "requesting",
    "The connection resumes with the numbers of the old one.",
    "the ACK counts the SYN",
)
class SynCountsInTheAck(MigratingHost):
    def complete(self, flow: Flow) -> None:
        context = flow.contexts[Context]
        self.mechanics.originate(flow, (context.next + 1) & 0xFFFFFFFF, flow.tcp.rcv_nxt, ACK)


@deviation(
    "migrate-syn-sent-once",
    "2",
    "A Migrate SYN that is not answered is retransmitted.",
    "it is sent once",
)
class MigrateSynSentOnce(MigratingHost):
    def repeat(self, flow: Flow, context: Context, exchange: Exchange) -> None:
        pass


@deviation(
    "migrate-another-number-in-each-repeat",
    "2",
    "A Migrate SYN is retransmitted unchanged, ReqNo and Request included.",
    "each one has the next ReqNo",
)
class AnotherNumberInEachRepeat(MigratingHost):
    def repeat(self, flow: Flow, context: Context, exchange: Exchange) -> None:
        began = exchange.began
        self.request(flow, context, exchange.last)
        if context.exchange is not None:
            context.exchange.began = began


@deviation(
    "migration-never-given-up",
    "2",
    "When the Migrate SYN is given up the application sees an error.",
    "it is repeated for ever",
)
class MigrationNeverGivenUp(MigratingHost):
    def give_up(self, flow: Flow, context: Context) -> None:
        if context.exchange is not None:
            context.exchange.began = context.exchange.last
            self.repeat(flow, context, context.exchange)


@deviation(
    "migrate-refused-migration-repeated",
    "2",
    "A mobile node that is answered with a reset gives the connection up.",
    "the reset counts for nothing",
)
class RefusedMigrationRepeated(MigratingHost):
    def reset(self, flow: Flow, context: Context) -> None:
        pass
