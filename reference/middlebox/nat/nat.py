# SPDX-License-Identifier: GPL-2.0-or-later
"""A NAT between two links: what passes outwards, inwards, and between two inside hosts.

Reading: what comes to the outside address and belongs to no mapping is for the router itself, which answers echo
requests, keeps SYNs waiting, and drops everything else in silence. Other protocols than TCP, UDP and the control
messages are not translated and do not pass.
"""

import socket
from collections.abc import Callable, Sequence
from collections.abc import Mapping as Map
from dataclasses import dataclass
from functools import partial
from typing import Any

from reference.middlebox.messages import Messages, Trouble
from reference.middlebox.middlebox import Middlebox
from reference.middlebox.nat.errors import Errors
from reference.middlebox.nat.kernel_path import KernelPath
from reference.middlebox.nat.mappings import Mapping
from reference.middlebox.nat.settings import NatSettings
from reference.middlebox.nat.translation import Translation, is_call
from reference.middlebox.nat.unsolicited import UnsolicitedSyns
from reference.middlebox.packet import BoxNetwork, Packet
from reference.middlebox.side import Side
from reference.system.log import log


@dataclass(frozen=True)
class Translated:
    """What a NAT has for one network."""

    translation: Translation
    errors: Errors


class Nat(Middlebox):
    """A NAT with one outside address for each network."""

    role = "NAT"

    def __init__(
        self,
        sides: tuple[Side, Side],
        messages: Map[BoxNetwork, Sequence[Messages]],
        translated: Map[BoxNetwork, Translated],
        unsolicited: UnsolicitedSyns,
    ) -> None:
        super().__init__(sides, messages)
        self.translations = {network: one.translation for network, one in translated.items()}
        self.errors = {network: one.errors for network, one in translated.items()}
        self.unsolicited = unsolicited
        self.nat_settings: NatSettings | None = None
        self.kernel_path: KernelPath | None = None
        for translation in self.translations.values():
            translation.now = lambda: self.now

    def handlers(self, wires: Sequence[str], raws: Sequence[socket.socket]) -> dict[int, Callable[[], None]]:
        network = next((one for one in self.networks if one.name == "ipv4"), None)
        settings = self.nat_settings
        if network is None or settings is None or not settings.by_kernel or any(side.routes for side in self.sides):
            return {}
        sides = dict(zip(map(socket.if_nametoindex, wires), self.sides, strict=True))
        translation = self.translations[network]

        def take(interface: int, packet: bytes) -> None:
            self.take_packet(sides[interface], network, packet)

        def note(interface: int, whole: bytes) -> None:
            packet = network.parse(bytearray(whole), 0, len(whole))
            if packet is not None:
                translation.carried(packet, is_outward=sides[interface] is self.inside)

        try:
            path = KernelPath(take, note, settings)
            handlers = path.set_up(wires, raws, [side.prefix for side in self.sides])
        except OSError as error:
            log(f"the kernel carries nothing: {error.strerror or error}")
            return {}
        translation.passed, translation.mappings.carrier, self.kernel_path = path.passed, path, path
        return handlers

    def expire(self) -> None:
        self.unsolicited.expire(self.now)
        for translation in self.translations.values():
            translation.mappings.expire(self.now)

    def status(self) -> dict[str, Any]:
        mappings = {network.name: len(one.mappings) for network, one in self.translations.items()}
        carried = {} if self.kernel_path is None else {"carried_by_kernel": len(self.kernel_path)}
        return {**super().status(), "mappings": mappings, **carried}

    # Where a packet goes -----------------------------------------------------------------------------------------

    def packet_received(self, side: Side, packet: Packet) -> None:
        network, is_inside = packet.network, side is self.inside
        if is_inside and self.inside.has(network, packet.destination):
            self.packet_for_itself(side, packet)
        elif self.outside.has(network, packet.destination):
            if self.is_translated(packet):
                self.forward(side, packet, self.inside)
            else:
                self.unmapped(side, packet)
        elif is_inside and packet.source != self.outside.own[network]:
            self.forward(side, packet, self.outside)

    def is_translated(self, packet: Packet) -> bool:
        """Whether a packet to the outside address is for a mapping, or is an error about one."""
        family = self.messages[packet.network].get(packet.protocol)
        if family is not None and family.quote_at(packet.payload) is not None:
            return True
        return self.translations[packet.network].target(packet) is not None

    def unmapped(self, side: Side, packet: Packet) -> None:
        """A packet has come to the outside address that is for no mapping."""
        if is_call(packet):
            self.call_received(side, packet)
        else:
            self.packet_for_itself(side, packet)

    def call_received(self, side: Side, packet: Packet) -> None:
        """A SYN that may not come in: its sender is told later, if at all."""
        ends = self.translations[packet.network].endpoints.read(packet)
        if ends is not None:
            network = packet.network
            tell = partial(self._tell_later, side, network, packet.whole)
            self.unsolicited.hold((id(network), ends[1], ends[0]), self.now, tell)

    def _tell_later(self, side: Side, network: BoxNetwork, whole: bytes) -> None:
        packet = network.parse(bytearray(whole), 0, len(whole))
        if packet is not None:
            self.tell(side, packet, Trouble.PORT)

    # What passes -------------------------------------------------------------------------------------------------

    def passes(self, side: Side, packet: Packet, out: Side) -> bool:
        family = self.messages[packet.network].get(packet.protocol)
        if family is not None and family.quote_at(packet.payload) is not None:
            return self.passes_error(side, packet, family)
        if family is not None and not self.is_query(packet, family):
            return self.passes_message(side, packet, out, family)
        if side is self.inside and not self.passes_outward(side, packet):
            return False
        return out is self.outside or self.passes_inward(side, packet)

    def is_query(self, packet: Packet, family: Messages) -> bool:
        """Whether a control message is a query or its reply, which has an identifier."""
        return family.kind(packet.payload) in (*family.requests, *family.replies)

    def passes_error(self, side: Side, packet: Packet, family: Messages) -> bool:
        """Whether an ICMP error passes, translated."""
        errors = self.errors[packet.network]
        return errors.outward(packet, family) if side is self.inside else errors.inward(packet, family)

    def passes_message(self, side: Side, packet: Packet, out: Side, family: Messages) -> bool:
        """Whether a control message that is neither error nor query passes."""
        return False

    def passes_outward(self, side: Side, packet: Packet) -> bool:
        """Whether a packet from the inside passes, its source translated."""
        translation, source = self.translations[packet.network], packet.source
        mapping = translation.outward(packet)
        if mapping is None:
            return False
        if is_call(packet):
            self.call_passes(packet, mapping)
        assert packet.source != source
        return True

    def call_passes(self, packet: Packet, mapping: Mapping) -> None:
        """A SYN goes out from a mapping, its source translated already."""
        ends = self.translations[packet.network].endpoints.read(packet)
        if ends is not None:
            self.unsolicited.called((id(packet.network), *ends))

    def passes_inward(self, side: Side, packet: Packet) -> bool:
        """Whether a packet to the outside address comes in, its destination translated."""
        if self.translations[packet.network].inward(packet):
            return True
        if is_call(packet):
            self.call_received(side, packet)
        return False
