# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations of the hold time: how long a session is kept whose mobile side is lost."""

import socket
import time
from typing import Any

from reference.msocks import messages
from reference.msocks.messages import Counters, Request
from reference.msocks.negotiation import Negotiation
from reference.msocks.relay import Relay
from reference.system.alterations import deviation


@deviation("msocks-kept-for-half-the-time", "4", "A session is kept for the hold time.", "for half of it")
class KeptForHalfTheTime(Relay):
    def hold_s(self) -> float:
        return super().hold_s() / 2


@deviation("msocks-kept-for-ever", "4", "When the hold time is over the correspondent is told.", "it never is")
class KeptForEver(Relay):
    def hold_ended(self) -> None:
        pass


@deviation(
    "msocks-given-up-and-not-told",
    "4",
    "When the hold time is over the correspondent is told.",
    "only RECONNECT is refused",
)
class GivenUpAndNotTold(Relay):
    def hold_ended(self) -> None:
        self.relays.ended(self)


@deviation("msocks-hold-begins-once", "4", "The hold time begins anew at each loss.", "it begins at the first one")
class HoldBeginsOnce(Relay):
    first_loss = 0.0

    def lost(self, error: OSError) -> None:
        super().lost(error)
        self.first_loss = self.first_loss or time.monotonic()
        if self.holding is not None:
            self.holding.cancel()
            left = max(0.0, self.first_loss + self.hold_s() - time.monotonic())
            self.holding = self.loop.after(left, self.hold_ended)


@deviation("msocks-hold-goes-on-after-a-move", "4", "The hold time of a loss ends nothing after RECONNECT.", "it does")
class HoldGoesOnAfterAMove(Relay):
    def attach(self, mobile: socket.socket, received: int, behind: bytes = b"") -> None:
        self.holding = None
        super().attach(mobile, received, behind)

    def hold_ended(self) -> None:
        if not self.over:
            super().hold_ended()


@deviation(
    "msocks-idle-is-lost",
    "4",
    "A session that is idle is not lost.",
    "after half of the hold time without data it is given up",
)
class IdleIsLost(Relay):
    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self._watch()

    def _watch(self) -> None:
        before = self.counters()

        def look() -> None:
            if not self.over and self.counters() == before:
                self.abort()
            elif not self.over:
                self._watch()

        self.loop.after(self.hold_s() / 2, look)


@deviation(
    "msocks-refusal-prolongs-the-hold", "4", "Refused RECONNECTs do not prolong the hold time.", "each begins it anew"
)
class RefusalProlongsTheHold(Relay):
    def is_possible(self, node: Counters) -> bool:
        possible = super().is_possible(node)
        if not possible and self.holding is not None:
            self.holding.cancel()
            self.holding = self.loop.after(self.hold_s(), self.hold_ended)
        return possible


@deviation(
    "msocks-refusal-ends-the-hold", "4", "Refused RECONNECTs change nothing.", "a session that waits is given up"
)
class RefusalEndsTheHold(Relay):
    def is_possible(self, node: Counters) -> bool:
        possible = super().is_possible(node)
        if not possible and self.holding is not None:
            self.abort()
        return possible


@deviation(
    "msocks-fifty-absent-nodes",
    "4",
    "Absent nodes do not starve new ones.",
    "while fifty are absent nobody else is served",
)
class FiftyAbsentNodes(Negotiation):
    def carry_out(self, request: Request) -> None:
        absent = sum(relay.mobile is None for relay in self.proxy.relays.values())
        if request.command == messages.CONNECT and absent >= 50:
            self.refuse(messages.GENERAL_FAILURE)
        else:
            super().carry_out(request)
