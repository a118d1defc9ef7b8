# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations in MIGRATE-WAIT: entered, resumed, ended, and what is sent meanwhile."""

from reference.bump.flows import Flow
from reference.bump.tcp import State
from reference.migrate.context import Context, Segment, context_of
from reference.migrate.host import FixedHost
from reference.migrate.option import Migrate
from reference.system.alterations import deviation


@deviation(
    "migrate-reset-closes",
    "2",
    "A reset on an established migrateable connection does not close it.",
    "it does, as ever",
)
class ResetCloses(FixedHost):
    def reset_received(self, flow: Flow, context: Context | None, segment: Segment) -> bool:
        return True


@deviation(
    "migrate-reset-after-a-migration-closes",
    "2",
    "A reset on an established migrateable connection does not close it.",
    "it closes one that has migrated",
)
class ResetAfterAMigrationCloses(FixedHost):
    def reset_received(self, flow: Flow, context: Context | None, segment: Segment) -> bool:
        has_migrated = context is not None and context.peer_reqno is not None and context.wait_until is None
        return has_migrated or super().reset_received(flow, context, segment)


@deviation(
    "migrate-reset-closes-what-the-host-opened",
    "2",
    "A reset on an established migrateable connection does not close it.",
    "it closes one that the host has opened",
)
class ResetClosesWhatTheHostOpened(FixedHost):
    def reset_received(self, flow: Flow, context: Context | None, segment: Segment) -> bool:
        return (context is not None and context.is_active) or super().reset_received(flow, context, segment)


@deviation(
    "migrate-wait-is-not-resumed",
    "2",
    "A valid Migrate SYN resumes a connection in MIGRATE-WAIT.",
    "its Token names none while it waits",
)
class WaitIsNotResumed(FixedHost):
    def find(self, option: Migrate, segment: Segment) -> Flow | None:
        flow = super().find(option, segment)
        context = None if flow is None else context_of(flow)
        return None if context is None or context.wait_until is not None else flow


@deviation(
    "migrate-wait-is-resumed-once",
    "2",
    "A valid Migrate SYN resumes a connection in MIGRATE-WAIT.",
    "the second time its Token names none",
)
class WaitIsResumedOnce(FixedHost):
    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._waits: dict[Flow, int] = {}

    def wait(self, flow: Flow, context: Context) -> None:
        self._waits[flow] = self._waits.get(flow, 0) + 1
        super().wait(flow, context)

    def find(self, option: Migrate, segment: Segment) -> Flow | None:
        flow = super().find(option, segment)
        return None if flow is None or self._waits.get(flow, 0) > 1 else flow


@deviation(
    "migrate-old-tuple-does-not-resume",
    "2",
    "A valid Migrate SYN resumes a connection in MIGRATE-WAIT.",
    "one from the tuple that the connection has is dropped",
)
class OldTupleDoesNotResume(FixedHost):
    def is_in_use(self, flow: Flow, segment: Segment) -> bool:
        return flow.wire == segment.tuple or super().is_in_use(flow, segment)


@deviation(
    "migrate-wait-never-ends",
    "2",
    "After the timeout of MIGRATE-WAIT the connection is closed.",
    "it waits for an hour",
)
class WaitNeverEnds(FixedHost):
    def wait_s(self) -> float:
        return 3600.0


@deviation(
    "migrate-wait-ends-and-the-token-stays",
    "2",
    "After the timeout of MIGRATE-WAIT a Migrate SYN gets a reset.",
    "it is answered by a SYN-ACK",
)
class WaitEndsAndTheTokenStays(FixedHost):
    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._ended: set[bytes] = set()

    def wait_is_over(self, flow: Flow, context: Context) -> None:
        super().wait_is_over(flow, context)
        self._ended.add(context.token)
        self.by_token[context.token] = flow

    def find(self, option: Migrate, segment: Segment) -> Flow | None:
        if option.token in self._ended:
            return self.by_token.get(option.token)
        return super().find(option, segment)


