# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations of a legacy host that show in other connections than the first, or some time after a message."""

import struct

from reference.bump.network import ETHERNET
from reference.bump.segment import Segment, addresses, payload, read
from reference.bump.shaping import Shaped, segment_in
from reference.bump.tcp import FIN, RST, SYN
from reference.legacy.datapath import LegacyDatapath
from reference.legacy.host import LegacyHost
from reference.system.alterations import deviation

ICMP, UNREACHABLE, SACIP = 1, 3, 20
SOFT = (0, 1, 5)
_DISCARDED = "An ICMP message of unknown type is silently discarded."
_SOFT = "A soft error aborts no connection."
_LATER_S = 0.4
_MOST = 8


class _Knows(LegacyHost):
    """One that knows its connections: `next` is the peer's next number by peer's address, its port and the own one."""

    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self.next: dict[tuple[int, int, int], tuple[int, int]] = {}
        self.opened: set[tuple[int, int, int]] = set()
        self.half_closed: set[tuple[int, int, int]] = set()

    def from_wire(self, packet: bytes) -> None:
        segment = read(packet)
        if segment is not None:
            ends = segment.source, segment.port, segment.to_port
            length = len(segment.data) + bool(segment.flags & SYN) + bool(segment.flags & FIN)
            self.next[ends] = (segment.sequence + length) & 0xFFFFFFFF, segment.destination
            if segment.flags & FIN:
                self.half_closed.add(ends)
        elif self.is_unknown(packet):
            self.message(packet)
        super().from_wire(packet)

    def from_kernel(self, packet: bytes) -> None:
        segment = read(packet)
        if segment is not None and segment.is_syn():
            self.opened.add((segment.destination, segment.to_port, segment.port))
        super().from_kernel(packet)

    def is_unknown(self, packet: bytes) -> bool:
        """Whether it carries a message that an ordinary host has never heard of."""
        icmp = payload(packet, ICMP)
        return payload(packet, self.carrier) is not None or (icmp is not None and icmp[:1] == bytes((SACIP,)))

    def message(self, packet: bytes) -> None:
        """An unknown message has come."""

    def ends(self, ends: tuple[int, int, int]) -> None:
        """Have the kernel believe that the peer has reset a connection."""
        sequence, own = self.next[ends]
        self.to_kernel(Segment(ends[0], own, *ends[1:], sequence, 0, RST).packet())


@deviation(
    "message-ends-opened-connections", "1122.3.2.2", _DISCARDED, "it ends connections that the host has opened itself"
)
class MessageEndsOpenedConnections(_Knows):
    def message(self, packet: bytes) -> None:
        for ends in [one for one in self.opened if one[0] == addresses(packet)[0] and one in self.next]:
            self.ends(ends)


@deviation(
    "message-ends-half-closed-connections", "1122.3.2.2", _DISCARDED, "it ends connections that their peer has closed"
)
class MessageEndsHalfClosedConnections(_Knows):
    def message(self, packet: bytes) -> None:
        for ends in [one for one in self.half_closed if one[0] == addresses(packet)[0]]:
            self.ends(ends)


@deviation("many-messages-refuse-connections", "1122.3.2.2", _DISCARDED, "after eight of a peer its SYNs are dropped")
class ManyMessagesRefuseConnections(_Knows):
    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._messages: dict[int, int] = {}

    def message(self, packet: bytes) -> None:
        source = addresses(packet)[0]
        self._messages[source] = self._messages.get(source, 0) + 1

    def from_wire(self, packet: bytes) -> None:
        segment = read(packet)
        if not (segment and segment.is_syn() and self._messages.get(segment.source, 0) >= _MOST):
            super().from_wire(packet)


@deviation(
    "message-ends-connections-later", "1122.3.2.2", _DISCARDED, "0.4 s after one the connections of its sender are over"
)
class MessageEndsConnectionsLater(Shaped, LegacyDatapath):
    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._next: dict[tuple[int, int, int], int] = {}

    def arrives(self, frame: bytes) -> None:
        packet = frame[ETHERNET:]
        if frame[12:14] == b"\x08\x00" and len(packet) >= 20:
            segment, icmp = segment_in(frame), payload(packet, ICMP)
            if segment is not None:
                length = len(segment.data) + bool(segment.flags & SYN) + bool(segment.flags & FIN)
                ends = segment.source, segment.port, segment.to_port
                self._next[ends] = (segment.sequence + length) & 0xFFFFFFFF
            elif payload(packet, self._ipv4.icmp_protocol) or (icmp and icmp[0] == SACIP):
                source = addresses(packet)[0]
                self.later(_LATER_S, lambda: self._end_all(source))
        super().arrives(frame)

    def _end_all(self, source: int) -> None:
        for (address, port, local_port), sequence in list(self._next.items()):
            if address == source:
                reset = Segment(address, self._ipv4.own, port, local_port, sequence, 0, RST)
                self._packet_to_kernel(reset.packet())


@deviation("soft-error-ends", "1122.4.2.3.9", _SOFT, "it ends the connection that it quotes")
class SoftErrorEnds(_Knows):
    def from_wire(self, packet: bytes) -> None:
        message = payload(packet, ICMP)
        if message is not None and len(message) >= 36 and message[0] == UNREACHABLE and message[1] in SOFT:
            (peer,) = struct.unpack_from("!I", message, 24)
            own_port, port = struct.unpack_from("!HH", message, 28)
            if (peer, port, own_port) in self.next:
                self.ends((peer, port, own_port))
        super().from_wire(packet)
