# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations in replies that are not the first one, the shortest one, or of TCP; and in whom the interval holds."""

from collections.abc import Hashable
from dataclasses import replace

from reference.bump.network import UDP
from reference.mops.context import Move, last_move
from reference.mops.message import FAILED, Entry, Migrate
from reference.mops.rate_limit import RateLimit
from reference.mops.server import Command, Outcome, Server
from reference.system.alterations import deviation

_SHORT = 32
_TABLE = 64


def spoilt(data: bytes) -> bytes:
    """A message with a checksum that is one too large."""
    checksum = (int.from_bytes(data[2:4]) + 1) % 0xFFFF
    return data[:2] + checksum.to_bytes(2) + data[4:]


class _SecondMoves(Server):
    """Knows of which move before this one a command is, if it is about a connection that has migrated."""

    before: Move | None = None

    def carry_out(self, command: Command) -> list[Outcome]:
        self.before = None
        for entry in command.message.entries:
            for flow in self.candidates(command, entry, command.previous or 0):
                self.before = last_move(flow) or self.before
        return super().carry_out(command)


@deviation(
    "later-reply-with-a-wrong-checksum",
    "4.1",
    "The checksum of every reply is right.",
    "it is one too large where the connection has migrated before",
)
class LaterReplyWithAWrongChecksum(_SecondMoves):
    def encode(self, message: Migrate) -> bytes:
        data = super().encode(message)
        return data if self.before is None else spoilt(data)


@deviation(
    "later-reply-names-the-first-address",
    "4.1",
    "The addresses of a reply are the request's.",
    "the previous address is that of the move before, where there was one",
)
class LaterReplyNamesTheFirstAddress(_SecondMoves):
    def reply_message(self, command: Command, code: int, entries: list[Entry]) -> Migrate:
        message = super().reply_message(command, code, entries)
        if self.before is None:
            return message
        return replace(message, previous=command.network.to_ipff(self.before.previous[0]))


@deviation(
    "later-reply-names-the-first-port",
    "4.1",
    "The entries of a reply are the request's.",
    "the previous port is that of the move before, where there was one",
)
class LaterReplyNamesTheFirstPort(_SecondMoves):
    def reply_message(self, command: Command, code: int, entries: list[Entry]) -> Migrate:
        message = super().reply_message(command, code, entries)
        if self.before is None:
            return message
        port = self.before.previous[1]
        return replace(message, entries=tuple(entry._replace(previous_port=port) for entry in message.entries))


@deviation(
    "later-reply-to-the-address-before",
    "4.1",
    "The reply is sent to the source address of the request.",
    "where the connection has migrated before it goes to the address that is left",
)
class LaterReplyToTheAddressBefore(_SecondMoves):
    def reply(self, command: Command, data: bytes) -> None:
        source = command.source if self.before is None else self.before.migrated[0]
        super().reply(replace(command, source=source), data)


@deviation(
    "long-reply-with-a-wrong-checksum",
    "4.1",
    "The checksum of every reply is right.",
    "that of a reply with more than 32 entries is one too large",
)
class LongReplyWithAWrongChecksum(Server):
    def encode(self, message: Migrate) -> bytes:
        data = super().encode(message)
        return data if len(message.entries) <= _SHORT else spoilt(data)


@deviation(
    "udp-reply-with-a-wrong-checksum",
    "4.1",
    "The checksum of every reply is right.",
    "that of a reply about UDP sockets is one too large",
)
class UdpReplyWithAWrongChecksum(Server):
    def encode(self, message: Migrate) -> bytes:
        data = super().encode(message)
        return spoilt(data) if message.protocol == UDP else data


@deviation(
    "second-refusal-unanswered",
    "4.1",
    "A Migrate of which an entry fails is answered failed.",
    "nothing is answered where the connection has migrated before",
)
class SecondRefusalUnanswered(_SecondMoves):
    def reply(self, command: Command, data: bytes) -> None:
        if self.before is None or data[5] != FAILED:
            super().reply(command, data)


@deviation(
    "limit-table-of-64",
    "4.1",
    "Commands about other ports and addresses do not end the interval of one.",
    "the last 64 are remembered",
)
class LimitTableOf64(RateLimit):
    def start(self, key: Hashable, now: float) -> None:
        super().start(key, now)
        while len(self._attempts) > _TABLE:
            del self._attempts[next(iter(self._attempts))]


@deviation(
    "limit-for-each-sender",
    "4.1",
    "A second command for the same previous address and port is discarded inside the interval.",
    "it is taken from another address than the first one came from",
)
class LimitForEachSender(Server):
    def key(self, command: Command, entry: Entry) -> object:
        return super().key(command, entry), command.source


@deviation(
    "limit-of-the-first-entry",
    "4.1",
    "A second command for the same previous address and port changes nothing inside the interval.",
    "the interval of the first entry alone is looked at",
)
class LimitOfTheFirstEntry(Server):
    def limit(self, command: Command) -> tuple[Command | None, str]:
        first = replace(command, message=replace(command.message, entries=command.message.entries[:1]))
        admitted, wrong = super().limit(first)
        return (None, wrong) if admitted is None else (command, "")
