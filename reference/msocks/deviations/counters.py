# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations of the counters in a reply, of two at once, and of closes around a move."""

import socket
import time

from reference.msocks import messages
from reference.msocks.deviations.moves import OldSideStillWrittenTo
from reference.msocks.messages import Counters, Request
from reference.msocks.negotiation import Negotiation
from reference.msocks.relay import Relay
from reference.system.alterations import deviation


@deviation(
    "msocks-counter-of-this-side", "4", "The counters go on through all moves.", "received counts from the last move on"
)
class CounterOfThisSide(Relay):
    begun = 0

    def counters(self) -> Counters:
        received, sent = super().counters()
        return Counters(received - self.begun, sent)

    def attach(self, mobile: socket.socket, received: int, behind: bytes = b"") -> None:
        super().attach(mobile, received, behind)
        self.begun = self.to_outside.end

    def is_possible(self, node: Counters) -> bool:
        begun, self.begun = self.begun, 0
        possible = super().is_possible(node)
        self.begun = begun
        return possible


@deviation("msocks-received-is-what-has-gone-out", "4", "Received counts what the proxy has.", "it counts one less")
class ReceivedOneLess(Relay):
    def counters(self) -> Counters:
        received, sent = super().counters()
        return Counters(max(0, received - 1), sent)


@deviation("msocks-received-one-more", "4", "Received counts what the proxy has.", "it counts one more after a move")
class ReceivedOneMore(Negotiation):
    def say(self, message: bytes) -> None:
        if len(message) == 26:
            received, sent = messages.COUNTERS.unpack(message[10:])
            message = message[:10] + messages.COUNTERS.pack(received + 1, sent)
        super().say(message)


@deviation("msocks-sent-goes-back", "4", "Sent is the most ever.", "it is what the node says that it has received")
class SentGoesBack(Negotiation):
    node = 0

    def reconnect(self, request: Request) -> None:
        self.node = request.counters.received
        super().reconnect(request)

    def say(self, message: bytes) -> None:
        if len(message) == 26:
            received, _ = messages.COUNTERS.unpack(message[10:])
            message = message[:10] + messages.COUNTERS.pack(received, self.node)
        super().say(message)


@deviation("msocks-counters-the-other-way-round", "4", "Received comes first, then sent.", "it is the other way round")
class CountersTheOtherWayRound(Negotiation):
    def say(self, message: bytes) -> None:
        super().say(message[:10] + message[18:] + message[10:18] if len(message) == 26 else message)


@deviation(
    "msocks-both-sides-at-once", "4", "One mobile side has the session.", "two that come within a second both have it"
)
class BothSidesAtOnce(OldSideStillWrittenTo):
    attached = 0.0

    def displace(self) -> None:
        soon = time.monotonic() - self.attached < 1.0 and self.attached
        self.attached = time.monotonic()
        if soon:
            super().displace()
        else:
            Relay.displace(self)


@deviation("msocks-neither-side-at-once", "4", "One mobile side has the session.", "of two within a second neither has")
class NeitherSideAtOnce(Relay):
    attached = 0.0

    def attach(self, mobile: socket.socket, received: int, behind: bytes = b"") -> None:
        soon = 0 < time.monotonic() - self.attached < 0.2 and received == self.to_mobile.highest and received > 0
        self.attached = time.monotonic()
        super().attach(mobile, received, behind)
        if soon and self.mobile is not None:
            self.lost(OSError())


@deviation(
    "msocks-close-during-absence-untold", "4", "The correspondent's FIN during absence comes later.", "it does not"
)
class CloseDuringAbsenceUntold(Relay):
    absent_close = False

    def _take_from_outside(self) -> None:
        super()._take_from_outside()
        self.absent_close |= self.outside_finished and self.mobile is None

    def finish_mobile(self) -> None:
        if self.absent_close:
            self.mobile_shut = True
        else:
            super().finish_mobile()


@deviation(
    "msocks-silent-absence-close-untold",
    "4",
    "The correspondent's FIN during absence comes later.",
    "the next mobile side gets none",
)
class FinOnlyOnce(Relay):
    shut_before = False

    def finish_mobile(self) -> None:
        if self.shut_before:
            self.mobile_shut = True
        else:
            super().finish_mobile()
        self.shut_before = True


@deviation(
    "msocks-reset-during-absence-untold", "4", "After the correspondent's reset the new side ends.", "it stays open"
)
class ResetDuringAbsenceUntold(Relay):
    def outside_lost(self) -> None:
        if self.__dict__.get("dead"):
            return
        self.__dict__["dead"] = True
        self.outside.leave()
        self.outside_finished = False

    def _want_outside(self) -> None:
        if not self.__dict__.get("dead"):
            super()._want_outside()


@deviation(
    "msocks-half-closed-session-stays", "4", "A half-closed session moves.", "after the node's FIN RECONNECT is refused"
)
class HalfClosedSessionStays(Negotiation):
    def is_served(self, counters: Counters, relay: Relay) -> bool:
        return super().is_served(counters, relay) and not relay.mobile_finished


@deviation(
    "msocks-closed-by-the-correspondent-stays",
    "4",
    "A half-closed session moves.",
    "after the correspondent's FIN RECONNECT is refused",
)
class ClosedByTheCorrespondentStays(Negotiation):
    def is_served(self, counters: Counters, relay: Relay) -> bool:
        return super().is_served(counters, relay) and not relay.outside_finished


@deviation(
    "msocks-fifty-moves", "4", "A hundred sessions of a node move together.", "the fifty-first of a minute is refused"
)
class FiftyMoves(Negotiation):
    def is_served(self, counters: Counters, relay: Relay) -> bool:
        here = self.held.socket.getpeername()[0]
        counts: dict[str, int] = self.proxy.__dict__.setdefault("counts", {})
        counts[here] = counts.get(here, 0) + 1
        return super().is_served(counters, relay) and counts[here] <= 50
