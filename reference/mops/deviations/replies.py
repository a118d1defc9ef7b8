# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations in the reply."""

from dataclasses import replace

from reference.mops.message import Entry, Migrate
from reference.mops.server import Command, Outcome, Server
from reference.system.alterations import deviation


@deviation(
    "success-for-failed-port",
    "4.1",
    "If at least one port failed, the reply is failed.",
    "a command of which at least one port has migrated is answered success",
)
class SuccessForFailedPort(Server):
    def answer(self, command: Command, outcomes: list[Outcome]) -> None:
        if any(not outcome.reason for outcome in outcomes):
            outcomes = [replace(outcome, reason="") for outcome in outcomes]
        super().answer(command, outcomes)


@deviation(
    "always-success",
    "4.1",
    "A Migrate that remapped nothing is answered failed.",
    "every command is answered success",
)
class AlwaysSuccess(Server):
    def answer(self, command: Command, outcomes: list[Outcome]) -> None:
        super().answer(command, [replace(outcome, reason="") for outcome in outcomes])


@deviation(
    "failure-silent",
    "4.1",
    "A command that fails on first attempt is answered failed.",
    "nothing is answered unless everything has migrated",
)
class FailureSilent(Server):
    def answer(self, command: Command, outcomes: list[Outcome]) -> None:
        if not any(outcome.reason for outcome in outcomes):
            super().answer(command, outcomes)


@deviation(
    "failed-lists-all",
    "4.1",
    "A failed reply lists only the ports that failed.",
    "a failed reply lists all ports of the request",
)
class FailedListsAll(Server):
    def failed_entries(self, command: Command, failed: list[Entry]) -> list[Entry]:
        return list(command.message.entries)


@deviation(
    "failed-in-reverse",
    "4.1",
    "A failed reply lists the failed ports in the order of the request.",
    "a failed reply lists them in reverse order",
)
class FailedInReverse(Server):
    def failed_entries(self, command: Command, failed: list[Entry]) -> list[Entry]:
        return failed[::-1]


@deviation(
    "failed-count-kept",
    "4.1",
    "Count of a failed reply is the number of ports it lists.",
    "a failed reply keeps the Count of the request",
)
class FailedCountKept(Server):
    def reply_message(self, command: Command, code: int, entries: list[Entry]) -> Migrate:
        return replace(super().reply_message(command, code, entries), count=len(command.message.entries))


@deviation(
    "reply-checksum-wrong",
    "4.1",
    "The checksum of a reply is right.",
    "the checksum of a reply is off by one",
)
class ReplyChecksumWrong(Server):
    def encode(self, message: Migrate) -> bytes:
        data = super().encode(message)
        return data[:3] + bytes([data[3] ^ 1]) + data[4:]


@deviation(
    "reply-reserved-not-zero",
    "4.1",
    "Reserved of a reply is zero (or the request's).",
    "Reserved of a reply is the request's with all bits inverted",
)
class ReplyReservedNotZero(Server):
    def reply_message(self, command: Command, code: int, entries: list[Entry]) -> Migrate:
        return replace(super().reply_message(command, code, entries), reserved=command.message.reserved ^ 0xFFFF)


@deviation(
    "reply-to-previous-address",
    "4.1",
    "The reply goes to the source address of the packet that carried the request.",
    "the reply goes to the Previous Source Address",
)
class ReplyToPreviousAddress(Server):
    def reply(self, command: Command, data: bytes) -> None:
        if command.previous is not None:
            super().reply(replace(command, source=command.previous), data)


@deviation(
    "reply-without-identifiers",
    "4.1",
    "The fields of a reply equal the request's, Code and Checksum excepted.",
    "the sequence numbers of a reply are zero",
)
class ReplyWithoutIdentifiers(Server):
    def reply_message(self, command: Command, code: int, entries: list[Entry]) -> Migrate:
        return super().reply_message(command, code, [entry._replace(identifier=0) for entry in entries])


@deviation(
    "reply-addresses-swapped",
    "4.1",
    "The fields of a reply equal the request's, Code and Checksum excepted.",
    "the previous and the migrated address have changed places in a reply",
)
class ReplyAddressesSwapped(Server):
    def reply_message(self, command: Command, code: int, entries: list[Entry]) -> Migrate:
        message = super().reply_message(command, code, entries)
        return replace(message, previous=message.migrated, migrated=message.previous)


@deviation(
    "repeat-answered-failed",
    "4.1",
    "A retransmission of a Migrate that has already succeeded is answered success after the interval.",
    "such a retransmission is answered failed",
)
class RepeatAnsweredFailed(Server):
    def is_retransmission(self, command: Command, entry: Entry, previous: int, migrated: int) -> bool:
        return False


@deviation(
    "reply-from-another-address",
    "4.1",
    "The reply is sent from the address to which the request was sent.",
    "the reply comes from the address after it",
)
class ReplyFromAnotherAddress(Server):
    def reply(self, command: Command, data: bytes) -> None:
        network, own = command.network, command.network.own
        network.own = own + 1
        super().reply(command, data)
        network.own = own
