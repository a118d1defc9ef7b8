# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations of who may have a session back: identifiers, users, counters, messages that are cut."""

import socket

from reference.msocks import messages
from reference.msocks.messages import Counters, End, Request
from reference.msocks.negotiation import Negotiation
from reference.msocks.outward import Outward
from reference.msocks.proxy import Proxy
from reference.msocks.relay import Relay
from reference.system.alterations import deviation

_64 = 1 << 64


@deviation(
    "msocks-sixteen-identifiers", "4", "No two living sessions have one identifier.", "there are sixteen of them"
)
class SixteenIdentifiers(Outward):
    def identifier(self, held: socket.socket) -> End:
        address, port = super().identifier(held)
        return End(address, 40_000 + port % 16)


@deviation(
    "msocks-identifier-is-the-correspondent",
    "4",
    "No two living sessions have one identifier.",
    "it is the correspondent's address and port",
)
class IdentifierIsTheCorrespondent(Outward):
    def identifier(self, held: socket.socket) -> End:
        try:
            address, port = held.getpeername()[:2]
        except OSError:
            return super().identifier(held)
        return End(address, port)


@deviation(
    "msocks-unknown-identifier-gets-the-last",
    "4",
    "An unknown identifier is refused.",
    "it gets the newest session of the user",
)
class UnknownIdentifierGetsTheLast(Proxy):
    def find(self, identifier: End, user: bytes) -> Relay | None:
        mine = [one for one in self.relays.values() if one.belongs_to(user)]
        return super().find(identifier, user) or (mine[-1] if mine else None)


@deviation("msocks-identifier-is-the-port-alone", "4", "The identifier is address and port.", "any address will do")
class IdentifierIsThePortAlone(Proxy):
    def find(self, identifier: End, user: bytes) -> Relay | None:
        known = [one for one in self.relays.values() if one.identifier.port == identifier.port and one.belongs_to(user)]
        return known[0] if known else None


@deviation(
    "msocks-nearest-identifier", "4", "An unknown identifier is refused.", "the lowest bit of the port does not count"
)
class NearestIdentifier(Proxy):
    def find(self, identifier: End, user: bytes) -> Relay | None:
        beside = End(identifier.address, identifier.port ^ 1)
        return super().find(identifier, user) or super().find(beside, user)


@deviation(
    "msocks-closed-session-accepted", "4", "The identifier of a closed session is refused.", "it is answered by success"
)
class ClosedSessionAccepted(Negotiation):
    def reconnect(self, request: Request) -> None:
        known: set[End] = self.proxy.__dict__.setdefault("closed", set())
        relay = self.proxy.find(request.to, self.user)
        if relay is None and request.to in known:
            self.say(messages.reply(messages.SUCCEEDED, request.to, request.counters))
            return
        super().reconnect(request)

    def _join(self, outside: socket.socket, identifier: End) -> None:
        self.proxy.__dict__.setdefault("closed", set()).add(identifier)
        super()._join(outside, identifier)


@deviation("msocks-any-user", "4", "The session of another user is refused.", "whoever is a user gets it")
class AnyUser(Relay):
    def belongs_to(self, user: bytes) -> bool:
        return bool(user) == bool(self.user)


@deviation("msocks-anonymous-may-have-all", "4", "The session of another user is refused.", "who has no name gets it")
class AnonymousMayHaveAll(Relay):
    def belongs_to(self, user: bytes) -> bool:
        return user in (b"", self.user)


@deviation("msocks-users-never-come-back", "4", "The user whose session it is gets it.", "only nobody does")
class UsersNeverComeBack(Relay):
    def belongs_to(self, user: bytes) -> bool:
        return super().belongs_to(user) and not user


def _clipped(relay: Relay, node: Counters) -> Counters:
    received, _ = relay.counters()
    return Counters(min(node.received, relay.to_mobile.end), max(node.sent, received))


class _Lenient(Relay):
    """Takes counters that cannot be for the nearest that can."""

    def attach(self, mobile: socket.socket, received: int, behind: bytes = b"") -> None:
        super().attach(mobile, min(max(received, self.to_mobile.start), self.to_mobile.end), behind)


@deviation("msocks-received-unchecked", "4", "Received above what was sent is refused.", "it is taken")
class ReceivedUnchecked(_Lenient):
    def is_possible(self, node: Counters) -> bool:
        return super().is_possible(_clipped(self, node)._replace(sent=node.sent))


@deviation("msocks-received-by-one-unchecked", "4", "Received above what was sent is refused.", "one byte above is not")
class ReceivedByOneUnchecked(_Lenient):
    def is_possible(self, node: Counters) -> bool:
        return super().is_possible(Counters(max(0, node.received - 1), node.sent))


