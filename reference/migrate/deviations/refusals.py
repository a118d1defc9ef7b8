# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations of a host whose peer moves: Migrate SYNs that are not right, or not new."""

from reference.bump.flows import Flow
from reference.bump.tcp import ACK, RST, SYN, split
from reference.migrate.context import Context, Segment
from reference.migrate.host import FixedHost
from reference.migrate.option import REQNO_SPACE, Migrate, key_of, migrate_in, request, token
from reference.system.alterations import deviation

LATER_S = 0.3


@deviation(
    "migrate-unknown-token-dropped",
    "2",
    "A Migrate SYN whose Token names no migrateable connection gets a reset.",
    "it gets nothing",
)
class UnknownTokenDropped(FixedHost):
    def migrate_received(self, segment: Segment, option: Migrate) -> None:
        if option.token in self.by_token:
            super().migrate_received(segment, option)


@deviation(
    "migrate-token-of-a-closed-connection-dropped",
    "2",
    "A Migrate SYN whose Token names no migrateable connection gets a reset.",
    "where the connection is closed it gets nothing",
)
class TokenOfAClosedConnectionDropped(FixedHost):
    def migrate_received(self, segment: Segment, option: Migrate) -> None:
        flow = self.by_token.get(option.token)
        if flow is None or self.is_migrateable(flow):
            super().migrate_received(segment, option)


@deviation(
    "migrate-seven-bytes-of-the-token",
    "2",
    "A Migrate SYN whose Token names no migrateable connection gets a reset.",
    "the last byte of a Token is not looked at",
)
class SevenBytesOfTheToken(FixedHost):
    def find(self, option: Migrate, segment: Segment) -> Flow | None:
        known = [one for one in self.by_token if one[:7] == option.token[:7]]
        return super().find(option._replace(token=known[-1]) if known else option, segment)


@deviation(
    "migrate-of-any-length",
    "2",
    "A Migrate option with a length other than 19 migrates nothing.",
    "one that is longer is read as far as it is known",
)
class MigrateOfAnyLength(FixedHost):
    def migrate(self, segment: Segment) -> Migrate | None:
        for kind, whole in split(segment.options):
            if kind == self.settings.option_kind and len(whole) > 19 and segment.flags & (SYN | ACK) == SYN:
                return Migrate(whole[2], whole[3:11], whole[11:19])
        return super().migrate(segment)


@deviation(
    "migrate-without-a-request",
    "2",
    "A Migrate option with a length other than 19 migrates nothing.",
    "one that ends with its Request cut short is served",
)
class MigrateWithoutARequest(FixedHost):
    def migrate(self, segment: Segment) -> Migrate | None:
        for kind, whole in split(segment.options):
            if kind == self.settings.option_kind and len(whole) == 18 and segment.flags & (SYN | ACK) == SYN:
                return Migrate(whole[2], whole[3:11], whole[11:18])
        return super().migrate(segment)

    def is_request_right(self, context: Context, segment: Segment, option: Migrate) -> bool:
        right = self.request(context, segment.sequence, option.number)
        return right[:7] == option.request if len(option.request) < 8 else right == option.request


@deviation(
    "migrate-on-other-segments",
    "2",
    "The Migrate option on a segment that is no SYN migrates nothing.",
    "it does",
)
class MigrateOnOtherSegments(FixedHost):
    def migrate(self, segment: Segment) -> Migrate | None:
        found = migrate_in(segment.options, self.settings.option_kind)
        return None if segment.flags & RST else found


@deviation(
    "migrate-wrong-request-dropped",
    "3",
    "A Migrate SYN whose Request does not verify gets a reset.",
    "it gets nothing",
)
class WrongRequestDropped(FixedHost):
    def wrong_request(self, flow: Flow, context: Context, segment: Segment, option: Migrate) -> None:
        pass


