# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations in what becomes of fragments and IP options on the way to a server."""

import struct

from reference.bump.checksum import checksum
from reference.bump.ipv4 import Ipv4Network
from reference.bump.network import ETHERNET, HEADROOM, TCP, Packet
from reference.mops.context import last_move
from reference.mops.datapath import MopsDatapath
from reference.mops.message import MIGRATE_TYPE, message_type
from reference.system.alterations import deviation

_IPV4, _MORE = 0x0800, 0x2000
_HEADER, _ENTRY, _COUNT_AT, _ADDRESS = 24, 8, 16, (1 << 50) - 1


class _Ipv4(Ipv4Network):
    role = "server"

    def has_moved(self, buffer: bytearray, packet: Packet) -> bool:
        """Whether a packet is a segment of a connection that has migrated."""
        (port,) = struct.unpack_from("!H", buffer, packet.start)
        flows = self.flows.of_peer(packet.peer, port) if packet.protocol == TCP else []
        return any(last_move(flow) is not None for flow in flows)


@deviation(
    "fragment-taken-for-a-packet",
    "4.1",
    "A fragment is not taken for a message.",
    "what a fragment holds is taken for the payload of the packet",
)
class FragmentTakenForAPacket(_Ipv4):
    def _fragment_from_wire(self, buffer: bytearray, at: int, header: int, length: int) -> Packet | None:
        (source,) = struct.unpack_from("!I", buffer, at + 12)
        return Packet(buffer[at + 9], source, at + header, at + length)


@deviation(
    "messages-in-fragments-dropped",
    "4.1",
    "A Migrate in fragments is carried out.",
    "fragments of messages are dropped",
)
class MessagesInFragmentsDropped(_Ipv4):
    def _fragment_from_wire(self, buffer: bytearray, at: int, header: int, length: int) -> Packet | None:
        if buffer[at + 9] == self.icmp_protocol:
            return None
        return super()._fragment_from_wire(buffer, at, header, length)


@deviation(
    "segments-in-fragments-lost-after-a-move",
    "4.1",
    "Segments in fragments are taken after a move as before it.",
    "those of a connection that has moved are lost",
)
class SegmentsInFragmentsLost(_Ipv4):
    def _fragment_from_wire(self, buffer: bytearray, at: int, header: int, length: int) -> Packet | None:
        packet = super()._fragment_from_wire(buffer, at, header, length)
        return None if packet is not None and self.has_moved(buffer, packet) else packet


@deviation(
    "segments-with-options-lost-after-a-move",
    "4.1",
    "Segments with IP options are taken after a move as before it.",
    "those of a connection that has moved are lost",
)
class SegmentsWithOptionsLost(_Ipv4):
    def parse_wire(self, buffer: bytearray, at: int, end: int) -> Packet | None:
        packet = super().parse_wire(buffer, at, end)
        is_lost = packet is not None and packet.start - at > 20 and self.has_moved(buffer, packet)
        return None if is_lost else packet


@deviation(
    "messages-with-options-dropped",
    "4.1",
    "A Migrate with IP options is carried out.",
    "packets of messages with options are dropped",
)
class MessagesWithOptionsDropped(_Ipv4):
    def parse_wire(self, buffer: bytearray, at: int, end: int) -> Packet | None:
        packet = super().parse_wire(buffer, at, end)
        is_lost = packet is not None and packet.protocol == self.icmp_protocol and packet.start - at > 20
        return None if is_lost else packet


@deviation(
    "fragment-with-entries-carried-out",
    "4.1",
    "A Migrate in fragments is carried out whole or not at all.",
    "the entries of the first fragment are carried out as it comes",
)
class FragmentWithEntriesCarriedOut(MopsDatapath):
    role = "server"

    def take_from_wire(self, length: int) -> None:
        packet = bytearray(self._wire_view[HEADROOM + ETHERNET : HEADROOM + length])
        ethertype = int.from_bytes(self._wire_view[HEADROOM + 12 : HEADROOM + ETHERNET], "big")
        network = next((one for one in self.networks if one.name == "ipv4"), None)
        is_first = len(packet) > 20 + _HEADER and int.from_bytes(packet[6:8], "big") == _MORE
        if network is None or ethertype != _IPV4 or not is_first or packet[9] != network.icmp_protocol:
            super().take_from_wire(length)
            return
        message = packet[20:]
        if message_type(bytes(message)) == MIGRATE_TYPE:
            migrated = int.from_bytes(message[_COUNT_AT:_HEADER], "big") & _ADDRESS
            count = (len(message) - _HEADER) // _ENTRY
            message[_COUNT_AT:_HEADER] = (count << 50 | migrated).to_bytes(8, "big")
            message[2:4] = bytes(2)
            message[2:4] = checksum(bytes(message)).to_bytes(2, "big")
            self.message_received(network, int.from_bytes(packet[12:16], "big"), bytes(message))