@deviation("msocks-received-in-32-bits", "4", "The counters have 64 bits.", "of received the lower 32 count")
class ReceivedIn32Bits(_Lenient):
    def is_possible(self, node: Counters) -> bool:
        return super().is_possible(Counters(node.received & 0xFFFFFFFF, node.sent))

    def can_replay(self, node: Counters) -> bool:
        return super().can_replay(Counters(node.received & 0xFFFFFFFF, node.sent))

    def attach(self, mobile: socket.socket, received: int, behind: bytes = b"") -> None:
        super().attach(mobile, received & 0xFFFFFFFF, behind)


@deviation("msocks-received-is-signed", "4", "The counters have 64 bits.", "received is compared as signed")
class ReceivedIsSigned(_Lenient):
    def is_possible(self, node: Counters) -> bool:
        signed = node.received - _64 if node.received >> 63 else node.received
        return super().is_possible(Counters(max(0, signed), node.sent)) and super().is_possible(Counters(0, node.sent))


@deviation("msocks-sent-unchecked", "4", "Sent below what was received is refused.", "it is taken")
class SentUnchecked(Relay):
    def is_possible(self, node: Counters) -> bool:
        return super().is_possible(_clipped(self, node)._replace(received=node.received))


@deviation(
    "msocks-sent-zero-unchecked",
    "4",
    "Sent below what was received is refused.",
    "zero is taken for a node that does not count",
)
class SentZeroUnchecked(Relay):
    def is_possible(self, node: Counters) -> bool:
        return super().is_possible(node if node.sent else _clipped(self, node))


@deviation("msocks-sent-after-the-fin", "4", "After the node's FIN no more can have been sent.", "it is taken")
class SentAfterTheFin(Relay):
    def is_possible(self, node: Counters) -> bool:
        received, sent = self.counters()
        return node.received <= sent and node.sent >= received


@deviation(
    "msocks-displaced-before-it-is-judged",
    "4",
    "A refused RECONNECT leaves the session alone.",
    "the old mobile side is cut off first",
)
class DisplacedBeforeItIsJudged(Negotiation):
    def reconnect(self, request: Request) -> None:
        relay = self.proxy.find(request.to, self.user)
        if relay is not None and relay.mobile is not None:
            relay.lost(OSError())
        super().reconnect(request)


@deviation("msocks-refusal-counts", "4", "A refused RECONNECT changes no counter.", "its sent is taken over")
class RefusalCounts(Relay):
    claimed = 0

    def is_possible(self, node: Counters) -> bool:
        possible = super().is_possible(node)
        if not possible:
            self.claimed += 1
        return possible

    def counters(self) -> Counters:
        received, sent = super().counters()
        return Counters(received, sent + self.claimed)


@deviation(
    "msocks-cut-reconnect-displaces",
    "4",
    "A RECONNECT that is cut short moves nothing.",
    "its identifier ends the old mobile side",
)
class CutReconnectDisplaces(Negotiation):
    def _request(self) -> bool:
        if self.buffer[1:2] == bytes([self.settings.reconnect_command]) and len(self.buffer) >= 10:
            part = messages.request(self.buffer[:10].ljust(26, b"\0"), self.settings.reconnect_command)
            relay = self.proxy.find(part.to, self.user) if part else None
            if relay is not None and len(self.buffer) < 26:
                relay.abort()
        return super()._request()


@deviation(
    "msocks-cut-counters-are-zero",
    "4",
    "A RECONNECT that is cut short moves nothing.",
    "missing counters are taken for zero",
)
class CutCountersAreZero(Negotiation):
    def _ready(self, events: int) -> None:
        super()._ready(events)
        if self.over and not self.finishing and 10 <= len(self.buffer) < 26 and self.buffer[1] == 0x80:
            part = messages.request(self.buffer[:10].ljust(26, b"\0"), self.settings.reconnect_command)
            relay = self.proxy.find(part.to, self.user) if part else None
            if relay is not None:
                relay.abort()


@deviation(
    "msocks-old-counters-roll-back",
    "4",
    "An older RECONNECT brings what its counters ask for.",
    "it begins with what is newest",
)
class OldCountersRollBack(Relay):
    def is_possible(self, node: Counters) -> bool:
        return node.received <= self.counters()[1]

    def attach(self, mobile: socket.socket, received: int, behind: bytes = b"") -> None:
        newer = self.to_mobile.highest - received > 100
        super().attach(mobile, self.to_mobile.highest if newer and self.mobile is not None else received, behind)
