# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations in what comes after a success or long after a message; and in a window and a number of the reply."""

from collections import Counter
from collections.abc import Hashable
from dataclasses import replace
from typing import Any

from reference.bump.flows import Flow, Tuple
from reference.bump.network import TCP, Network
from reference.bump.tcp import ACK, distance
from reference.mops.context import MopsFlows, last_move
from reference.mops.deviations.bindings import shadow_of
from reference.mops.deviations.late import _WHILE_S, _Later
from reference.mops.deviations.later_replies import _SecondMoves
from reference.mops.message import Entry, Migrate
from reference.mops.rate_limit import RateLimit
from reference.mops.server import Command, Outcome, Server
from reference.system.alterations import deviation

_LARGEST_SIGNED = (1 << 31) - 1


class _Trusting(Server):
    """Looks less closely at messages about tuples to which something has migrated."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.known: set[tuple[int, int]] = set()
        self.trusts = False

    def read(self, network: Network, source: int, data: bytes, arrival: float) -> tuple[Command | None, str]:
        message = Migrate.parse(data)
        named = set() if message is None else {(message.previous, one.previous_port) for one in message.entries}
        self.trusts = bool(named & self.known)
        return super().read(network, source, data, arrival)

    def migrate(self, command: Command, entry: Entry) -> Outcome:
        outcome = super().migrate(command, entry)
        if outcome.done is not None:
            self.known.add((command.message.migrated, entry.migrated_port))
        return outcome


@deviation(
    "checksum-checked-once",
    "4.1",
    "A Migrate whose checksum is wrong is discarded.",
    "of a connection that has migrated any checksum will do",
)
class ChecksumCheckedOnce(_Trusting):
    def is_checksum_right(self, data: bytes) -> bool:
        return self.trusts or super().is_checksum_right(data)


@deviation(
    "version-checked-once",
    "4.1",
    "A Migrate whose Version is not 1 remaps nothing.",
    "of a connection that has migrated any version will do",
)
class VersionCheckedOnce(_Trusting):
    def is_version_known(self, version: int) -> bool:
        return self.trusts or super().is_version_known(version)


@deviation(
    "count-checked-once",
    "4.1",
    "A Migrate whose Count is larger than the number of entries it carries remaps nothing.",
    "of a connection that has migrated the entries that are there are remapped, whatever Count says",
)
class CountCheckedOnce(_Trusting):
    def entries_of(self, message: Migrate, length: int) -> tuple[Entry, ...]:
        return message.entries if self.trusts else super().entries_of(message, length)


@deviation(
    "discarded-carried-out-later",
    "4.1",
    "A message that is discarded remaps nothing.",
    "one whose checksum is right is carried out 0.3 s later, whatever else is wrong with it",
)
class DiscardedCarriedOutLater(Server):
    def read(self, network: Network, source: int, data: bytes, arrival: float) -> tuple[Command | None, str]:
        command, wrong = super().read(network, source, data, arrival)
        message = Migrate.parse(data)
        if command is None and message is not None and self.is_checksum_right(data):
            late = Command(network, source, replace(message, code=0), arrival)
            self._after(_WHILE_S, lambda: self.carry_out_late(late))
        return command, wrong

    def carry_out_late(self, command: Command) -> None:
        """Carry it out, and say nothing."""
        self.carry_out(command)


class _LaterMoves(_Later):
    """Regrets second moves alone."""

    def migrate(self, command: Command, entry: Entry) -> Outcome:
        outcome = super().migrate(command, entry)
        if outcome.done is None or outcome.done.last_move is None:
            return outcome
        self.second.add(outcome.done.flow.kernel)
        return outcome

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.second: set[Tuple] = set()


@deviation(
    "second-success-retracted",
    "4.1",
    "A migrated connection stays at its new tuple.",
    "0.3 s after a second move it is where the first one had brought it",
)
class SecondSuccessRetracted(_LaterMoves):
    def regret(self, command: Command, outcome: Outcome) -> None:
        if outcome.done is not None and outcome.done.flow.kernel in self.second:
            self.undo(command, outcome.done)


@deviation(
    "several-move-once",
    "4.1",
    "A Migrate with several entries remaps every connection it lists.",
    "of those that have migrated before the first one is remapped, and success is reported for all",
)
class SeveralMoveOnce(_SecondMoves):
    def migrate(self, command: Command, entry: Entry) -> Outcome:
        if self.before is not None and entry != command.message.entries[0]:
            return Outcome(entry)
        return super().migrate(command, entry)


@deviation(
    "later-retransmissions-to-the-tuple-before",
    "4.1",
    "What was under way at the move is retransmitted to the new tuple.",
    "after a second move what was under way goes to the tuple of the first",
)
class LaterRetransmissionsToTheTupleBefore(MopsFlows):
    def __init__(self) -> None:
        super().__init__()
        self.under_way: dict[Tuple, tuple[Tuple, int]] = {}

    def migrate(self, flow: Flow, address: int, port: int) -> None:
        if self.is_lost(flow, address) and flow.tcp.snd_una != flow.tcp.snd_nxt:
            self.under_way[flow.kernel] = flow.wire, flow.tcp.snd_nxt
        super().migrate(flow, address, port)

    def is_lost(self, flow: Flow, address: int) -> bool:
        """Whether what a connection has under way goes astray when it moves to an address."""
        return flow.protocol == TCP and last_move(flow) is not None

    def outbound(self, address: int, port: int, local_port: int, now: float, flags: int = ACK) -> Flow | None:
        flow = super().outbound(address, port, local_port, now, flags)
        before = self.under_way.get((address, port, local_port))
        if flow is None or before is None or distance(flow.tcp.snd_una, before[1]) <= 0:
            return flow
        return shadow_of(flow, before[0])


@deviation(
    "limit-holds-once",
    "4.1",
    "Every attempt starts an interval.",
    "the first one about a previous address and port does, the ones after it do not",
)
class LimitHoldsOnce(RateLimit):
    def __init__(self, interval_s: float) -> None:
        super().__init__(interval_s)
        self.tried: Counter[Hashable] = Counter()

    def attempted(self, key: Hashable, now: float, success: bool) -> None:
        self.tried[key] += 1
        if self.tried[key] == 1:
            super().attempted(key, now, success)


@deviation(
    "window-unscaled",
    "4.1",
    "A sequence number inside the announced receive window is accepted.",
    "the window is that of the header, without its scale",
)
class WindowUnscaled(Server):
    def is_identifier_right(self, flow: Flow, identifier: int) -> bool:
        ahead = distance(flow.tcp.rcv_nxt, identifier)
        window = distance(flow.tcp.rcv_nxt, flow.tcp.rcv_edge) >> flow.tcp.scale
        return super().is_identifier_right(flow, identifier) and ahead <= window


@deviation(
    "reply-number-of-31-bits",
    "4.1",
    "The entries of a reply are the request's.",
    "identifiers from 2147483648 on come back as 2147483647",
)
class ReplyNumberOf31Bits(Server):
    def reply_message(self, command: Command, code: int, entries: list[Entry]) -> Migrate:
        signed = [one._replace(identifier=min(one.identifier, _LARGEST_SIGNED)) for one in entries]
        return super().reply_message(command, code, signed)


@deviation(
    "later-reply-reserved-not-zero",
    "4.1",
    "The Reserved field of a reply is zero or equals the request's.",
    "it is 1 where the connection has migrated before",
)
class LaterReplyReservedNotZero(_SecondMoves):
    def reply_message(self, command: Command, code: int, entries: list[Entry]) -> Migrate:
        message = super().reply_message(command, code, entries)
        return message if self.before is None else replace(message, reserved=1)


@deviation(
    "several-in-flight-lost",
    "4.1",
    "What was under way at the move is retransmitted to the new tuple.",
    "of several connections that move to one address it goes to the old tuple of all but the first",
)
class SeveralInFlightLost(LaterRetransmissionsToTheTupleBefore):
    last: int | None = None

    def is_lost(self, flow: Flow, address: int) -> bool:
        is_next, self.last = address == self.last, address
        return is_next and flow.protocol == TCP
