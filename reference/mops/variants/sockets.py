# SPDX-License-Identifier: GPL-2.0-or-later
"""Variants in which sockets a server remaps, by which numbers, and how often."""

from typing import Any

from reference.bump.flows import Flow, Flows, Tuple
from reference.bump.network import TCP
from reference.bump.tcp import ACK, SYN, distance
from reference.mops.choices import Choices
from reference.mops.context import MopsFlows, context_of, last_move
from reference.mops.message import Entry, Migrate
from reference.mops.server import Command, Server
from reference.system.alterations import variant

_SEGMENT = 1400
_QUARANTINE_S = 60.0


@variant(
    "count-entries-taken",
    "4.1",
    "Nothing forbids a receiver to take Count entries and to ignore what follows them.",
    "the first Count entries are remapped, whatever follows",
)
class CountEntriesTaken(Server):
    def entries_of(self, message: Migrate, length: int) -> tuple[Entry, ...]:
        count = message.count or 0
        return message.entries[:count] if len(message.entries) >= count else ()


@variant(
    "mobile-capable-required",
    "C",
    "A device that claims MOBILE_CAPABLE may migrate only connections that negotiated it.",
    "a TCP connection whose SYN did not carry the option does not migrate",
)
class MobileCapableRequired(Server):
    def is_mobile(self, flow: Flow) -> bool:
        return super().is_mobile(flow) and (flow.protocol != TCP or context_of(flow).peer_capable)


@variant(
    "tcp-immobile-by-default",
    "3",
    "That a TCP socket is mobile by default is a should; applications can ask for it.",
    "a TCP socket whose application did not choose stays where it is",
)
class TcpImmobileByDefault(Choices):
    def is_mobile_by_default(self, protocol: int) -> bool:
        return False


@variant(
    "window-larger-than-announced",
    "4.1",
    "The window that a server uses may be larger than the one it announces (RFC 9293, 3.8.6.2.2).",
    "sequence numbers up to almost a segment beyond the announced window are accepted",
)
class WindowLargerThanAnnounced(Server):
    def is_identifier_right(self, flow: Flow, identifier: int) -> bool:
        beyond = distance(flow.tcp.rcv_edge, identifier)
        return super().is_identifier_right(flow, identifier) or 0 < beyond < _SEGMENT


@variant(
    "below-accepted",
    "4.1",
    "A node whose acknowledgement was lost, and whose TCP has pulled SND.NXT back, stands just below RCV.NXT.",
    "sequence numbers less than a window below RCV.NXT are accepted too",
)
class BelowAccepted(Server):
    def is_identifier_right(self, flow: Flow, identifier: int) -> bool:
        below, window = distance(identifier, flow.tcp.rcv_nxt), distance(flow.tcp.rcv_nxt, flow.tcp.rcv_edge)
        return super().is_identifier_right(flow, identifier) or 0 < below < window


@variant(
    "sequence-exact-as-claimed",
    "4.1",
    'A vendor may read "compare" as equality.',
    "only RCV.NXT is accepted",
)
class SequenceExactAsClaimed(Server):
    def is_identifier_right(self, flow: Flow, identifier: int) -> bool:
        return identifier == flow.tcp.rcv_nxt


@variant(
    "limit-for-each-socket",
    "4.1",
    "What comes too often indicates a flapping link: a limiter may count for each socket, wherever its peer is.",
    "a connection that a Migrate has named is not named again inside the interval, whatever its tuple is by then",
)
class LimitForEachSocket(Server):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._named: dict[Tuple, float] = {}

    def limit(self, command: Command) -> tuple[Command | None, str]:
        admitted, wrong = super().limit(command)
        if admitted is None or command.previous is None:
            return admitted, wrong
        found = [one for entry in admitted.message.entries for one in self.candidates(command, entry, command.previous)]
        interval = self.rate_limit.interval_s
        if any(command.arrival - self._named.get(flow.kernel, -interval) < interval for flow in found):
            return None, "too soon for a socket"
        self._named.update((flow.kernel, command.arrival) for flow in found)
        return admitted, wrong


@variant(
    "no-limit-as-claimed",
    "4.1",
    "That there is a limit can be left unclaimed.",
    "every command is taken",
)
class NoLimitAsClaimed(Server):
    def limit(self, command: Command) -> tuple[Command | None, str]:
        return command, ""


@variant(
    "old-tuple-rests",
    "4.1",
    "A host may let a tuple that was left rest as in TIME-WAIT (RFC 9293, 3.6.1).",
    "for a minute no new connection is accepted at a tuple that was left",
)
class OldTupleRests(MopsFlows):
    def __init__(self) -> None:
        super().__init__()
        self._left: dict[Tuple, float] = {}

    def migrate(self, flow: Flow, address: int, port: int) -> None:
        self._left[flow.wire] = flow.seen
        super().migrate(flow, address, port)

    def inbound(self, address: int, port: int, local_port: int, flags: int, now: float) -> Flow | None:
        wire = (address, port, local_port)
        rests = now - self._left.get(wire, -_QUARANTINE_S) < _QUARANTINE_S
        if rests and flags & (SYN | ACK) == SYN and wire not in self.by_wire:
            return None
        return super().inbound(address, port, local_port, flags, now)


@variant(
    "left-tuple-not-given-away",
    "4.1",
    "A host may let a tuple that was left rest as in TIME-WAIT (RFC 9293, 3.6.1).",
    "a Migrate to a tuple that another connection has left is refused",
)
class LeftTupleNotGivenAway(Server):
    def is_in_use(self, flows: Flows, flow: Flow, address: int, port: int) -> bool:
        moves = [last_move(other) for other in flows.by_wire.values() if other is not flow]
        left = {move.previous for move in moves if move is not None}
        return (address, port) in left or super().is_in_use(flows, flow, address, port)


@variant(
    "strangers-not-reset",
    "4.1",
    "Whether data at a tuple without a connection is reset or left unanswered is free.",
    "segments of no connection are dropped in silence",
)
class StrangersNotReset(MopsFlows):
    def inbound(self, address: int, port: int, local_port: int, flags: int, now: float) -> Flow | None:
        if not flags & SYN and (address, port, local_port) not in self.by_wire:
            return None
        return super().inbound(address, port, local_port, flags, now)
