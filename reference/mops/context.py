# SPDX-License-Identifier: GPL-2.0-or-later
"""What MOPS keeps of a connection: the application's choice, the last migration, and what a mobile node has pending."""

from reference.bump.flows import Flow, Flows
from reference.bump.tcp import distance
from reference.mops.choices import NO_CHOICE, Choice

Endpoint = tuple[int, int]
_MOST = 1024


class Move:
    """A migration that has succeeded: what a retransmission of its command looks like."""

    __slots__ = ("identifier", "migrated", "previous")

    def __init__(self, previous: Endpoint, migrated: Endpoint, identifier: int) -> None:
        self.previous, self.migrated, self.identifier = previous, migrated, identifier

    def is_retransmitted_by(self, previous: Endpoint, migrated: Endpoint, identifier: int) -> bool:
        return (self.previous, self.migrated, self.identifier) == (previous, migrated, identifier)


def last_move(flow: Flow) -> Move | None:
    """The last migration of a connection; None when it has never migrated."""
    move: Move | None = flow.contexts.get(Move)
    return move


def set_last_move(flow: Flow, move: Move | None) -> None:
    """Remember the last migration of a connection, or that there was none."""
    if move is None:
        flow.contexts.pop(Move, None)
    else:
        flow.contexts[Move] = move


def choice_of(flow: Flow) -> Choice:
    """What the application of a connection has chosen."""
    choice: Choice = flow.contexts.get(Choice, NO_CHOICE)
    return choice


def set_choice(flow: Flow, choice: Choice) -> None:
    """Note what holds from now on for a connection."""
    flow.contexts[Choice] = choice


class MopsFlows(Flows):
    """The TCP connections of one network."""

    role = "server"


class HoldQueue:
    """Packets of the kernel that wait for the answer to a Migrate, each sequence number once."""

    def __init__(self) -> None:
        self._data: dict[int, bytes] = {}
        self._acknowledgement: bytes | None = None
        self._count = 0

    def segment(self, sequence: int, length: int, packet: bytes) -> None:
        """Keep a TCP segment; a later one of the same number is the better one."""
        if not length:
            self._acknowledgement = packet
        elif sequence in self._data or len(self._data) < _MOST:
            self._data[sequence] = packet

    def datagram(self, packet: bytes) -> None:
        """Keep a datagram."""
        if self._count < _MOST:
            self._data[self._count] = packet
            self._count += 1

    def flush(self) -> list[bytes]:
        """Everything, in the order of the sequence numbers."""
        numbers = list(self._data)
        if numbers:
            first = numbers[0]
            numbers.sort(key=lambda number: distance(first, number))
        packets = [self._data[number] for number in numbers]
        if self._acknowledgement is not None:
            packets.append(self._acknowledgement)
        self.__init__()  # type: ignore[misc]
        return packets


class MobileContext:
    """One connection of a mobile node."""

    __slots__ = ("held", "is_active", "is_dead", "is_pending", "peer_capable", "previous", "unicast")

    def __init__(self) -> None:
        self.is_active = False  # we sent the SYN
        self.unicast: int | None = None  # of an anycast server
        self.previous: list[Endpoint] = []  # tuples that the server may know, the surest first
        self.is_pending = False
        self.is_dead = False
        self.peer_capable = False  # the other side's SYN or SYN-ACK carried MOBILE_CAPABLE
        self.held = HoldQueue()


def mobile(flow: Flow) -> MobileContext | None:
    """What a mobile node keeps of a connection, if there is anything yet."""
    context: MobileContext | None = flow.contexts.get(MobileContext)
    return context


def context_of(flow: Flow) -> MobileContext:
    """What a mobile node keeps of a connection."""
    context: MobileContext | None = flow.contexts.get(MobileContext)
    if context is None:
        context = flow.contexts[MobileContext] = MobileContext()
    return context
