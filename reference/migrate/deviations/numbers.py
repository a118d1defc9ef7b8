# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations of a host whose peer moves: request numbers, repeated and recorded Migrate SYNs."""

from reference.bump.flows import Flow
from reference.migrate.context import Context, Segment, context_of
from reference.migrate.host import FixedHost
from reference.migrate.option import REQNO_SPACE, Migrate
from reference.system.alterations import deviation

LATER_S = 0.3


@deviation(
    "migrate-any-other-number-is-larger",
    "3",
    "A Migrate SYN whose ReqNo is not larger migrates nothing.",
    "one with another ReqNo than the last is served",
)
class AnyOtherNumberIsLarger(FixedHost):
    def is_after(self, reqno: int, last: int) -> bool:
        return reqno != last


@deviation(
    "migrate-same-number-served-again",
    "3",
    "A Migrate SYN whose ReqNo is not larger migrates nothing.",
    "one with the ReqNo of the last is served",
)
class SameNumberServedAgain(FixedHost):
    def is_after(self, reqno: int, last: int) -> bool:
        return reqno == last or super().is_after(reqno, last)


@deviation(
    "migrate-first-number-alone-remembered",
    "3",
    "A Migrate SYN whose ReqNo is not larger migrates nothing.",
    "it is compared with that of the first migration",
)
class FirstNumberAloneRemembered(FixedHost):
    def peer_moved(self, flow: Flow, context: Context, segment: Segment) -> None:
        first = self._first.setdefault(flow, context.peer_reqno)
        super().peer_moved(flow, context, segment)
        context.peer_reqno = first

    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._first: dict[Flow, int | None] = {}


@deviation(
    "migrate-numbers-do-not-wrap",
    "3",
    "A ReqNo of 0 is larger than one of 127.",
    "numbers are compared as they are",
)
class NumbersDoNotWrap(FixedHost):
    def is_after(self, reqno: int, last: int) -> bool:
        return reqno > last


@deviation(
    "migrate-numbers-wrap-at-256",
    "3",
    "A ReqNo of 0 is larger than one of 127.",
    "numbers are compared modulo 256, as if they had eight bits",
)
class NumbersWrapAt256(FixedHost):
    def is_after(self, reqno: int, last: int) -> bool:
        return 0 < (reqno - last) % 256 < 128


@deviation(
    "migrate-no-number-left-out",
    "processing",
    "A ReqNo that is larger by more than one is larger.",
    "only the next one is served",
)
class NoNumberLeftOut(FixedHost):
    def is_after(self, reqno: int, last: int) -> bool:
        return (reqno - last) % REQNO_SPACE == 1


@deviation(
    "migrate-numbers-of-six-bits",
    "processing",
    "A ReqNo up to 63 beyond the last one is larger.",
    "31 beyond it is the most",
)
class NumbersOfSixBits(FixedHost):
    def is_after(self, reqno: int, last: int) -> bool:
        return 0 < (reqno - last) % REQNO_SPACE < 32


@deviation(
    "migrate-first-number-must-be-small",
    "processing",
    "The first ReqNo of a connection may be any.",
    "one above 1 is a duplicate",
)
class FirstNumberMustBeSmall(FixedHost):
    def is_larger(self, option: Migrate, context: Context) -> bool:
        return option.reqno < 2 if context.peer_reqno is None else super().is_larger(option, context)


@deviation(
    "migrate-refused-request-uses-its-number-up",
    "processing",
    "A Migrate SYN that is refused uses up no ReqNo.",
    "its ReqNo is the last one from then on",
)
class RefusedRequestUsesItsNumberUp(FixedHost):
    def wrong_request(self, flow: Flow, context: Context, segment: Segment, option: Migrate) -> None:
        super().wrong_request(flow, context, segment, option)
        context.peer_reqno = option.reqno


@deviation(
    "migrate-refused-request-uses-its-number-up-after-a-migration",
    "processing",
    "A Migrate SYN that is refused uses up no ReqNo.",
    "after a first migration its ReqNo is the last one from then on",
)
class RefusedRequestUsesItsNumberUpLater(FixedHost):
    def wrong_request(self, flow: Flow, context: Context, segment: Segment, option: Migrate) -> None:
        super().wrong_request(flow, context, segment, option)
        if context.peer_reqno is not None:
            context.peer_reqno = option.reqno


@deviation(
    "migrate-repeated-migrate-syn-ends-the-connection",
    "3",
    "A Migrate SYN that comes again from the tuple that it has migrated to changes nothing.",
    "it ends the connection",
)
class RepeatedMigrateSynEndsTheConnection(FixedHost):
    def duplicate(self, flow: Flow, context: Context, segment: Segment, option: Migrate) -> None:
        if flow.wire == segment.tuple:
            self.close(flow, context)


@deviation(
    "migrate-data-does-not-complete-the-handshake",
    "3",
    "Data at the new tuple is as good as the ACK that was lost before it.",
    "until a segment without data has come nothing is sent",
)
class DataDoesNotCompleteTheHandshake(FixedHost):
    def accounted(self, flow: Flow, segment: Segment) -> None:
        context = context_of(flow)
        if context is None or not context.awaits_ack or not segment.length:
            super().accounted(flow, segment)


@deviation(
    "migrate-recorded-migrate-syn-served-elsewhere",
    "3",
    "A recorded Migrate SYN sent again from another address migrates nothing.",
    "the connection follows it",
)
class RecordedMigrateSynServedElsewhere(FixedHost):
    def duplicate(self, flow: Flow, context: Context, segment: Segment, option: Migrate) -> None:
        if option.request == self.request(context, segment.sequence, option.number):
            self.peer_moved(flow, context, segment)


@deviation(
    "migrate-token-kept-for-the-tuple",
    "3",
    "A recorded Migrate SYN of a connection that is over moves no later one.",
    "a new connection of the tuple has the Tokens of the ones before, and no Request is asked for",
)
class TokenKeptForTheTuple(FixedHost):
    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._tokens: dict[tuple[int, int, int], list[bytes]] = {}

    def becomes_migrateable(self, flow: Flow, context: Context) -> None:
        super().becomes_migrateable(flow, context)
        tokens = self._tokens.setdefault(flow.wire, [])
        for one in tokens:
            self.by_token[one] = flow
        tokens.append(context.token)

    def is_request_right(self, context: Context, segment: Segment, option: Migrate) -> bool:
        return option.token != context.token or super().is_request_right(context, segment, option)
