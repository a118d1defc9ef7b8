# SPDX-License-Identifier: GPL-2.0-or-later
"""What a mobile node remembers of one connection: the server's unicast address, what waits for an answer."""

from typing import TYPE_CHECKING

from reference.tcp import distance

if TYPE_CHECKING:
    from reference.flows import Flow

Endpoint = tuple[int, int]
_HELD = 1024


class Held:
    """Packets of the kernel that wait for the answer to a Migrate, each sequence number once."""

    def __init__(self) -> None:
        self._data: dict[int, bytes] = {}
        self._acknowledgement: bytes | None = None
        self._count = 0

    def segment(self, sequence: int, length: int, packet: bytes) -> None:
        """Keep a TCP segment; a later one of the same number is the better one."""
        if not length:
            self._acknowledgement = packet
        elif sequence in self._data or len(self._data) < _HELD:
            self._data[sequence] = packet

    def datagram(self, packet: bytes) -> None:
        """Keep a datagram."""
        if self._count < _HELD:
            self._data[self._count] = packet
            self._count += 1

    def release(self) -> list[bytes]:
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

    __slots__ = ("held", "is_active", "is_dead", "is_pending", "owes_capable", "peer_capable", "previous", "unicast")

    def __init__(self) -> None:
        self.is_active = False  # we sent the SYN
        self.unicast: int | None = None  # of an anycast server
        self.previous: list[Endpoint] = []  # tuples that the server may know, the surest first
        self.is_pending = False
        self.is_dead = False
        self.peer_capable = False  # the other side's SYN or SYN-ACK carried MOBILE_CAPABLE
        self.owes_capable = False  # the ACK that ends the handshake is to carry it
        self.held = Held()


def context_of(flow: "Flow") -> MobileContext:
    if flow.mobile is None:
        flow.mobile = MobileContext()
    return flow.mobile
