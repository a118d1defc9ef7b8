# SPDX-License-Identifier: GPL-2.0-or-later
"""Variants in whether a server answers, when, where to, and what the answer lists."""

from dataclasses import replace
from typing import Any

from reference.bump.checksum import checksum
from reference.bump.network import TCP, UDP, Network
from reference.mops.message import FAILED, VERSION, Entry, Migrate
from reference.mops.server import Command, Outcome, Server
from reference.system.alterations import variant

_DESTINATION_UNREACHABLE, _PARAMETER_PROBLEM = 1, 4
_PER_SECOND, _BURST = 200.0, 60.0
_SILENT = ("checksum", "too soon", "code 2 ", "code 3 ")


def icmp_error(kind: int, about: bytes) -> bytes:
    """An ICMPv5 error that quotes the message it is about."""
    body = kind.to_bytes(2, "big") + bytes(6) + about[:32]
    return body[:2] + checksum(body).to_bytes(2, "big") + body[4:]


@variant(
    "malformed-answered-parameter-problem",
    "4.1",
    "Types other than those of MOPS are ordinary ICMPv5, and a host may notify the source of a malformed message.",
    "a malformed Migrate draws a Parameter Problem",
)
class MalformedAnsweredParameterProblem(Server):
    def read(self, network: Network, source: int, data: bytes, arrival: float) -> tuple[Command | None, str]:
        command, wrong = super().read(network, source, data, arrival)
        if command is None and not wrong.startswith(_SILENT):
            self._send(network, source, network.icmp_protocol, icmp_error(_PARAMETER_PROBLEM, data))
        return command, wrong


@variant(
    "malformed-answered-failed",
    "4.1",
    "Whether a malformed Migrate is answered is free.",
    'a Migrate with a wrong version, code, Count or length is answered "failed"',
)
class MalformedAnsweredFailed(Server):
    def read(self, network: Network, source: int, data: bytes, arrival: float) -> tuple[Command | None, str]:
        command, wrong = super().read(network, source, data, arrival)
        message = Migrate.parse(data)
        if command is None and message is not None and not wrong.startswith(_SILENT):
            reply = replace(message, version=VERSION, code=FAILED, reserved=0, count=None)
            self._send(network, source, network.icmp_protocol, reply.pack())
        return command, wrong


@variant(
    "failed-atomic-lists-all",
    "4.1",
    "After a roll-back none of the ports has migrated, and all the fields are to be intact.",
    "a failed reply to an atomic command lists every entry",
)
class FailedAtomicListsAll(Server):
    def failed_entries(self, command: Command, failed: list[Entry]) -> list[Entry]:
        return list(command.message.entries) if self.is_atomic(command) else failed


@variant(
    "reply-to-migrated-address",
    "4.1",
    "Where the packet's source is not the Migrated Source Address it is free which of them hears the reply.",
    "the reply goes to the Migrated Source Address",
)
class ReplyToMigratedAddress(Server):
    def reply(self, command: Command, data: bytes) -> None:
        if command.migrated is not None and command.network.is_peer(command.migrated):
            super().reply(replace(command, source=command.migrated), data)


@variant(
    "spoofed-source-dropped",
    "4.1",
    "A packet whose source is not the Migrated Source Address may be dropped as spoofed.",
    "a Migrate for another address than that of its packet is discarded",
)
class SpoofedSourceDropped(Server):
    def read(self, network: Network, source: int, data: bytes, arrival: float) -> tuple[Command | None, str]:
        command, wrong = super().read(network, source, data, arrival)
        if command is not None and command.migrated != source:
            return None, "spoofed"
        return command, wrong


@variant(
    "third-party-refused",
    "4.1",
    "Whether a Migrate for another address than that of its packet is served is free.",
    'such a Migrate is answered "failed"',
)
class ThirdPartyRefused(Server):
    def migrate(self, command: Command, entry: Entry) -> Outcome:
        if command.migrated != command.source:
            return Outcome(entry, "the new address is another one's")
        return super().migrate(command, entry)


@variant(
    "reserved-copied",
    "4.1",
    'Reserved of a reply is zero or, since "all the fields" are to be intact, the request\'s.',
    "Reserved of a reply is the request's",
)
class ReservedCopied(Server):
    def reply_message(self, command: Command, code: int, entries: list[Entry]) -> Migrate:
        return replace(super().reply_message(command, code, entries), reserved=command.message.reserved)


