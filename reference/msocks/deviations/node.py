# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations of the mobile node: what it tells its proxy, what it sends again, what it tells its application."""

import contextlib
import socket
from typing import ClassVar

from reference.msocks.client.carrier import Carrier, LostError
from reference.msocks.client.node import Ends, MobileNode, RefusedError, ordinary_pair
from reference.msocks.messages import Counters, End, command
from reference.system.alterations import deviation


@deviation(
    "msocks-node-counts-from-the-last-move",
    "4",
    "The counters are those of the connection.",
    "received begins anew at each move",
)
class CountsFromTheLastMove(Carrier):
    begun = 0

    def counters(self) -> Counters:
        received, sent = super().counters()
        return Counters(received - self.begun, sent)

    def go_on(self, proxy: Counters) -> None:
        super().go_on(proxy)
        self.begun = self.received


@deviation("msocks-node-sent-is-what-was-acknowledged", "4", "Sent is all that was sent.", "it is one less")
class SentOneLess(Carrier):
    def counters(self) -> Counters:
        received, sent = super().counters()
        return Counters(received, max(0, sent - 1))


@deviation(
    "msocks-node-received-one-more",
    "4",
    "Received is what the library has taken.",
    "it is one more where something was",
)
class ReceivedOneMore(Carrier):
    def counters(self) -> Counters:
        received, sent = super().counters()
        return Counters(received + bool(received), sent)


@deviation(
    "msocks-node-counters-the-other-way-round", "4", "Received comes first, then sent.", "it is the other way round"
)
class CountersTheOtherWayRound(Carrier):
    def counters(self) -> Counters:
        received, sent = super().counters()
        return Counters(sent, received)


@deviation(
    "msocks-node-identifier-cut",
    "4",
    "RECONNECT names the identifier that was given.",
    "its port without the highest bit",
)
class IdentifierCut(Carrier):
    def request(self) -> bytes:
        identifier = End(self.identifier.address, self.identifier.port ^ 1)
        return command(self.settings.reconnect_command, identifier, self.counters())


@deviation(
    "msocks-node-last-piece-twice",
    "4",
    "What had come before a move comes to the application once.",
    "the last of it comes again",
)
class LastPieceTwice(Carrier):
    last = b""

    def _taken(self, data: bytes) -> None:
        super()._taken(data)
        self.last = data

    def go_on(self, proxy: Counters) -> None:
        super().go_on(proxy)
        if self.last:
            self.incoming.append(self.last)


@deviation(
    "msocks-node-takes-what-was-sent-for-received",
    "4",
    "Bytes lost on the way come once.",
    "after a move the first byte is passed over",
)
class PassesOver(Carrier):
    moves = 0

    def go_on(self, proxy: Counters) -> None:
        super().go_on(proxy)
        self.moves += 1

    def _taken(self, data: bytes) -> None:
        super()._taken(data)
        if self.moves and self.incoming:
            self.incoming[-1] = self.incoming[-1][1:]
            self.moves = 0


@deviation("msocks-node-sends-nothing-again", "4", "What was lost is sent again.", "it goes on from what it has sent")
class SendsNothingAgain(Carrier):
    def go_on(self, proxy: Counters) -> None:
        self.outgoing.rewind(self.outgoing.highest)


@deviation(
    "msocks-node-sends-all-again", "4", "Nothing is sent twice.", "the last byte that the proxy has is sent again"
)
class SendsOneByteAgain(Carrier):
    def go_on(self, proxy: Counters) -> None:
        self.outgoing.rewind(max(self.outgoing.start, proxy.received - 1))


@deviation(
    "msocks-node-forgets-what-was-acknowledged",
    "4",
    "What the proxy has not received is sent again.",
    "not what its kernel has acknowledged",
)
class ForgetsWhatWasAcknowledged(Carrier):
    def go_on(self, proxy: Counters) -> None:
        lost = self.outgoing.highest - proxy.received
        self.outgoing.rewind(self.outgoing.highest if 500 < lost < 700 else proxy.received)


@deviation(
    "msocks-node-refusal-is-an-end", "4", "A refusal is an error to the application.", "it is the end of the stream"
)
class RefusalIsAnEnd(Carrier):
    def give_up(self, error: OSError) -> None:
        del error
        self.application_shut = True


