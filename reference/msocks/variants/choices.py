# SPDX-License-Identifier: GPL-2.0-or-later
"""Variants of what RFC 1928 and the lecture leave open: codes, ends, what is kept, what is counted."""

import socket

from reference.msocks import messages
from reference.msocks.messages import Counters, Request
from reference.msocks.negotiation import Negotiation
from reference.msocks.outward import Outward
from reference.msocks.relay import Relay
from reference.msocks.tcp import shut
from reference.system.alterations import variant


@variant("msocks-refusal-is-general", "4", "Which error a refused RECONNECT draws is left open.", "it is 01")
class RefusalIsGeneral(Negotiation):
    def refusal_of_reconnect(self) -> int:
        return messages.GENERAL_FAILURE


@variant("msocks-refusal-is-an-unknown-host", "4", "Which error a refused RECONNECT draws is left open.", "it is 04")
class RefusalIsAnUnknownHost(Negotiation):
    def refusal_of_reconnect(self) -> int:
        return messages.HOST_UNREACHABLE


@variant(
    "msocks-anonymous-preferred", "4", "Which of several methods is chosen is left open.", "it is that without a name"
)
class AnonymousPreferred(Negotiation):
    def choose_method(self, offered: bytes) -> int:
        if self.settings.anonymous and messages.NO_AUTHENTICATION in offered:
            return messages.NO_AUTHENTICATION
        return super().choose_method(offered)


@variant(
    "msocks-closes-at-once-after-a-failure",
    "1928.6",
    "After a failure the connection ends within ten seconds.",
    "the proxy closes it at once",
)
class ClosesAtOnce(Negotiation):
    def _finish(self) -> None:
        super()._finish()
        self.loop.after(0, self.close)


@variant(
    "msocks-five-seconds-after-a-failure",
    "1928.6",
    "After a failure the connection ends within ten seconds.",
    "the proxy waits for five",
)
class WaitsForFiveSeconds(Negotiation):
    def refuse(self, code: int) -> None:
        self.give_up = None
        if not self.over:
            self.say(messages.reply(code))
            self.step, self.finishing = None, True
            self.loop.after(5.0, self.close)


@variant(
    "msocks-given-up-with-a-fin",
    "4",
    "What tells the correspondent that the hold time is over is left open.",
    "it is a FIN",
)
class GivenUpWithAFin(Relay):
    def hold_ended(self) -> None:
        shut(self.outside.socket)
        self.end()


@variant(
    "msocks-held-a-second-longer", "4", "The hold time is the least that a session is kept.", "it is kept a second more"
)
class HeldASecondLonger(Relay):
    def hold_s(self) -> float:
        return super().hold_s() + 1.0


@variant(
    "msocks-older-reconnect-refused",
    "4",
    "An older RECONNECT may be refused.",
    "one is whose sent is below what the last one said",
)
class OlderReconnectRefused(Relay):
    latest = 0

    def is_possible(self, node: Counters) -> bool:
        possible = super().is_possible(node) and node.sent >= self.latest
        if possible:
            self.latest = node.sent
        return possible


@variant(
    "msocks-first-of-two-wins",
    "4",
    "Which of two RECONNECTs at once has the session is left open.",
    "the second one of a moment is refused",
)
class FirstOfTwoWins(Negotiation):
    def reconnect(self, request: Request) -> None:
        relay = self.proxy.find(request.to, self.user)
        if relay is not None and relay.__dict__.get("settling_down"):
            self.refuse(self.refusal_of_reconnect())
            return
        super().reconnect(request)
        if relay is not None:
            relay.__dict__["settling_down"] = True
            self.loop.after(0.001, lambda: relay.__dict__.update(settling_down=False))


@variant("msocks-old-side-gets-a-fin", "4", "How the old mobile side ends is left open.", "it gets a FIN and no reset")
class OldSideGetsAFin(Relay):
    def displace(self) -> None:
        if self.mobile is not None:
            self.mobile.close()
            self.mobile = None


@variant("msocks-small-pieces", "4", "How the stream is cut is left open.", "it goes out in pieces of a few bytes")
class SmallPieces(Outward):
    def new_socket(self, family: int) -> socket.socket:
        held = super().new_socket(family)
        held.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 200)
        return held