@variant(
    "host-wide-icmp-limit",
    "8",
    "A host limits the ICMP messages that it sends in all (RFC 4443, 2.4), and recovers within a second.",
    "after a burst no more than 200 replies a second are sent",
)
class HostWideIcmpLimit(Server):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._tokens, self._at = _BURST, 0.0

    def reply(self, command: Command, data: bytes) -> None:
        self._tokens = min(_BURST, self._tokens + (command.arrival - self._at) * _PER_SECOND) - 1
        self._at = command.arrival
        if self._tokens >= 0:
            super().reply(command, data)
        else:
            self._tokens = 0


class _RepliesLate(Server):
    """Decides at once and says so later."""

    late_s: float

    def reply(self, command: Command, data: bytes) -> None:
        answer = super().reply
        self._after(self.late_s, lambda: answer(command, data))


@variant(
    "replies-after-90-percent",
    "4.1",
    "A reply has to come within the time that the profile states.",
    "each reply comes after nine tenths of half a second",
)
class RepliesAfter90Percent(_RepliesLate):
    late_s = 0.45


@variant(
    "replies-400-ms-late",
    "4.1",
    "A reply has to come before the mobile node asks again, 2 s later.",
    "each reply comes 400 ms after its request",
)
class Replies400msLate(_RepliesLate):
    late_s = 0.4


@variant(
    "unknown-protocol-unreachable",
    "4.1",
    "A host that does not have a protocol answers as it does to any packet of it.",
    "a Migrate of a protocol other than TCP and UDP draws Destination Unreachable",
)
class UnknownProtocolUnreachable(Server):
    def answer(self, command: Command, outcomes: list[Outcome]) -> None:
        if command.message.protocol in (TCP, UDP):
            super().answer(command, outcomes)
        else:
            self.complain(command)

    def complain(self, command: Command) -> None:
        """Say that there is no such protocol."""
        error = icmp_error(_DESTINATION_UNREACHABLE, command.message.pack())
        self._send(command.network, command.source, command.network.icmp_protocol, error)


@variant(
    "unknown-protocol-ignored",
    "4.1",
    "A host need not answer for a protocol that it does not have.",
    "a Migrate of a protocol other than TCP and UDP is not answered",
)
class UnknownProtocolIgnored(UnknownProtocolUnreachable):
    def complain(self, command: Command) -> None:
        """Keep silent."""


@variant(
    "repeats-answered-at-once",
    "4.1",
    "Inside the interval an exact retransmission may be discarded or answered again.",
    'a retransmission of a Migrate that has succeeded is answered "success" at once',
)
class RepeatsAnsweredAtOnce(Server):
    def limit(self, command: Command) -> tuple[Command | None, str]:
        previous, migrated = command.previous, command.migrated
        repeated = (
            previous is not None
            and migrated is not None
            and all(self.is_retransmission(command, entry, previous, migrated) for entry in command.message.entries)
        )
        return (command, "") if repeated else super().limit(command)


@variant(
    "port-twice-last-wins",
    "4.1",
    "The draft does not forbid to name a port twice: a server may look all sockets up before it moves any.",
    "of two entries with one previous port the second moves the connection on, and both succeed",
)
class PortTwiceLastWins(Server):
    def carry_out(self, command: Command) -> list[Outcome]:
        entries = command.message.entries
        last = {entry.previous_port: entry for entry in entries}
        shortened = replace(command.message, entries=tuple(dict.fromkeys(last[one.previous_port] for one in entries)))
        done = {
            outcome.entry.previous_port: outcome for outcome in super().carry_out(replace(command, message=shortened))
        }
        return [replace(done[entry.previous_port], entry=entry) for entry in entries]


@variant(
    "one-limited-entry-discards-all",
    "4.1",
    "What becomes of a command of which one entry lies inside its interval is free.",
    "such a command is discarded as a whole",
)
class OneLimitedEntryDiscardsAll(Server):
    def limit(self, command: Command) -> tuple[Command | None, str]:
        admitted, wrong = super().limit(command)
        return (None, "too soon for a part") if admitted is not None and admitted is not command else (admitted, wrong)


@variant(
    "limited-entries-listed-as-failed",
    "4.1",
    "What becomes of a command of which one entry lies inside its interval is free.",
    "the entries that come too soon are listed as failed",
)
class LimitedEntriesListedAsFailed(Server):
    def carry_out(self, command: Command) -> list[Outcome]:
        return super().carry_out(command) + self._too_soon

    def limit(self, command: Command) -> tuple[Command | None, str]:
        admitted, wrong = super().limit(command)
        taken = admitted.message.entries if admitted is not None else command.message.entries
        self._too_soon = [Outcome(entry, "too soon") for entry in command.message.entries if entry not in taken]
        return admitted, wrong