@deviation(
    "migrate-data-sent-in-the-wait",
    "2",
    "In MIGRATE-WAIT no segment of the connection is sent.",
    "data is",
)
class DataSentInTheWait(FixedHost):
    def may_send(self, context: Context, length: int) -> bool:
        return (context.wait_until is not None and length > 0) or super().may_send(context, length)


@deviation(
    "migrate-data-acknowledged-in-the-wait",
    "wait",
    "Data that comes in MIGRATE-WAIT is not acknowledged then.",
    "it is",
)
class DataAcknowledgedInTheWait(FixedHost):
    def may_send(self, context: Context, length: int) -> bool:
        return (context.wait_until is not None and not length) or super().may_send(context, length)


@deviation(
    "migrate-every-reset-leads-to-the-wait",
    "2",
    "A reset on a connection that is not migrateable closes it at once.",
    "it waits, too",
)
class EveryResetLeadsToTheWait(FixedHost):
    def reset_received(self, flow: Flow, context: Context | None, segment: Segment) -> bool:
        if context is not None and context.key is None and flow.tcp.state is State.ESTABLISHED:
            return False
        return super().reset_received(flow, context, segment)


@deviation(
    "migrate-second-reset-closes",
    "wait",
    "Resets in MIGRATE-WAIT are ignored.",
    "they end it",
)
class SecondResetCloses(FixedHost):
    def reset_while_waiting(self, flow: Flow, context: Context) -> bool:
        self.wait_is_over(flow, context)
        return False


@deviation(
    "migrate-data-in-the-wait-dropped",
    "wait",
    "Data that comes in MIGRATE-WAIT reaches the application.",
    "it is dropped",
)
class DataInTheWaitDropped(FixedHost):
    def incoming(self, segment: Segment, now: float) -> Flow | None:
        flow = super().incoming(segment, now)
        context = None if flow is None else context_of(flow)
        return None if context is not None and context.wait_until is not None else flow


@deviation(
    "migrate-refused-request-ends-the-wait",
    "wait",
    "A Migrate SYN that is refused does not end MIGRATE-WAIT.",
    "it closes the connection",
)
class RefusedRequestEndsTheWait(FixedHost):
    def wrong_request(self, flow: Flow, context: Context, segment: Segment, option: Migrate) -> None:
        super().wrong_request(flow, context, segment, option)
        if context.wait_until is not None:
            self.wait_is_over(flow, context)


@deviation(
    "migrate-older-number-ends-the-wait",
    "wait",
    "A Migrate SYN that counts for nothing does not end MIGRATE-WAIT.",
    "one with an older ReqNo closes the connection",
)
class OlderNumberEndsTheWait(FixedHost):
    def duplicate(self, flow: Flow, context: Context, segment: Segment, option: Migrate) -> None:
        super().duplicate(flow, context, segment, option)
        if context.wait_until is not None:
            self.wait_is_over(flow, context)


@deviation(
    "migrate-resets-put-the-end-off",
    "wait",
    "Resets in MIGRATE-WAIT do not put its end off.",
    "each of them begins it anew",
)
class ResetsPutTheEndOff(FixedHost):
    def reset_while_waiting(self, flow: Flow, context: Context) -> bool:
        self.wait(flow, context)
        return False


@deviation(
    "migrate-refused-requests-put-the-end-off",
    "wait",
    "Refused Migrate SYNs in MIGRATE-WAIT do not put its end off.",
    "each of them begins it anew",
)
class RefusedRequestsPutTheEndOff(FixedHost):
    def wrong_request(self, flow: Flow, context: Context, segment: Segment, option: Migrate) -> None:
        super().wrong_request(flow, context, segment, option)
        if context.wait_until is not None:
            self.wait(flow, context)


@deviation(
    "migrate-silent-peer-does-not-migrate",
    "2",
    "A connection whose peer falls silent, its data unacknowledged, migrates.",
    "while data is unacknowledged its Token names none",
)
class SilentPeerDoesNotMigrate(FixedHost):
    def find(self, option: Migrate, segment: Segment) -> Flow | None:
        flow = super().find(option, segment)
        context = None if flow is None else context_of(flow)
        return None if context is None or context.next != context.acknowledged else flow
