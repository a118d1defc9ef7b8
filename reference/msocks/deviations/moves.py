# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations while a session moves: the old mobile side, the correspondent, bytes under way, and counters."""

import contextlib
import socket

from reference.msocks import messages
from reference.msocks.loop import READ, Watched
from reference.msocks.messages import Counters, Request
from reference.msocks.negotiation import Negotiation
from reference.msocks.relay import Relay
from reference.system.alterations import deviation


@deviation("msocks-reconnect-refused", "4", "RECONNECT succeeds.", "it is an unknown command")
class ReconnectRefused(Negotiation):
    def reconnect(self, request: Request) -> None:
        self.refuse(self.unknown_command())


@deviation(
    "msocks-reconnect-from-the-same-address",
    "4",
    "RECONNECT succeeds.",
    "from the address of the old side it is refused",
)
class ReconnectFromTheSameAddress(Negotiation):
    def _join(self, outside: socket.socket, identifier: messages.End) -> None:
        address = self.held.socket.getpeername()[0]
        super()._join(outside, identifier)
        relay = self.proxy.find(identifier, self.user)
        if relay is not None:
            relay.__dict__["first"] = address

    def reconnect(self, request: Request) -> None:
        relay = self.proxy.find(request.to, self.user)
        if relay is not None and relay.__dict__.get("first") == self.held.socket.getpeername()[0]:
            self.refuse(messages.NOT_ALLOWED)
        else:
            super().reconnect(request)


@deviation(
    "msocks-reconnect-while-lost-alone", "4", "RECONNECT succeeds while the old side is open.", "only after a loss"
)
class ReconnectWhileLostAlone(Negotiation):
    def reconnect(self, request: Request) -> None:
        relay = self.proxy.find(request.to, self.user)
        if relay is not None:
            relay.drain()
        if relay is not None and relay.mobile is not None:
            self.refuse(messages.NOT_ALLOWED)
        else:
            super().reconnect(request)


class _Counting(Negotiation):
    """Counts the moves of each session."""

    def moves(self, relay: Relay) -> int:
        return int(relay.__dict__.get("moves", 0))

    def is_served(self, counters: Counters, relay: Relay) -> bool:
        served = super().is_served(counters, relay) and self.may_move(relay)
        relay.__dict__["moves"] = self.moves(relay) + served
        return served

    def may_move(self, relay: Relay) -> bool:
        return True


@deviation("msocks-one-move", "4", "RECONNECT succeeds again.", "the second one is refused")
class OneMove(_Counting):
    def may_move(self, relay: Relay) -> bool:
        return self.moves(relay) < 1


@deviation("msocks-three-moves", "4", "RECONNECT succeeds again.", "the fourth one is refused")
class ThreeMoves(_Counting):
    def may_move(self, relay: Relay) -> bool:
        return self.moves(relay) < 3


@deviation("msocks-no-way-back", "4", "RECONNECT succeeds from an earlier address.", "it is refused there")
class NoWayBack(Negotiation):
    def is_served(self, counters: Counters, relay: Relay) -> bool:
        known: set[str] = relay.__dict__.setdefault("places", set())
        here = self.held.socket.getpeername()[0]
        served = super().is_served(counters, relay) and here not in known
        known.add(here)
        return served


@deviation("msocks-reconnect-without-data-refused", "4", "RECONNECT succeeds.", "before any data it is refused")
class ReconnectWithoutDataRefused(Negotiation):
    def is_served(self, counters: Counters, relay: Relay) -> bool:
        return super().is_served(counters, relay) and any(relay.counters())


@deviation("msocks-old-side-still-read", "4", "The old mobile side is cut off.", "what comes from there goes on")
class OldSideStillRead(Relay):
    def displace(self) -> None:
        former, self.mobile = self.mobile, None
        if former is None:
            return
        held = former.give_away()

        def ready(_: int) -> None:
            try:
                data = held.recv(65536)
            except OSError:
                data = b""
            if not data:
                ghost.leave()
            elif not self.over:
                self.to_outside.append(data)
                self.flush_to_outside()

        ghost = Watched(self.loop, held, ready, READ)


@deviation(
    "msocks-old-side-still-written-to",
    "4",
    "The old mobile side is cut off.",
    "what goes to the new one goes there too",
)
class OldSideStillWrittenTo(Relay):
    def displace(self) -> None:
        former, self.mobile = self.mobile, None
        if former is not None:
            self.__dict__.setdefault("ghosts", []).append(former.give_away())

    def flush_to_mobile(self) -> None:
        before, ghosts = self.to_mobile.position, self.__dict__.get("ghosts", [])
        copy = bytes(self.to_mobile.piece()) if self.to_mobile.unsent else b""
        super().flush_to_mobile()
        for ghost in ghosts if self.to_mobile.position > before else []:
            try:
                ghost.send(copy)
            except OSError:
                ghosts.remove(ghost)


@deviation("msocks-fin-at-a-loss", "4", "The correspondent notices nothing of a move.", "at a loss it gets a FIN")
class FinAtALoss(Relay):
    def lost(self, error: OSError) -> None:
        super().lost(error)
        if not self.over and not self.outside_shut:
            self.finish_outside()


@deviation("msocks-byte-again-at-a-move", "4", "No byte is repeated.", "after a move the last byte goes out again")
class ByteAgainAtAMove(Relay):
    last = b""

    def flush_to_outside(self) -> None:
        if self.to_outside.unsent:
            self.last = bytes(self.to_outside.piece())[-1:]
        super().flush_to_outside()

    def attach(self, mobile: socket.socket, received: int, behind: bytes = b"") -> None:
        moving = self.mobile is not None or self.holding is not None
        super().attach(mobile, received, behind)
        if moving and self.last and not self.outside_shut:
            with contextlib.suppress(OSError):
                self.outside.socket.send(self.last)


@deviation("msocks-fourth-move-loses-a-byte", "4", "No byte is lost.", "the fourth mobile side misses one")
class FourthMoveLosesAByte(Relay):
    sides = 0

    def attach(self, mobile: socket.socket, received: int, behind: bytes = b"") -> None:
        self.sides += 1
        skip = self.sides == 5 and received < self.to_mobile.end
        super().attach(mobile, received + skip, behind)


@deviation(
    "msocks-sends-from-its-own-count",
    "4",
    "The proxy goes on from what the node has received.",
    "it goes on from what it has sent",
)
class SendsFromItsOwnCount(Relay):
    def attach(self, mobile: socket.socket, received: int, behind: bytes = b"") -> None:
        super().attach(mobile, max(received, self.to_mobile.highest), behind)


@deviation("msocks-one-byte-again", "4", "No byte is repeated.", "the last one that the node has comes again")
class OneByteAgain(Relay):
    def attach(self, mobile: socket.socket, received: int, behind: bytes = b"") -> None:
        again = received > self.to_mobile.start and (self.mobile is not None or self.holding is not None)
        super().attach(mobile, received - again, behind)


@deviation(
    "msocks-absence-is-not-buffered", "4", "What comes during the absence comes later.", "it is lost beyond 2,000 bytes"
)
class AbsenceIsNotBuffered(Relay):
    def _take_from_outside(self) -> None:
        stream = self.to_mobile
        end, pieces = stream.end, len(stream._pieces)
        super()._take_from_outside()
        if self.mobile is None and stream.unsent > 2000:
            while len(stream._pieces) > pieces:
                stream._pieces.pop()
            stream.end = end
