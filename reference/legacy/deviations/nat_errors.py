# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations of a NAT in ICMP errors (RFC 5508; RFC 4787, REQ-12; RFC 5382, REQ-9 and REQ-10)."""

import struct
from typing import ClassVar

from reference.bump.checksum import checksum, is_intact
from reference.middlebox.messages import Messages
from reference.middlebox.nat.errors import Errors
from reference.middlebox.nat.mappings import Endpoint, Mapping
from reference.middlebox.packet import ICMP, TCP, UDP, Packet, shift
from reference.system.alterations import deviation

_ENDS_NOTHING = "ICMP messages end no mapping."
_COMES_IN = "Destination Unreachable comes in to its sender."
_PASSES = "The error passes."
_REVERTED = "The quoted packet is reverted to its original form."
_KIND = "Type and code are as they were."
_UNREACHABLE = 3
_HEADER = 20
_LENGTH_OF_QUOTE = 5


class _Ending(Errors):
    """An error from the outside ends the mapping of what it quotes."""

    protocol: ClassVar[int] = UDP

    def revert_source(self, quoted: Packet, mapping: Mapping) -> None:
        super().revert_source(quoted, mapping)
        if mapping.protocol == self.protocol:
            self._translation.mappings.remove(mapping)


@deviation("nat-error-ends-mapping", "4787", _ENDS_NOTHING, "an error about a datagram ends its mapping")
class _EndsMapping(_Ending):
    pass


@deviation("nat-error-ends-connection", "5382", _ENDS_NOTHING, "an error about a connection ends its mapping")
class _EndsConnection(_Ending):
    protocol = TCP


@deviation("nat-error-ends-query", "5508", _ENDS_NOTHING, "an error about an echo request ends its mapping")
class _EndsQuery(_Ending):
    protocol = ICMP


@deviation("nat-outward-error-ends-mapping", "4787", _ENDS_NOTHING, "an error from the inside ends the mapping")
class _OutwardEnds(Errors):
    def revert_destination(self, quoted: Packet, mapping: Mapping) -> None:
        super().revert_destination(quoted, mapping)
        self._translation.mappings.remove(mapping)


class _Choosing(Errors):
    """Lets in some errors only."""

    def inward(self, packet: Packet, family: Messages) -> bool:
        at = family.quote_at(packet.payload)
        quoted = None if at is None else self.quoted_at(packet, packet.start + at)
        return quoted is not None and self.takes(packet, quoted) and super().inward(packet, family)

    def takes(self, packet: Packet, quoted: Packet) -> bool:
        """Whether an error comes in."""
        return True


@deviation("nat-error-of-destination-alone", "4787", "An error comes in from any router.", "from the destination alone")
class _DestinationAlone(_Choosing):
    def takes(self, packet: Packet, quoted: Packet) -> bool:
        return packet.source == quoted.destination


@deviation("nat-no-unreachable", "4787", _COMES_IN, "none about a datagram comes in")
class _NoUnreachable(_Choosing):
    protocol: ClassVar[int] = UDP

    def takes(self, packet: Packet, quoted: Packet) -> bool:
        return not (quoted.protocol == self.protocol and packet.buffer[packet.start] == _UNREACHABLE)


@deviation("nat-no-tcp-unreachable", "5382", _COMES_IN, "none about a connection comes in")
class _NoTcpUnreachable(_NoUnreachable):
    protocol = TCP


@deviation("nat-no-error-about-options", "5508", _PASSES, "one that quotes IP options does not")
class _NoOptions(_Choosing):
    def takes(self, packet: Packet, quoted: Packet) -> bool:
        return quoted.start - quoted.at == _HEADER


@deviation("nat-quoted-checksum-judged", "5508", _PASSES, "one whose quoted datagram has a wrong checksum does not")
class _Judged(_Choosing):
    def takes(self, packet: Packet, quoted: Packet) -> bool:
        (length,) = struct.unpack_from("!H", quoted.buffer, quoted.at + 2)
        if quoted.protocol != UDP or quoted.end - quoted.at < length:
            return True
        covered = quoted.source + quoted.destination + UDP + length - (quoted.start - quoted.at)
        return is_intact(quoted.payload, covered)


