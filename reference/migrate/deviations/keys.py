# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations while a connection opens: keys, curves, and the timestamps that hold them."""

from reference.bump.flows import Flow
from reference.bump.tcp import ACK, RST, split
from reference.migrate.context import Context, Keys, Segment, context_of
from reference.migrate.datapath import MigrateDatapath
from reference.migrate.host import FixedHost
from reference.migrate.option import INSECURE, Permitted, permitted_in
from reference.system.alterations import deviation


@deviation(
    "migrate-curve-of-the-syn-ack-is-zero",
    "2",
    "The SYN-ACK has the length and the Curve ID of the SYN.",
    "its Curve ID is 0, whatever its length",
)
class CurveOfTheSynAckIsZero(MigrateDatapath):
    def permit(self, context: Context, options: bytes, stamps: bytes | None) -> bytes | None:
        if context.is_active or context.own is None:
            return super().permit(context, options, stamps)
        kept, context.own = context.own, context.own._replace(curve=INSECURE)
        area = super().permit(context, options, stamps)
        context.own = kept
        return area


@deviation(
    "migrate-curve-without-a-key-is-insecure",
    "2",
    "Migrate-Permitted of the insecure variant has length 3 and Curve ID 0.",
    "of length 3 it is the insecure variant, whatever curve it names",
)
class CurveWithoutAKeyIsInsecure(FixedHost):
    def permitted(self, options: bytes) -> Permitted | None:
        for kind, whole in split(options):
            if kind == self.settings.permitted_kind and len(whole) == 3:
                return Permitted(INSECURE)
        return super().permitted(options)


@deviation(
    "migrate-another-key-in-each-syn-ack",
    "2",
    "A retransmitted SYN-ACK carries the same Migrate-Permitted as the first.",
    "it carries another key",
)
class AnotherKeyInEachSynAck(MigrateDatapath):
    def permit(self, context: Context, options: bytes, stamps: bytes | None) -> bytes | None:
        area = super().permit(context, options, stamps)
        if not context.is_active and context.own is not None and context.own.is_secure:
            context.own = context.own._replace(key_data=self.host.keys.public(self.host.keys.fresh()))
        return area


@deviation(
    "migrate-another-key-in-each-syn",
    "2",
    "A retransmitted SYN carries the same Migrate-Permitted as the first.",
    "it carries another key",
)
class AnotherKeyInEachSyn(FixedHost):
    def opens(self, flow: Flow, sequence: int) -> None:
        context = context_of(flow)
        if context is not None and context.ni == sequence:
            context.own = self.offer(context)
        super().opens(flow, sequence)


@deviation(
    "migrate-any-curve-accepted",
    "2",
    "A SYN whose curve the server does not know is answered without a secure Migrate-Permitted.",
    "it is answered as if the curve were the one that the server knows",
)
class AnyCurveAccepted(FixedHost):
    def is_known(self, permitted: Permitted) -> bool:
        return True


@deviation(
    "migrate-any-key-accepted",
    "2",
    "A SYN whose key is no point of the curve is answered without a secure Migrate-Permitted.",
    "the connection is migrateable by a key of zeros",
)
class AnyKeyAccepted(Keys):
    def secret(self, private: int, key_data: bytes) -> bytes | None:
        secret = super().secret(private, key_data)
        return b"" if secret is None else secret


@deviation(
    "migrate-half-a-key-accepted",
    "2",
    "A SYN with half a key is answered without a secure Migrate-Permitted.",
    "where the timestamps are missing it is answered as if they were there",
)
class HalfAKeyAccepted(FixedHost):
    needs_stamps = False

    def permitted(self, options: bytes) -> Permitted | None:
        found = permitted_in(options, self.settings.permitted_kind)
        for kind, whole in split(options):
            if found is None and kind == self.settings.permitted_kind and len(whole) == 20:
                return Permitted(whole[2], whole[3:] + bytes(8))
        return found

    def answer(self, context: Context) -> Permitted | None:
        own = super().answer(context)
        half = context.peer is not None and context.peer.key_data[17:] == bytes(8)
        return Permitted(self.settings.curve, bytes(25)) if own is None and half else own


@deviation(
    "migrate-one-key-for-all-connections",
    "3",
    "Each connection has a key pair of its own.",
    "the host makes one when it starts",
)
class OneKeyForAllConnections(Keys):
    def __init__(self) -> None:
        self._only = super().fresh()

    def fresh(self) -> int:
        return self._only


@deviation(
    "migrate-another-curve-accepted",
    "exchange",
    "A SYN-ACK with another Curve ID than the SYN's gets a reset.",
    "the connection is an ordinary one",
)
class AnotherCurveAccepted(FixedHost):
    def peer_answers(self, flow: Flow, context: Context, segment: Segment) -> bool:
        peer = self.permitted(segment.options)
        if context.own is not None and peer is not None and peer.curve != context.own.curve:
            return True
        return super().peer_answers(flow, context, segment)


@deviation(
    "migrate-another-curve-dropped",
    "exchange",
    "A SYN-ACK with another Curve ID than the SYN's gets a reset.",
    "the application sees an error, and the peer nothing",
)
class AnotherCurveDropped(FixedHost):
    def abort(self, flow: Flow, context: Context, segment: Segment) -> None:
        self.mechanics.tell_kernel(flow, RST | ACK)
        context.is_failed = True


@deviation(
    "migrate-key-compared-as-a-timestamp",
    "timestamps",
    "The timestamps of a SYN or SYN-ACK with a key are compared with nothing.",
    "the kernel gets them, and drops segments with smaller ones",
)
class KeyComparedAsATimestamp(FixedHost):
    def peer_stamps(self, context: Context, options: bytes) -> bytes | None:
        stamps = super().peer_stamps(context, options)
        return None if stamps is None else context.peer_stamp + bytes(4)


@deviation(
    "migrate-end-of-the-key-not-echoed",
    "timestamps",
    "The segment after a SYN-ACK with a key echoes its TSval.",
    "its TSecr is 0",
)
class EndOfTheKeyNotEchoed(MigrateDatapath):
    def echo(self, context: Context, options: bytes, stamps: bytes) -> bytes:
        return options
