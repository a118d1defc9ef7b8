# SPDX-License-Identifier: GPL-2.0-or-later
"""IPv4 as a router sees it (RFC 791, RFC 1812)."""

import struct

from reference.bump.checksum import checksum, is_intact
from reference.middlebox.packet import BoxNetwork, Packet, shift
from reference.system.addresses import ipv4_as_ipff, ipv4_of_ipff, ipv4_text

_HEADER = struct.Struct("!BBHHHBBHII")
_LENGTH, _FRAGMENT, _TTL, _CHECKSUM, _SOURCE, _DESTINATION = 2, 6, 8, 10, 12, 16
_MORE, _OFFSET, _DONT = 0x2000, 0x1FFF, 0x4000
_HOPS = 64
_LOOPBACK, _FIRST_MULTICAST = 127, 224
_COPIED = 0x80  # of an option: it is in every fragment
_END_OF_OPTIONS, _NO_OPERATION = 0, 1


def is_host(address: int) -> bool:
    """Whether an address may be that of a host beyond its link: none of "this network", loopback, multicast."""
    first = address >> 24
    return 0 < first < _FIRST_MULTICAST and first != _LOOPBACK


class BoxIpv4(BoxNetwork):
    """IPv4, with ICMPv5 as the payload of a protocol number of its own."""

    name = "ipv4"
    ethertype = 0x0800

    def __init__(self, icmp_protocol: int) -> None:
        self.icmp_protocol = icmp_protocol
        self._identification = 0

    def text(self, address: int) -> str:
        return ipv4_text(address)

    def to_ipff(self, address: int) -> int:
        return ipv4_as_ipff(address)

    def from_ipff(self, address: int) -> int | None:
        return ipv4_of_ipff(address)

    def parse(self, buffer: bytearray, at: int, end: int) -> Packet | None:
        if end - at < _HEADER.size:
            return None
        first, _, length, _, fragment, hops, protocol, _, source, destination = _HEADER.unpack_from(buffer, at)
        header = (first & 0xF) << 2
        if first >> 4 != 4 or not _HEADER.size <= header <= length <= end - at:
            return None
        if not is_intact(buffer[at : at + header]) or not (is_host(source) and is_host(destination)):
            return None
        place = at, at + header, at + length
        packet = Packet(self, buffer, place, protocol, hops, (source, destination))
        packet.is_fragment = bool(fragment & (_MORE | _OFFSET))
        return packet

    def quoted(self, buffer: bytearray, at: int, end: int) -> Packet | None:
        if end - at < _HEADER.size:
            return None
        first, _, length, _, fragment, hops, protocol, _, source, destination = _HEADER.unpack_from(buffer, at)
        start = at + ((first & 0xF) << 2)
        if first >> 4 != 4 or not at + _HEADER.size <= start <= end or fragment & _OFFSET:
            return None
        if not is_intact(buffer[at:start]):
            return None
        return Packet(self, buffer, (at, start, min(end, at + length)), protocol, hops, (source, destination))

    def write_source(self, packet: Packet, address: int) -> None:
        self._write(packet, _SOURCE, packet.source, address)

    def write_destination(self, packet: Packet, address: int) -> None:
        self._write(packet, _DESTINATION, packet.destination, address)

    @staticmethod
    def _write(packet: Packet, offset: int, old: int, new: int) -> None:
        struct.pack_into("!I", packet.buffer, packet.at + offset, new)
        shift(packet.buffer, packet.at + _CHECKSUM, new - old)

    def take_a_hop(self, packet: Packet) -> None:
        packet.hops -= 1
        packet.buffer[packet.at + _TTL] -= 1
        shift(packet.buffer, packet.at + _CHECKSUM, -0x100)

    def may_be_divided(self, packet: Packet) -> bool:
        return not packet.buffer[packet.at + _FRAGMENT] & (_DONT >> 8)

    def pieces(self, packet: Packet, mtu: int) -> list[bytes]:
        header, payload = packet.buffer[packet.at : packet.start], packet.payload
        further = header[:20] + _copied(header[20:])
        found: list[bytes] = []
        offset = 0
        while offset < len(payload):
            own = further if offset else header
            room = (mtu - len(own)) & ~7
            is_last = offset + mtu - len(own) >= len(payload)
            data = payload[offset:] if is_last else payload[offset : offset + room]
            found.append(_piece(own, data, offset, more=not is_last))
            offset += len(data)
        return found

    def build(self, source: int, destination: int, protocol: int, payload: bytes) -> bytes:
        self._identification = (self._identification + 1) & 0xFFFF
        length = _HEADER.size + len(payload)
        fields = [0x45, 0, length, self._identification, 0, _HOPS, protocol, 0, source, destination]
        fields[7] = checksum(_HEADER.pack(*fields))
        return _HEADER.pack(*fields) + payload


def _copied(options: bytes | bytearray) -> bytes:
    """The options of a packet that its further fragments have too, padded (RFC 791, 3.1)."""
    kept, at = b"", 0
    while at < len(options) and options[at] != _END_OF_OPTIONS:
        length = 1 if options[at] == _NO_OPERATION else options[at + 1] if at + 1 < len(options) else 0
        if length == 0 or at + length > len(options):
            break
        if options[at] & _COPIED:
            kept += bytes(options[at : at + length])
        at += length
    return kept + bytes(-len(kept) % 4)


def _piece(header: bytes | bytearray, data: bytes, offset: int, *, more: bool) -> bytes:
    own = bytearray(header)
    own[0] = 0x40 | len(own) >> 2
    struct.pack_into("!H", own, _LENGTH, len(own) + len(data))
    struct.pack_into("!H", own, _FRAGMENT, (_MORE if more else 0) | offset >> 3)
    struct.pack_into("!H", own, _CHECKSUM, 0)
    struct.pack_into("!H", own, _CHECKSUM, checksum(own))
    return bytes(own) + data
