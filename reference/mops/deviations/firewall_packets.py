# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations of a firewall that changes what it passes, or opens more ports of a server than one."""

import struct

from reference.middlebox.packet import TCP, Packet, shift
from reference.middlebox.side import Side
from reference.mops.firewall.firewall import Firewall
from reference.mops.firewall.tracking import ACK, SYN
from reference.mops.message import SUCCESS
from reference.system.alterations import deviation

SHIFT = 1000
_SEQUENCE, _ACKNOWLEDGEMENT, _OFFSET, _FLAGS, _CHECKSUM, _HEADER = 4, 8, 12, 13, 16, 20
_SACK, _NO_OPERATION = 5, 1
NUMBERS = "Sequence numbers pass unchanged."


class _Rewrites(Firewall):
    """Changes segments that pass."""

    def passes(self, side: Side, packet: Packet, out: Side) -> bool:
        passes = super().passes(side, packet, out)
        if passes and packet.protocol == TCP:
            flags = packet.buffer[packet.start + _FLAGS]
            self.rewrite(packet, flags, is_inward=side is self.outside)
        return passes

    def rewrite(self, packet: Packet, flags: int, *, is_inward: bool) -> None:
        """Change a segment."""

    @staticmethod
    def add(packet: Packet, at: int, number: int) -> None:
        """Add to a number of 32 bits."""
        (old,) = struct.unpack_from("!I", packet.buffer, packet.start + at)
        new = (old + number) % (1 << 32)
        struct.pack_into("!I", packet.buffer, packet.start + at, new)
        shift(packet.buffer, packet.start + _CHECKSUM, new - old)

    def option_at(self, packet: Packet, kind: int) -> int | None:
        """Where an option begins."""
        at, end = _HEADER, (packet.buffer[packet.start + _OFFSET] >> 4) * 4
        while at < end and (found := packet.buffer[packet.start + at]):
            if found == kind:
                return at
            at += 1 if found == _NO_OPERATION else max(2, packet.buffer[packet.start + at + 1])
        return None


@deviation("firewall-isn-of-syns-changed", "6", "The ISN of a SYN passes unchanged.", "the ISN of SYNs is another one")
class _IsnOfSyns(_Rewrites):
    def rewrite(self, packet: Packet, flags: int, *, is_inward: bool) -> None:
        if flags & SYN and not is_inward:
            self.add(packet, _SEQUENCE, SHIFT)


@deviation(
    "firewall-isn-of-syn-acks-changed",
    "6",
    "The ISN of a SYN-ACK passes unchanged.",
    "the outside's numbers are others on the inside, from the SYN-ACK on",
)
class _IsnOfSynAcks(_Rewrites):
    def passes(self, side: Side, packet: Packet, out: Side) -> bool:
        if packet.protocol == TCP and side is self.inside and packet.buffer[packet.start + _FLAGS] & ACK:
            self.add(packet, _ACKNOWLEDGEMENT, -SHIFT)
        return super().passes(side, packet, out)

    def rewrite(self, packet: Packet, flags: int, *, is_inward: bool) -> None:
        if is_inward:
            self.add(packet, _SEQUENCE, SHIFT)


@deviation("firewall-numbers-changed-after-a-move", "5", NUMBERS, "numbers of the inside are others after a move")
class _NumbersAfterAMove(_Rewrites):
    def rewrite(self, packet: Packet, flags: int, *, is_inward: bool) -> None:
        ports = packet.ports()
        session = self.sessions.by_way.get(self.way(packet, ports, is_inward=is_inward)) if ports else None
        if session and session.moves and not is_inward:
            self.add(packet, _SEQUENCE, SHIFT)


@deviation("firewall-sack-blocks-changed", "5", NUMBERS, "the edges of SACK blocks from the outside are others")
class _SackBlocks(_Rewrites):
    def rewrite(self, packet: Packet, flags: int, *, is_inward: bool) -> None:
        at = self.option_at(packet, _SACK)
        if at is not None and is_inward:
            self.add(packet, at + 2, SHIFT)


class _Strips(_Rewrites):
    """Makes no-operations of an option."""

    def strip(self, packet: Packet, kind: int) -> None:
        """Strip it of a segment."""
        at = self.option_at(packet, kind)
        if at is None:
            return
        start, length = packet.start + at, packet.buffer[packet.start + at + 1]
        before = sum(struct.unpack("!2H", bytes(packet.buffer[start : start + 4])))
        packet.buffer[start : start + length] = bytes([_NO_OPERATION]) * length
        after = sum(struct.unpack("!2H", bytes(packet.buffer[start : start + 4])))
        shift(packet.buffer, packet.start + _CHECKSUM, after - before)


@deviation("firewall-option-stripped-of-syns", "C", "MOBILE_CAPABLE passes unchanged.", "SYNs lose MOBILE_CAPABLE")
class _StrippedOfSyns(_Strips):
    def rewrite(self, packet: Packet, flags: int, *, is_inward: bool) -> None:
        if flags & SYN:
            self.strip(packet, 254)


@deviation(
    "firewall-option-stripped-of-acks", "C", "MOBILE_CAPABLE passes unchanged.", "all but SYNs lose MOBILE_CAPABLE"
)
class _StrippedOfAcks(_Strips):
    def rewrite(self, packet: Packet, flags: int, *, is_inward: bool) -> None:
        if not flags & SYN:
            self.strip(packet, 254)


class _OpensPorts(Firewall):
    """After a success any port of the server passes with the node's new tuple."""

    opens_for_the_unseen = False

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        self.opened: set[tuple[int, int, int]] = set()

    def passes_mops(self, packet: Packet, *, is_inward: bool) -> bool:
        carried = self.carried(packet, packet.payload, is_inward=is_inward)
        passes = super().passes_mops(packet, is_inward=is_inward)
        opens = not is_inward if self.opens_for_the_unseen else passes
        if opens and carried and carried.message.code == SUCCESS:
            self.opened |= {(packet.source, carried.migrated, one.migrated_port) for one in carried.entries}
        return passes

    def passes_data(self, packet: Packet, *, is_inward: bool) -> bool:
        if super().passes_data(packet, is_inward=is_inward):
            return True
        source, destination = packet.ports() or (0, 0)
        if packet.protocol == TCP and packet.buffer[packet.start + _FLAGS] & SYN:
            return False
        ends = (packet.source, packet.destination, destination), (packet.destination, packet.source, source)
        return is_inward and bool({*ends} & self.opened)


@deviation(
    "firewall-opens-any-port-of-the-server",
    "6",
    "No other port of the server passes at the migrated tuple.",
    "after a move every port of the server passes",
)
class _AnyPortOfTheServer(_OpensPorts):
    """For sessions that it has seen."""


@deviation(
    "firewall-unseen-server-inside",
    "6",
    "A session of a server inside that it has never seen opens nothing.",
    "the success of a server inside opens all of its ports to the node",
)
class _UnseenServerInside(_OpensPorts):
    opens_for_the_unseen = True