@deviation("nat-no-extensions", "5508", _PASSES, "one with extensions does not")
class _NoExtensions(_Choosing):
    def takes(self, packet: Packet, quoted: Packet) -> bool:
        return not packet.buffer[packet.start + _LENGTH_OF_QUOTE]


@deviation("nat-error-unchecked", "5508", "An error with a wrong checksum is dropped.", "it passes")
class _Unchecked(Errors):
    def is_intact(self, packet: Packet, family: Messages) -> bool:
        return True


@deviation("nat-quoted-header-unchecked", "5508", "An error with a damaged quoted header is dropped.", "it passes")
class _HeaderUnchecked(Errors):
    def quoted_at(self, packet: Packet, at: int) -> Packet | None:
        end = at + ((packet.buffer[at] & 0xF) << 2)
        (before,) = struct.unpack_from("!H", packet.buffer, at + 10)
        packet.buffer[at + 10 : at + 12] = bytes(2)
        right = checksum(packet.buffer[at:end])
        struct.pack_into("!H", packet.buffer, at + 10, right)
        shift(packet.buffer, packet.start + 2, right - before)
        return super().quoted_at(packet, at)


@deviation("nat-error-about-nothing", "5508", "An error about nothing passes to nobody.", "to who has spoken there")
class _AboutNothing(Errors):
    def quoted_at(self, packet: Packet, at: int) -> Packet | None:
        quoted = super().quoted_at(packet, at)
        self.remote = quoted.destination if quoted is not None else 0
        return quoted

    def sender(self, protocol: int, port: int) -> Mapping | None:
        spoken = (one for one in self._translation.mappings.all() if self.remote in [end[0] for end in one.flows])
        return super().sender(protocol, port) or next(spoken, None)


@deviation("nat-outward-error-about-nothing", "5508", "An error about nothing does not go out.", "it does")
class _OutwardAboutNothing(Errors):
    def receiver(self, protocol: int, inside: Endpoint) -> Mapping | None:
        return super().receiver(protocol, inside) or super().receiver(protocol, (inside[0], inside[1] ^ 1))


@deviation("nat-quote-as-it-came", "5508", _REVERTED, "an error that comes in quotes what came out of the NAT")
class _AsItCame(Errors):
    def revert_source(self, quoted: Packet, mapping: Mapping) -> None:
        """Nothing."""


@deviation("nat-outward-quote-as-it-came", "5508", _REVERTED, "an error that goes out quotes what came to the host")
class _OutwardAsItCame(Errors):
    def revert_destination(self, quoted: Packet, mapping: Mapping) -> None:
        """Nothing."""


class _Recoding(Errors):
    @staticmethod
    def recode(packet: Packet) -> None:
        """Have the code be that of host unreachable."""
        before = packet.buffer[packet.start + 1]
        packet.buffer[packet.start + 1] = 1
        shift(packet.buffer, packet.start + 2, 1 - before)


@deviation("nat-code-of-one-kind", "5508", _KIND, "every error that comes in has code 1")
class _OneCode(_Recoding):
    def inward(self, packet: Packet, family: Messages) -> bool:
        passed = super().inward(packet, family)
        if passed:
            self.recode(packet)
        return passed


@deviation("nat-outward-code-of-one-kind", "5508", _KIND, "every error that goes out has code 1")
class _OneCodeOutward(_Recoding):
    def outward(self, packet: Packet, family: Messages) -> bool:
        passed = super().outward(packet, family)
        if passed:
            self.recode(packet)
        return passed


@deviation("nat-error-to-the-first-host", "5508", "An error comes to its sender.", "to whoever has that port outside")
class _FirstHost(Errors):
    def sender(self, protocol: int, port: int) -> Mapping | None:
        mapping = super().sender(protocol, port)
        return mapping and (super().sender(protocol, mapping.inside[1]) or mapping)


@deviation(
    "nat-error-from-inside-address", "5508", "An error goes out from the outside address.", "from its sender's own"
)
class _FromInside(Errors):
    def outward(self, packet: Packet, family: Messages) -> bool:
        source = packet.source
        passed = super().outward(packet, family)
        if passed:
            packet.change_source(source)
        return passed


@deviation("nat-no-hairpinned-error", "5508", "Hairpinned errors pass.", "they are dropped")
class _NoHairpinned(Errors):
    def outward(self, packet: Packet, family: Messages) -> bool:
        return packet.destination != self._translation.outside and super().outward(packet, family)
