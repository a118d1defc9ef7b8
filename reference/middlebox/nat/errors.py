# SPDX-License-Identifier: GPL-2.0-or-later
"""ICMP errors through a NAT: both headers are translated, that of the message and the one that it quotes (RFC 5508).

An error ends and prolongs nothing (REQ-6). One whose checksum, or whose quoted header's checksum, is wrong is dropped
(REQ-3), and so is one about what has no mapping (REQ-4, REQ-5).
"""

from reference.bump.checksum import words_sum
from reference.middlebox.messages import Messages
from reference.middlebox.nat.mappings import Endpoint, Mapping
from reference.middlebox.nat.translation import Translation
from reference.middlebox.packet import Packet, shift


class Errors:
    """The errors of one network."""

    role = "NAT"

    def __init__(self, translation: Translation) -> None:
        self._translation = translation

    def inward(self, packet: Packet, family: Messages) -> bool:
        """An error to the outside address, about what has gone out: to the host that has sent it. Whether it passes."""
        found = self._quoted(packet, family)
        if found is None:
            return False
        quoted, source, _ = found
        if source[0] != self._translation.outside:
            return False
        mapping = self.sender(quoted.protocol, source[1])
        if mapping is None:
            return False
        before = self._body_sum(packet)
        self.revert_source(quoted, mapping)
        self._readdress(packet, family, before, destination=mapping.inside[0])
        return True

    def outward(self, packet: Packet, family: Messages) -> bool:
        """An error from the inside, about what has come in: from the outside address. Whether it passes."""
        found = self._quoted(packet, family)
        if found is None:
            return False
        quoted, source, destination = found
        translation = self._translation
        mapping = self.receiver(quoted.protocol, destination)
        if mapping is None or packet.destination != quoted.source:
            return False
        before = self._body_sum(packet)
        self.revert_destination(quoted, mapping)
        receiver = packet.destination
        if source[0] == translation.outside:  # the quoted packet has come from an inside host
            other = translation.mapping_at(quoted.protocol, source[1])
            if other is None:
                return False
            self.revert_source(quoted, other)
            receiver = other.inside[0]
        self._readdress(packet, family, before, source=translation.outside, destination=receiver)
        return True

    def sender(self, protocol: int, port: int) -> Mapping | None:
        """The mapping from which a quoted packet has gone out."""
        return self._translation.mapping_at(protocol, port)

    def receiver(self, protocol: int, inside: Endpoint) -> Mapping | None:
        """The mapping by which a quoted packet has come in."""
        return self._translation.mappings.of_inside(protocol, inside, self._translation.now())

    def revert_source(self, quoted: Packet, mapping: Mapping) -> None:
        """Have a quoted packet come from the inside endpoint, as its host has sent it."""
        self._translation.endpoints.change_source(quoted, mapping.inside)

    def revert_destination(self, quoted: Packet, mapping: Mapping) -> None:
        """Have a quoted packet go to the outside endpoint, as it has come in."""
        self._translation.endpoints.change_destination(quoted, mapping.outside)

    def _quoted(self, packet: Packet, family: Messages) -> tuple[Packet, Endpoint, Endpoint] | None:
        """The packet that an error quotes, in its place, and its endpoints; None where there is something wrong."""
        at = family.quote_at(packet.payload)
        if at is None or not self.is_intact(packet, family):
            return None
        quoted = self.quoted_at(packet, packet.start + at)
        ends = None if quoted is None else self._translation.endpoints.read(quoted)
        return None if quoted is None or ends is None else (quoted, *ends)

    def is_intact(self, packet: Packet, family: Messages) -> bool:
        """Whether the checksum of an error is right."""
        return family.is_intact(packet)

    def quoted_at(self, packet: Packet, at: int) -> Packet | None:
        """The packet that is quoted at a place of the buffer; None where its header is damaged."""
        return self._translation.network.quoted(packet.buffer, at, packet.end)

    @staticmethod
    def _body_sum(packet: Packet) -> int:
        return words_sum(packet.payload)

    def _readdress(
        self, packet: Packet, family: Messages, before: int, source: int | None = None, destination: int | None = None
    ) -> None:
        """Give the message its new addresses, and a checksum that covers what has changed."""
        delta = self._body_sum(packet) - before
        for new, old, change in (
            (source, packet.source, packet.change_source),
            (destination, packet.destination, packet.change_destination),
        ):
            if new is not None:
                delta += new - old if family.covers_addresses else 0
                change(new)
        shift(packet.buffer, packet.start + family.checksum_at, delta)
