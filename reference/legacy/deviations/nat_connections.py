# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations of a NAT in connections (RFC 5382; RFC 7857, 2.2)."""

from reference.bump.tcp import RST
from reference.middlebox.messages import Messages, Trouble
from reference.middlebox.nat.nat import Nat
from reference.middlebox.nat.translation import flags_of, is_call
from reference.middlebox.packet import TCP, Packet
from reference.middlebox.side import Side
from reference.system.alterations import deviation

_UNKNOWN = "Connections with options that the NAT does not know open."
_HARMLESS = "Messages that the NAT has never heard of harm no connection."
_OFFSET_AT, _HEADER, _EXPERIMENTS = 12, 20, (253, 254)
_SACIP = 20


@deviation(
    "nat-no-call-from-outside", "5382", "Two ends whose SYNs cross connect.", "no SYN comes in, to whatever mapping"
)
class _NoCall(Nat):
    def passes_inward(self, side: Side, packet: Packet) -> bool:
        return not (is_call(packet) and side is self.outside) and super().passes_inward(side, packet)


@deviation("nat-call-refused-at-once", "5382", "An unsolicited SYN is not answered for six seconds.", "it is at once")
class _RefusedAtOnce(Nat):
    def call_received(self, side: Side, packet: Packet) -> None:
        self.tell(side, packet, Trouble.PORT)


@deviation("nat-call-refused-early", "5382", "An unsolicited SYN is not answered for six seconds.", "it is after three")
class _RefusedEarly(Nat):
    def call_received(self, side: Side, packet: Packet) -> None:
        network, whole = packet.network, packet.whole
        self.after(3.0, lambda: self._tell_later(side, network, whole))


@deviation(
    "nat-call-locks-out", "5382", "A connection opens after an unsolicited SYN.", "the host's own SYN is dropped then"
)
class _LocksOut(Nat):
    def call_received(self, side: Side, packet: Packet) -> None:
        ports = packet.ports()
        if ports is not None:
            self.__dict__.setdefault("_locked", set()).add((packet.source, *ports))
        super().call_received(side, packet)

    def passes_outward(self, side: Side, packet: Packet) -> bool:
        ports = packet.ports() or (0, 0)
        if is_call(packet) and (packet.destination, *reversed(ports)) in self.__dict__.get("_locked", ()):
            return False
        return super().passes_outward(side, packet)


@deviation("nat-no-reset-inward", "7857", "A reset passes.", "none comes in")
class _NoResetInward(Nat):
    def passes_inward(self, side: Side, packet: Packet) -> bool:
        return not flags_of(packet) & RST and super().passes_inward(side, packet)


@deviation("nat-no-reset-outward", "7857", "A reset passes.", "none goes out")
class _NoResetOutward(Nat):
    def passes_outward(self, side: Side, packet: Packet) -> bool:
        return not flags_of(packet) & RST and super().passes_outward(side, packet)


@deviation("nat-unknown-option-dropped", "5382", _UNKNOWN, "a SYN with an option for experiments is dropped")
class _OptionDropped(Nat):
    def passes_outward(self, side: Side, packet: Packet) -> bool:
        return not (is_call(packet) and self.has_unknown(packet)) and super().passes_outward(side, packet)

    @staticmethod
    def has_unknown(packet: Packet) -> bool:
        """Whether a segment's options begin with one of those, after what fills the header up."""
        length = packet.buffer[packet.start + _OFFSET_AT] >> 2 & 0x3C
        options = bytes(packet.buffer[packet.start + _HEADER : packet.start + length]).lstrip(b"\x01")
        return any(kind in options for kind in _EXPERIMENTS)


@deviation("nat-unknown-option-answered", "5382", _UNKNOWN, "a SYN-ACK with such an option is dropped")
class _OptionAnswered(_OptionDropped):
    def passes_outward(self, side: Side, packet: Packet) -> bool:
        return Nat.passes_outward(self, side, packet)

    def passes_inward(self, side: Side, packet: Packet) -> bool:
        is_answer = packet.protocol == TCP and flags_of(packet) & 0x12 == 0x12
        return not (is_answer and self.has_unknown(packet)) and super().passes_inward(side, packet)


@deviation("nat-message-ends-connections", "5382", _HARMLESS, "such a message ends the connections of its host")
class _MessageEnds(Nat):
    def passes_message(self, side: Side, packet: Packet, out: Side, family: Messages) -> bool:
        self.end(packet, packet.source)
        return False

    def message_for_itself(self, side: Side, packet: Packet, message: bytes) -> None:
        self.end(packet, packet.source)

    def end(self, packet: Packet, host: int) -> None:
        """End the connections of a host, inside or outside."""
        mappings = self.translations[packet.network].mappings
        for mapping in mappings.all():
            if mapping.protocol == TCP and host in (mapping.inside[0], *(address for address, _ in mapping.flows)):
                mappings.remove(mapping)