@deviation(
    "msocks-node-refusal-untold", "4", "A refusal is an error to the application.", "the application is told nothing"
)
class RefusalUntold(Carrier):
    kept: ClassVar[list[object]] = []

    def give_up(self, error: OSError) -> None:
        self.kept.append(self.application.dup())


@deviation(
    "msocks-node-second-refusal-untold",
    "4",
    "A refusal is an error to the application.",
    "not after an earlier success",
)
class SecondRefusalUntold(RefusalUntold):
    moves = 0

    def go_on(self, proxy: Counters) -> None:
        super().go_on(proxy)
        self.moves += 1

    def give_up(self, error: OSError) -> None:
        if self.moves:
            super().give_up(error)
        else:
            Carrier.give_up(self, error)


@deviation(
    "msocks-node-any-counter",
    "4",
    "A counter that cannot be is an error to the application.",
    "it is taken for what was sent",
)
class AnyCounter(Carrier):
    def is_possible(self, proxy: Counters) -> bool:
        return True

    def go_on(self, proxy: Counters) -> None:
        self.outgoing.rewind(min(max(proxy.received, self.outgoing.start), self.outgoing.highest))


@deviation(
    "msocks-node-counter-in-32-bits",
    "4",
    "A counter that cannot be is an error to the application.",
    "of it the lower 32 bits count",
)
class CounterIn32Bits(Carrier):
    def is_possible(self, proxy: Counters) -> bool:
        return super().is_possible(Counters(proxy.received & 0xFFFFFFFF, proxy.sent))

    def go_on(self, proxy: Counters) -> None:
        self.outgoing.rewind(proxy.received & 0xFFFFFFFF)


@deviation(
    "msocks-node-one-move", "4", "The application sees one connection through all moves.", "at the second one it ends"
)
class OneMove(Carrier):
    moves = 0

    def reconnect(self) -> None:
        if self.moves == 1:
            raise OSError
        self.moves += 1
        super().reconnect()


@deviation(
    "msocks-node-lost-without-a-move", "4", "After a reset the node comes back.", "the application gets the reset"
)
class LostWithoutAMove(Carrier):
    def _serve_mobile(self, takes: bool) -> None:
        try:
            super()._serve_mobile(takes)
        except LostError as error:
            raise OSError from error


@deviation(
    "msocks-node-fin-lost-after-a-move", "4", "The application's half-close comes to the proxy.", "not after a move"
)
class FinLostAfterAMove(Carrier):
    moves = 0

    def go_on(self, proxy: Counters) -> None:
        super().go_on(proxy)
        self.moves += 1

    def _send(self) -> None:
        finished, self.application_finished = self.application_finished, self.application_finished and not self.moves
        with contextlib.ExitStack() as stack:
            stack.callback(setattr, self, "application_finished", finished)
            super()._send()


@deviation(
    "msocks-node-asks-for-the-next-port",
    "4",
    "CONNECT names the application's address and port.",
    "it is the next port",
)
class AsksForTheNextPort(MobileNode):
    role = "mobile node"

    def connect_with_ends(self, host: str, port: int, timeout_s: float = 10.0) -> tuple[socket.socket, Ends]:
        return super().connect_with_ends(host, port % 65535 + 1, timeout_s)


@deviation(
    "msocks-node-refused-connect-untold",
    "4",
    "A refused CONNECT is an error to the application.",
    "it seems to succeed",
)
class RefusedConnectUntold(MobileNode):
    role = "mobile node"
    kept: ClassVar[list[socket.socket]] = []

    def connect_with_ends(self, host: str, port: int, timeout_s: float = 10.0) -> tuple[socket.socket, Ends]:
        try:
            return super().connect_with_ends(host, port, timeout_s)
        except RefusedError:
            application, ours = ordinary_pair()
            self.kept.append(ours)
            return application, Ends(End("0.0.0.0", 0), End(host, port))


@deviation("msocks-node-calls-without-need", "4", "Without a move no further connection is opened.", "data opens one")
class CallsWithoutNeed(Carrier):
    def _taken(self, data: bytes) -> None:
        super()._taken(data)
        further = socket.socket()
        further.setblocking(False)
        further.connect_ex((self.settings.proxy, self.settings.port))
        self.__dict__.setdefault("further", []).append(further)
