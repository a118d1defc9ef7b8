# SPDX-License-Identifier: GPL-2.0-or-later
"""The remote side takes what is no notification, or takes one wrongly."""

from typing import Any

from reference.bump.checksum import is_intact
from reference.bump.network import ETHERNET, HEADROOM
from reference.sacip.datapath import SacipDatapath
from reference.sacip.flows import ends
from reference.sacip.notification import LENGTH, TYPE
from reference.sacip.remote_side import RemoteSide
from reference.system.alterations import deviation


@deviation("wrong-checksum-taken", "examples", "The checksum is verified.", "it is not looked at")
class _ChecksumIgnored(RemoteSide):
    def is_taken(self, message: bytes) -> bool:
        return self.is_of_type(message) and len(message) >= LENGTH


@deviation("short-notification-taken", "examples", "A notification is 8 bytes.", "what is missing is as in the source")
class _ShortTaken(RemoteSide):
    def receive(self, source: int, message: bytes, own: int) -> None:
        if message[0] == TYPE and len(message) in range(5, LENGTH) and is_intact(message):
            usual = self.notification.ordered(source).to_bytes(4, "big")
            whole = message + usual[len(message) - 4 :]
            self.peer_changed(source, self.new_address(whole), own)
        else:
            super().receive(source, message, own)


@deviation("type-without-its-highest-bit", "notification", "The type is 20.", "the highest bit of it is not looked at")
class _SevenBits(RemoteSide):
    def is_of_type(self, message: bytes) -> bool:
        return message[0] & 0x7F == TYPE


@deviation("types-from-20-on-taken", "notification", "The type is 20.", "so are those above it")
class _FromTwentyOn(RemoteSide):
    def is_of_type(self, message: bytes) -> bool:
        return TYPE <= message[0] < TYPE + 10


@deviation(
    "address-in-the-other-order", "examples", "The address is as captured.", "it is read in the other byte order"
)
class _OtherOrder(RemoteSide):
    def new_address(self, message: bytes) -> int:
        return int.from_bytes(super().new_address(message).to_bytes(4, "big"), "little")

    def is_possible(self, new: int) -> bool:
        return True


@deviation(
    "notification-answered", "remote", "A notification is not answered.", "it is sent back from where it came to"
)
class _Answered(SacipDatapath):
    def _icmp_from_wire(self, network: Any, packet: Any) -> None:
        message = bytes(self._wire_view[packet.start : packet.end])
        super()._icmp_from_wire(network, packet)
        if self.remote_side.is_taken(message):
            self.send_message(*ends(packet.peer), message)


@deviation(
    "answered-at-the-new-address", "remote", "A notification is not answered.", "the new address gets an echo request"
)
class _Probed(SacipDatapath):
    def _icmp_from_wire(self, network: Any, packet: Any) -> None:
        message = bytes(self._wire_view[packet.start : packet.end])
        own, peer = ends(packet.peer)
        known = self._ipv4.flows.of(peer=peer)
        super()._icmp_from_wire(network, packet)
        if known and self.remote_side.is_taken(message):
            probe = self.local_side.notification.seal(bytes([8, 0, 0, 0, 0, 1, 0, 1]))
            self.send_message(own, self.remote_side.new_address(message), probe)


@deviation(
    "broadcast-notification-taken", "remote", "A notification is for one host.", "broadcast and multicast count too"
)
class _BroadcastTaken(SacipDatapath):
    def take_from_wire(self, length: int) -> None:
        frame = bytes(self._wire_view[HEADROOM : HEADROOM + length])
        packet = frame[ETHERNET:]
        if frame[0] & 1 and frame[12:14] == b"\x08\x00" and len(packet) >= 28 and packet[9] == 1:
            self.remote_side.receive(int.from_bytes(packet[12:16], "big"), packet[20:28], self.addresses.primary)
        else:
            super().take_from_wire(length)
