# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations of a host whose peer moves: the numbers of its SYN-ACK, slow start, and the key."""

from reference.bump.flows import Flow
from reference.migrate.context import Context, Segment
from reference.migrate.host import FixedHost
from reference.system.alterations import deviation

MANY = 16


@deviation(
    "migrate-syn-ack-with-the-next-number",
    "processing",
    "The sequence number of the SYN-ACK is that of the byte that was acknowledged last.",
    "it is that of the next byte to be sent",
)
class SynAckWithTheNextNumber(FixedHost):
    def syn_ack_numbers(self, flow: Flow, context: Context) -> tuple[int, int]:
        return context.next, super().syn_ack_numbers(flow, context)[1]


@deviation(
    "migrate-syn-ack-with-the-last-byte-sent",
    "processing",
    "The sequence number of the SYN-ACK is that of the byte that was acknowledged last.",
    "it is that of the last byte sent",
)
class SynAckWithTheLastByteSent(FixedHost):
    def syn_ack_numbers(self, flow: Flow, context: Context) -> tuple[int, int]:
        return (context.next - 1) & 0xFFFFFFFF, super().syn_ack_numbers(flow, context)[1]


@deviation(
    "migrate-syn-ack-acknowledges-one-more",
    "processing",
    "The SYN-ACK acknowledges data, and not the SYN.",
    "it acknowledges a byte more than has come",
)
class SynAckAcknowledgesOneMore(FixedHost):
    def syn_ack_numbers(self, flow: Flow, context: Context) -> tuple[int, int]:
        sequence, acknowledgement = super().syn_ack_numbers(flow, context)
        return sequence, (acknowledgement + 1) & 0xFFFFFFFF


@deviation(
    "migrate-syn-must-be-in-sequence",
    "processing",
    "The sequence number of a Migrate SYN counts in its Request alone.",
    "one that is not just below RCV.NXT is dropped",
)
class MigrateSynMustBeInSequence(FixedHost):
    def is_in_use(self, flow: Flow, segment: Segment) -> bool:
        distance = (flow.tcp.rcv_nxt - segment.sequence) & 0xFFFFFFFF
        return distance > 100_000 or super().is_in_use(flow, segment)


@deviation(
    "migrate-fixed-host-does-not-slow-start",
    "processing",
    "After the migration the first flight is at most the initial window.",
    "the congestion window is that from before",
)
class FixedHostDoesNotSlowStart(FixedHost):
    def receiver_slow_start(self, context: Context) -> None:
        super().receiver_slow_start(context)
        if context.slow_start is not None:
            context.slow_start.window = 1 << 24


@deviation(
    "migrate-fixed-host-slow-starts-once",
    "processing",
    "After the migration the first flight is at most the initial window.",
    "after a second one the congestion window is that from before",
)
class FixedHostSlowStartsOnce(FixedHost):
    def receiver_slow_start(self, context: Context) -> None:
        super().receiver_slow_start(context)
        if context.slow_start is not None and (context.peer_reqno or 0) > 1:
            context.slow_start.window = 1 << 24


@deviation(
    "migrate-insecure-key-is-empty",
    "exchange",
    "In the insecure variant the key is 200 zero bits.",
    "it is empty",
)
class InsecureKeyIsEmpty(FixedHost):
    def becomes_migrateable(self, flow: Flow, context: Context) -> None:
        if context.own is not None and not context.own.is_secure:
            context.key = b""
        super().becomes_migrateable(flow, context)


@deviation(
    "migrate-secret-padded-on-the-right",
    "3",
    "The secret is padded on the left to 200 bits.",
    "it is padded on the right",
)
class SecretPaddedOnTheRight(FixedHost):
    def becomes_migrateable(self, flow: Flow, context: Context) -> None:
        if context.own is not None and context.own.is_secure and context.key is not None:
            context.key = context.key[1:] + b"\0"
        super().becomes_migrateable(flow, context)
