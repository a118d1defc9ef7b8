# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations of a legacy host that does not discard messages unknown to it."""

import struct

from reference.bump.checksum import checksum, is_intact
from reference.bump.segment import Segment, addresses, ipv4, payload, read
from reference.legacy.host import WatchingHost
from reference.system.addresses import IPFF_MASK, ipv4_of_ipff
from reference.system.alterations import deviation

ICMP, UNREACHABLE, PORT, PARAMETER_PROBLEM, SACIP = 1, 3, 3, 12, 20
MIGRATE, ANYCAST, NAT = 100, 101, 102
FAILED = 3
_DISCARDED = "An ICMP message of unknown type is silently discarded."
_REFUSED = "An unknown protocol is answered with Protocol Unreachable."
_HARMLESS = "An unknown protocol harms no connection."


def _kind(message: bytes) -> int:
    """The type of an ICMPv5 message, 0 for what is none."""
    kind = int.from_bytes(message[:2], "big") if len(message) >= 2 else 0
    return kind if kind in (MIGRATE, ANYCAST, NAT) else 0


def _with_checksum(message: bytes) -> bytes:
    message = message[:2] + b"\0\0" + message[4:]
    return message[:2] + checksum(message).to_bytes(2, "big") + message[4:]


class _Hears(WatchingHost):
    """Looks at messages; what it takes does not reach the kernel."""

    def from_wire(self, packet: bytes) -> None:
        is_taken = False
        if (message := payload(packet, ICMP)) is not None:
            is_taken = self.icmp(packet, message)
        elif (message := payload(packet, self.carrier)) is not None:
            is_taken = self.message(packet, message)
        if not is_taken:
            super().from_wire(packet)

    def icmp(self, packet: bytes, message: bytes) -> bool:
        """Take an ICMP message of IPv4."""
        return False

    def message(self, packet: bytes, message: bytes) -> bool:
        """Take a datagram of the protocol number of ICMPv5."""
        return False

    def answers(self, packet: bytes, protocol: int, message: bytes) -> None:
        """Send a message to where a packet came from."""
        source, destination = addresses(packet)
        self.to_wire(ipv4(destination, source, protocol, message))

    def complains(self, packet: bytes, kind: int, code: int) -> None:
        """Answer a packet with an ICMP error (RFC 792)."""
        head = struct.pack("!BBHI", kind, code, 0, 0) + packet[: ((packet[0] & 0xF) << 2) + 8]
        self.answers(packet, ICMP, _with_checksum(head))


@deviation("migrate-answered-failed", "1122.3.2.2", _DISCARDED, "a MOPS Migrate is answered: failed")
class MigrateAnsweredFailed(_Hears):
    def message(self, packet: bytes, message: bytes) -> bool:
        if _kind(message) != MIGRATE or len(message) < 24 or message[5] > 1 or not is_intact(message):
            return False
        self.answers(packet, self.carrier, _with_checksum(message[:5] + bytes((FAILED,)) + message[6:]))
        return True


@deviation("acknowledgement-ends", "1122.3.2.2", _DISCARDED, "an anycast acknowledgement ends its connections")
class AcknowledgementEnds(_Hears):
    def message(self, packet: bytes, message: bytes) -> bool:
        if _kind(message) == ANYCAST and len(message) == 28 and is_intact(message):
            self.ends(ipv4_of_ipff(int.from_bytes(message[8:16], "big") & IPFF_MASK))
        return False


@deviation("nat-acknowledgement-unreachable", "1122.3.2.2", _DISCARDED, "a NAT acknowledgement: Port Unreachable")
class NatAcknowledgementUnreachable(_Hears):
    def message(self, packet: bytes, message: bytes) -> bool:
        if _kind(message) != NAT:
            return False
        self.complains(packet, UNREACHABLE, PORT)
        return True


@deviation("unknown-type-is-a-problem", "1122.3.2.2", _DISCARDED, "ICMP of unknown type is answered: Parameter Problem")
class UnknownTypeIsAProblem(_Hears):
    def icmp(self, packet: bytes, message: bytes) -> bool:
        if message[:1] == bytes((SACIP,)):
            self.complains(packet, PARAMETER_PROBLEM, 0)
        return False


@deviation("sacip-followed", "1122.3.2.2", _DISCARDED, "a SACIP notification takes connections to the new address")
class SacipFollowed(_Hears):
    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._new: dict[int, int] = {}

    def icmp(self, packet: bytes, message: bytes) -> bool:
        if message[:1] == bytes((SACIP,)) and len(message) == 8 and is_intact(message):
            self._new[addresses(packet)[0]] = int.from_bytes(message[4:], "little")
        return False

    def from_kernel(self, packet: bytes) -> None:
        segment = read(packet)
        if segment and (new := self._new.get(segment.destination)):
            packet = segment.to(new).packet()
        super().from_kernel(packet)


@deviation("sacip-ends", "1122.3.2.2", _DISCARDED, "a SACIP notification of any code ends its connections")
class SacipEnds(_Hears):
    def icmp(self, packet: bytes, message: bytes) -> bool:
        if message[:1] == bytes((SACIP,)) and len(message) == 8 and is_intact(message):
            self.ends(addresses(packet)[0])
        return False


class _Silences(_Hears):
    """After some messages the peer's packets are dropped."""

    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._silent: set[int] = set()

    def takes(self, segment: Segment) -> bool:
        return segment.source not in self._silent

    def silences(self, packet: bytes) -> bool:
        """Hear nothing more from where a packet came from."""
        self._silent.add(addresses(packet)[0])
        return False


@deviation(
    "short-message-silences", "1122.3.2.2", _DISCARDED, "after ICMP of less than 8 bytes the peer's packets are dropped"
)
class ShortMessageSilences(_Silences):
    def icmp(self, packet: bytes, message: bytes) -> bool:
        return len(message) < 8 and self.silences(packet)


@deviation(
    "long-message-silences", "1122.3.2.2", _DISCARDED, "after a message of many entries the peer's packets are dropped"
)
class LongMessageSilences(_Silences):
    def message(self, packet: bytes, message: bytes) -> bool:
        return bool(_kind(message)) and len(message) > 1000 and self.silences(packet)


@deviation(
    "wrong-checksum-ends", "1122.3.2.2", _DISCARDED, "a message with a wrong checksum ends its sender's connections"
)
class WrongChecksumEnds(_Hears):
    def message(self, packet: bytes, message: bytes) -> bool:
        if _kind(message) and len(message) >= 24 and not is_intact(message):
            self.ends(addresses(packet)[0])
        return False


@deviation("unknown-protocol-port-unreachable", "1122.3.2.2.1", _REFUSED, "it is answered with Port Unreachable")
class UnknownProtocolPortUnreachable(_Hears):
    def message(self, packet: bytes, message: bytes) -> bool:
        if _kind(message):
            return False
        self.complains(packet, UNREACHABLE, PORT)
        return True


@deviation("unknown-protocol-echoed", "1122.3.2.2.1", _REFUSED, "it comes back as it is")
class UnknownProtocolEchoed(_Hears):
    def message(self, packet: bytes, message: bytes) -> bool:
        if _kind(message):
            return False
        self.answers(packet, self.carrier, message)
        return True


@deviation("unknown-protocol-ends", "1122.3.2.2.1", _HARMLESS, "it ends the connections of its sender")
class UnknownProtocolEnds(_Hears):
    def message(self, packet: bytes, message: bytes) -> bool:
        if not _kind(message) and len(message) >= 8:
            self.ends(addresses(packet)[0])
        return False