@deviation(
    "migrate-wrong-request-ends-the-connection",
    "3",
    "A Migrate SYN whose Request does not verify does not disturb the connection.",
    "the connection is closed",
)
class WrongRequestEndsTheConnection(FixedHost):
    def wrong_request(self, flow: Flow, context: Context, segment: Segment, option: Migrate) -> None:
        super().wrong_request(flow, context, segment, option)
        self.close(flow, context)


@deviation(
    "migrate-wrong-request-after-a-migration-ends-the-connection",
    "3",
    "A Migrate SYN whose Request does not verify does not disturb the connection.",
    "one that has migrated is closed",
)
class WrongRequestAfterAMigration(FixedHost):
    def wrong_request(self, flow: Flow, context: Context, segment: Segment, option: Migrate) -> None:
        super().wrong_request(flow, context, segment, option)
        if context.peer_reqno is not None:
            self.close(flow, context)


@deviation(
    "migrate-seven-bytes-of-the-request",
    "3",
    "A Migrate SYN whose Request does not verify gets a reset.",
    "the last byte of a Request is not looked at",
)
class SevenBytesOfTheRequest(FixedHost):
    def is_request_right(self, context: Context, segment: Segment, option: Migrate) -> bool:
        return option.request[:7] == self.request(context, segment.sequence, option.number)[:7]


@deviation(
    "migrate-request-of-another-sequence-number",
    "3",
    "A Migrate SYN whose Request does not verify gets a reset.",
    "one that is right for the number before or after its own is served",
)
class RequestOfAnotherSequenceNumber(FixedHost):
    def is_request_right(self, context: Context, segment: Segment, option: Migrate) -> bool:
        numbers = [(segment.sequence + offset) & 0xFFFFFFFF for offset in (-1, 0, 1)]
        return option.request in [self.request(context, number, option.number) for number in numbers]


@deviation(
    "migrate-request-of-another-number",
    "3",
    "A Migrate SYN with a new ReqNo and the Request of an older one migrates nothing.",
    "its Request may be that of any ReqNo",
)
class RequestOfAnotherNumber(FixedHost):
    def is_request_right(self, context: Context, segment: Segment, option: Migrate) -> bool:
        return option.request in [self.request(context, segment.sequence, number) for number in range(REQNO_SPACE)]


@deviation(
    "migrate-request-without-the-key",
    "3",
    "With a curve negotiated Token and Request are made with the shared secret.",
    "those that are made without it are taken, too",
)
class RequestWithoutTheKey(FixedHost):
    def becomes_migrateable(self, flow: Flow, context: Context) -> None:
        super().becomes_migrateable(flow, context)
        self.by_token[token(context.ni, context.na, key_of())] = flow

    def is_request_right(self, context: Context, segment: Segment, option: Migrate) -> bool:
        without = request(context.ni, context.na, key_of(), segment.sequence, option.number)
        return option.request == without or super().is_request_right(context, segment, option)


@deviation(
    "migrate-third-wrong-request-served",
    "3",
    "A Migrate SYN whose Request does not verify does not disturb the connection.",
    "after two of them the third one moves it",
)
class ThirdWrongRequestServed(FixedHost):
    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._wrong: dict[Flow, int] = {}

    def wrong_request(self, flow: Flow, context: Context, segment: Segment, option: Migrate) -> None:
        super().wrong_request(flow, context, segment, option)
        self._wrong[flow] = self._wrong.get(flow, 0) + 1
        if self._wrong[flow] > 2:
            self.peer_moved(flow, context, segment)


@deviation(
    "migrate-wrong-request-served-later",
    "3",
    "A Migrate SYN whose Request does not verify does not disturb the connection.",
    "0.3 s after it the connection moves all the same",
)
class WrongRequestServedLater(FixedHost):
    def wrong_request(self, flow: Flow, context: Context, segment: Segment, option: Migrate) -> None:
        super().wrong_request(flow, context, segment, option)
        self.mechanics.after(LATER_S, lambda: self._serve(flow, context, segment))

    def _serve(self, flow: Flow, context: Context, segment: Segment) -> None:
        if self.is_migrateable(flow) and context.peer_reqno is None:
            self.peer_moved(flow, context, segment)
