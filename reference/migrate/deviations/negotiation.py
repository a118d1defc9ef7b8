# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations while a connection opens: what is permitted, by which key."""

from reference.bump.flows import Flow
from reference.bump.tcp import RST, SYN, split
from reference.migrate.context import Context, Segment, context_of
from reference.migrate.datapath import MigrateDatapath
from reference.migrate.host import FixedHost
from reference.migrate.option import INSECURE, Permitted, key_of, padded
from reference.system.alterations import deviation


@deviation(
    "migrate-secure-answered-insecure",
    "2",
    "The SYN-ACK has the length and the Curve ID of the SYN.",
    "a SYN with a key is answered by the insecure variant",
)
class SecureAnsweredInsecure(FixedHost):
    def answer(self, context: Context) -> Permitted | None:
        own = super().answer(context)
        if own is None or not own.is_secure:
            return own
        context.key = key_of()
        return Permitted(INSECURE)


@deviation(
    "migrate-permitted-unasked",
    "2",
    "A SYN without Migrate-Permitted is answered by a SYN-ACK without it.",
    "the SYN-ACK permits migration all the same",
)
class PermittedUnasked(FixedHost):
    def answer(self, context: Context) -> Permitted | None:
        return super().answer(context) if context.peer is not None else Permitted(INSECURE)


@deviation(
    "migrate-permitted-on-acknowledgements",
    "2",
    "Migrate-Permitted stands on no segment but SYN and SYN-ACK.",
    "what carries no data carries it, too",
)
class PermittedOnAcknowledgements(MigrateDatapath):
    def later_options(self, context: Context, options: bytes, length: int) -> bytes | None:
        if length or context.own is None or len(options) > 16:
            return super().later_options(context, options, length)
        return padded(options + context.own.pack(self.host.settings.permitted_kind))


@deviation(
    "migrate-permission-taken-from-acknowledgements",
    "2",
    "Migrate-Permitted on another segment than SYN and SYN-ACK is ignored.",
    "on an ACK it permits migration, too",
)
class PermissionTakenFromAcknowledgements(FixedHost):
    def incoming(self, segment: Segment, now: float) -> Flow | None:
        flow = super().incoming(segment, now)
        context = None if flow is None else context_of(flow)
        if flow is not None and context is not None and context.key is None and not segment.flags & (SYN | RST):
            context.peer = self.permitted(segment.options)
            if context.peer is not None:
                context.key = key_of()
                self.becomes_migrateable(flow, context)
        return flow


@deviation(
    "migrate-unpermitted-connection-migrates",
    "2",
    "A connection on which not both sides sent Migrate-Permitted is never migrateable.",
    "one whose SYN permits nothing migrates by a key of zeros, and no option says so",
)
class UnpermittedConnectionMigrates(FixedHost):
    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._plain: set[Flow] = set()

    def peer_opens(self, flow: Flow, segment: Segment) -> None:
        super().peer_opens(flow, segment)
        if self.settings.permitted_kind not in [kind for kind, _ in split(segment.options)]:
            self._plain.add(flow)

    def answers(self, flow: Flow, context: Context, sequence: int) -> None:
        super().answers(flow, context, sequence)
        if flow in self._plain:
            context.key = key_of()
            self.becomes_migrateable(flow, context)


@deviation(
    "migrate-unanswered-permission-is-enough",
    "2",
    "A connection on which not both sides sent Migrate-Permitted is never migrateable.",
    "one whose SYN-ACK permits nothing is asked for after a move",
)
class UnansweredPermissionIsEnough(FixedHost):
    def peer_answers(self, flow: Flow, context: Context, segment: Segment) -> bool:
        opens = super().peer_answers(flow, context, segment)
        if context.peer is None and self.settings.permitted_kind not in [kind for kind, _ in split(segment.options)]:
            context.key = key_of()
            self.becomes_migrateable(flow, context)
        return opens


@deviation(
    "migrate-permitted-of-any-length",
    "2",
    "Migrate-Permitted with a length other than 3 and 20 negotiates nothing.",
    "it is taken for the insecure variant",
)
class PermittedOfAnyLength(FixedHost):
    def permitted(self, options: bytes) -> Permitted | None:
        for kind, whole in split(options):
            if kind == self.settings.permitted_kind and len(whole) not in (3, 20):
                return Permitted(INSECURE)
        return super().permitted(options)


@deviation(
    "migrate-permitted-in-the-first-syn-alone",
    "2",
    "A retransmitted SYN carries the same Migrate-Permitted as the first.",
    "it carries none",
)
class PermittedInTheFirstSynAlone(FixedHost):
    def opens(self, flow: Flow, sequence: int) -> None:
        context = context_of(flow)
        if context is not None and context.ni == sequence:
            context.own = None
        super().opens(flow, sequence)


@deviation(
    "migrate-syn-without-permission",
    "2",
    "A mobile node's SYN carries Migrate-Permitted.",
    "the SYN of a connection that the host opens carries none",
)
class SynWithoutPermission(FixedHost):
    def offer(self, context: Context) -> Permitted | None:
        return None
