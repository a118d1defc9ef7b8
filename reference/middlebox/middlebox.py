# SPDX-License-Identifier: GPL-2.0-or-later
"""The way of a packet from one wire to the other: a router between two links, without its sockets.

Frames and the time come in, frames and a deadline come out. Whoever has sockets attaches them to the two sides, reads
frames into a side's room and says so (`take`); whoever has none gives frames as bytes (`receive`) and asks the sides
what was sent (`Side.frames`). Time is in seconds of any clock that never goes back.
"""

import math
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from reference.bump.arp import ETHERTYPE as ARP_ETHERTYPE
from reference.bump.timers import Timers
from reference.middlebox.messages import Messages, Trouble
from reference.middlebox.packet import BoxNetwork, Packet
from reference.middlebox.side import ETHERNET, Side
from reference.system.log import log

_ARP_S = 0.1
_EXPIRY_S = 1.0


class Middlebox:
    """Forwards what may pass, tells senders what cannot, and answers what is for itself.

    `messages` has for each network its protocols of control messages, the one that errors are told in first.
    """

    def __init__(self, sides: tuple[Side, Side], messages: Mapping[BoxNetwork, Sequence[Messages]]) -> None:
        self.inside, self.outside = self.sides = sides
        self.inside.other, self.outside.other = self.outside, self.inside
        self.networks = tuple(messages)
        self._by_ethertype = {network.ethertype: network for network in self.networks}
        self.messages = {
            network: {family.protocol: family for family in families} for network, families in messages.items()
        }
        self.own_messages = {network: families[0] for network, families in messages.items()}
        self.now = 0.0
        self._expiry = 0.0
        self._timers = Timers()
        self.counters = {"from_inside": 0, "from_outside": 0, "forwarded": 0, "lost": 0}

    # Time --------------------------------------------------------------------------------------------------------

    def deadline(self) -> float:
        """When there is something to do though nothing arrives."""
        waits = [side.deadline(self.now, _ARP_S, math.inf) for side in self.sides]
        return min(self._expiry, self._timers.due, *waits)

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Do something so many seconds from now."""
        self._timers.set(self.now + seconds, action)

    def tick(self, now: float) -> None:
        """Do what is due."""
        self.now = now
        self._timers.run(now)
        for side in self.sides:
            if side.arp is not None and (side.arp.is_waiting or now >= self._expiry):
                side.arp.tick(now)
        if now >= self._expiry:
            self._expiry = now + _EXPIRY_S
            self.expire()

    def expire(self) -> None:
        """Forget what has had its time; called about once a second."""

    # Frames ------------------------------------------------------------------------------------------------------

    def receive(self, side: Side, frame: bytes, now: float) -> None:
        """Take a frame from a wire."""
        self.now = now
        side.room[: len(frame)] = frame
        self.take(side, len(frame))

    def take(self, side: Side, length: int) -> None:
        """Serve the frame that lies in a side's room."""
        buffer = side.buffer
        self.counters["from_inside" if side is self.inside else "from_outside"] += 1
        if length < ETHERNET:
            return
        ethertype = buffer[12] << 8 | buffer[13]
        network = self._by_ethertype.get(ethertype)
        if network is None:
            if ethertype == ARP_ETHERTYPE:
                side.arp_received(length, self.now)
            return
        if buffer[:6] != side.mac:
            return
        packet = network.parse(buffer, ETHERNET, length)
        if packet is not None and packet.is_fragment:
            packet = self._reassembled(side, packet)
        if packet is not None:
            self.packet_received(side, packet)

    def _reassembled(self, side: Side, fragment: Packet) -> Packet | None:
        """The packet that a fragment is the last missing one of, in the place of the fragment."""
        at = fragment.at
        whole = side.fragments.add(bytes(fragment.buffer[at : fragment.start]), fragment.payload)
        if whole is None:
            return None
        fragment.buffer[at : at + len(whole)] = whole
        return fragment.network.parse(fragment.buffer, at, at + len(whole))

    def take_packet(self, side: Side, network: BoxNetwork, whole: bytes) -> None:
        """Serve a packet that has come in on a side without its frame."""
        end = ETHERNET + len(whole)
        side.buffer[ETHERNET:end] = whole
        packet = network.parse(side.buffer, ETHERNET, end)
        if packet is not None:
            self.packet_received(side, packet)

    def handlers(self, wires: Sequence[str], raws: Sequence[socket.socket]) -> dict[int, Callable[[], None]]:
        """What is to be served beside the raw sockets of the wires, by file descriptor."""
        return {}

    # Packets -----------------------------------------------------------------------------------------------------

    def packet_received(self, side: Side, packet: Packet) -> None:
        """A packet has come in on a side: it is for the device itself, or goes on."""
        if any(one.has(packet.network, packet.destination) for one in self.sides):
            self.packet_for_itself(side, packet)
        elif not side.has(packet.network, packet.source):
            self.forward(side, packet, side.other)

    def packet_for_itself(self, side: Side, packet: Packet) -> None:
        """A packet is for the device: it answers echo requests (RFC 1122, 3.2.2.6)."""
        family = self.messages[packet.network].get(packet.protocol)
        if family is None or not family.is_intact(packet):
            return
        message = packet.payload
        if family.kind(message) == family.request:
            ends = packet.destination, packet.source
            self.send_message(side, packet.network, family, ends, family.echo(message))
        else:
            self.message_for_itself(side, packet, message)

    def message_for_itself(self, side: Side, packet: Packet, message: bytes) -> None:
        """A control message other than an echo request is for the device; its checksum is right."""

    def forward(self, side: Side, packet: Packet, out: Side) -> None:
        """Send a packet on, out of a side, if it may pass."""
        if packet.hops <= 1:
            self.tell(side, packet, Trouble.HOPS)
        elif len(packet) > out.mtu and not packet.network.may_be_divided(packet):
            self.tell(side, packet, Trouble.SIZE, out.mtu)
        elif self.passes(side, packet, out):
            packet.network.take_a_hop(packet)
            self.emit(out, packet)

    def passes(self, side: Side, packet: Packet, out: Side) -> bool:
        """Whether a packet from one side goes out of another one; what a role changes in it is changed here."""
        return True

    def emit(self, out: Side, packet: Packet) -> None:
        """Put a packet on a wire, in fragments where it is too large."""
        self.counters["forwarded"] += 1
        if len(packet) <= out.mtu:
            out.send_in_place(packet, self.now)
            return
        for piece in packet.network.pieces(packet, out.mtu):
            out.send_packet(packet.network, packet.destination, piece, self.now)

    # Messages of its own -----------------------------------------------------------------------------------------

    def tell(self, side: Side, packet: Packet, trouble: Trouble, mtu: int = 0) -> None:
        """Tell the sender of a packet that came in on a side why it was dropped; never about an error (RFC 1122)."""
        about = self.messages[packet.network].get(packet.protocol)
        if about is not None and about.quote_at(packet.payload) is not None:
            return
        own, family = side.own.get(packet.network), self.own_messages[packet.network]
        if own is not None:
            self.send_message(side, packet.network, family, (own, packet.source), family.error(packet, trouble, mtu))

    def send_message(
        self, side: Side, network: BoxNetwork, family: Messages, ends: tuple[int, int], message: bytes
    ) -> None:
        """Send a control message, given without its checksum, out of a side; `ends` are source and destination."""
        whole = family.with_checksum(message, *ends)
        side.send_packet(network, ends[1], network.build(*ends, family.protocol, whole), self.now)

    # For people --------------------------------------------------------------------------------------------------

    def asked(self, question: str, words: str) -> dict[str, Any]:
        """Answer a question of the agent."""
        return {"error": f"a device between two links knows no {question}"}

    def status(self) -> dict[str, Any]:
        """Counters and sizes."""
        return dict(self.counters)

    def lost(self, side: Side, length: int, why: str) -> None:
        """A frame could not be sent."""
        self.counters["lost"] += 1
        log(f"sending a frame of {length} bytes to the {side.name}: {why}")
