# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations below MOPS: the header of IPFF, the pseudo-header of ICMPv5, UDP."""

import struct
from dataclasses import replace

from reference.bump.checksum import is_intact
from reference.bump.flows import Flows
from reference.bump.ipff import IpffNetwork, IpffSettings
from reference.bump.ipff_wire import VERSION, Header, is_valid
from reference.bump.network import TCP, UDP, Packet
from reference.system.alterations import deviation


class _Server(IpffNetwork):
    role = "server"


class _Node(IpffNetwork):
    role = "mobile node"


class _ReservedSent(IpffNetwork):
    def _pack(self, peer: int, protocol: int, length: int, hops: int = 64, service: int = 0) -> bytes:
        header = super()._pack(peer, protocol, length, hops, service)
        return header[:1] + bytes((header[1] | 0x04,)) + header[2:]


@deviation("ipff-reserved-sent", "ipff.3", "Reserved is zero.", "one bit of Reserved is set in every packet")
class ReservedSent(_ReservedSent, _Server):
    pass


@deviation("node-ipff-reserved-sent", "ipff.3", "Reserved is zero.", "one bit of Reserved is set in every packet")
class NodeReservedSent(_ReservedSent, _Node):
    pass


class _ReservedRefused(IpffNetwork):
    def parse_wire(self, buffer: bytearray, at: int, end: int) -> Packet | None:
        reserved = buffer[at] & 0x0F or buffer[at + 1] & 0xFC if end > at + 1 else 0
        return None if reserved else super().parse_wire(buffer, at, end)


@deviation("ipff-reserved-refused", "ipff.3", "Reserved is ignored.", "a packet with bits of Reserved set is dropped")
class ReservedRefused(_ReservedRefused, _Server):
    pass


@deviation(
    "node-ipff-reserved-refused", "ipff.3", "Reserved is ignored.", "a packet with bits of Reserved set is dropped"
)
class NodeReservedRefused(_ReservedRefused, _Node):
    pass


class _VersionIgnored(IpffNetwork):
    def is_sound(self, header: Header, room: int) -> bool:
        return super().is_sound(header._replace(version=VERSION), room)


@deviation("ipff-version-ignored", "ipff.3", "The version is 5.", "packets of every version are taken")
class VersionIgnored(_VersionIgnored, _Server):
    pass


@deviation("node-ipff-version-ignored", "ipff.3", "The version is 5.", "packets of every version are taken")
class NodeVersionIgnored(_VersionIgnored, _Node):
    pass


class _LengthOfTheFrame(IpffNetwork):
    """Payload Length set to what the frame holds, where that is wanted."""

    def wants(self, length: int, room: int) -> bool:
        return True

    def parse_wire(self, buffer: bytearray, at: int, end: int) -> Packet | None:
        size = self.format.layout.size
        room = end - at - size
        if room >= 0 and self.wants(self.format.read(buffer, at).length, room):
            struct.pack_into("!H", buffer, at + size - 2, room)
        return super().parse_wire(buffer, at, end)


@deviation(
    "ipff-payload-length-ignored",
    "ipff.3",
    "The packet ends where Payload Length says.",
    "the packet ends where the frame does",
)
class PayloadLengthIgnored(_LengthOfTheFrame, _Server):
    pass


@deviation(
    "node-ipff-payload-length-ignored",
    "ipff.3",
    "The packet ends where Payload Length says.",
    "the packet ends where the frame does",
)
class NodePayloadLengthIgnored(_LengthOfTheFrame, _Node):
    pass


class _LengthBeyondTheFrame(_LengthOfTheFrame):
    def wants(self, length: int, room: int) -> bool:
        return length > room


@deviation(
    "ipff-payload-length-beyond-frame",
    "ipff.3",
    "A packet of which a part is missing is dropped.",
    "it is taken with what is there",
)
class PayloadLengthBeyondFrame(_LengthBeyondTheFrame, _Server):
    pass


@deviation(
    "node-ipff-payload-length-beyond-frame",
    "ipff.3",
    "A packet of which a part is missing is dropped.",
    "it is taken with what is there",
)
class NodePayloadLengthBeyondFrame(_LengthBeyondTheFrame, _Node):
    pass


class _OneHop(IpffNetwork):
    def _pack(self, peer: int, protocol: int, length: int, hops: int = 64, service: int = 0) -> bytes:
        return super()._pack(peer, protocol, length, 1, service)


@deviation("ipff-one-hop", "ipff.3", "Packets may pass the routers on their way.", "Hops to Live is 1 in every packet")
class OneHop(_OneHop, _Server):
    pass


@deviation(
    "node-ipff-one-hop", "ipff.3", "Packets may pass the routers on their way.", "Hops to Live is 1 in every packet"
)
class NodeOneHop(_OneHop, _Node):
    pass


class _LastHopRefused(IpffNetwork):
    def is_sound(self, header: Header, room: int) -> bool:
        return header.hops > 1 and super().is_sound(header, room)


@deviation("ipff-last-hop-refused", "ipff.3", "A host takes what is for it.", "Hops to Live is decremented first")
class LastHopRefused(_LastHopRefused, _Server):
    pass


@deviation("node-ipff-last-hop-refused", "ipff.3", "A host takes what is for it.", "Hops to Live is decremented first")
class NodeLastHopRefused(_LastHopRefused, _Node):
    pass


@deviation("ipff-large-packets-dropped", "ipff.5", "Packets up to the MTU are taken.", "the largest is 1280 octets")
class LargePacketsDropped(_Server):
    def parse_wire(self, buffer: bytearray, at: int, end: int) -> Packet | None:
        return None if end - at > 1280 else super().parse_wire(buffer, at, end)


class _AnyField(_Server):
    def is_exempt(self, header: Header) -> bool:
        return True

    def is_sound(self, header: Header, room: int) -> bool:
        if not is_valid(header.source) and self.is_exempt(header):
            header = header._replace(source=0)
        return super().is_sound(header, room)


@deviation(
    "ipff-field-above-999-taken", "addressing.2.5.5", "Fields of an address go to 999.", "packets are taken from any"
)
class FieldAbove999Taken(_AnyField):
    pass


@deviation(
    "ipff-field-above-999-in-messages", "addressing.3", "Fields of an address go to 999.", "that is asked of TCP alone"
)
class FieldAbove999InMessages(_AnyField):
    def is_exempt(self, header: Header) -> bool:
        return header.protocol != TCP


class _TwoCoverings(IpffNetwork):
    """A message is intact by its own reading or by another."""

    def other_sum(self, right: int) -> int:
        """Sum of what the checksum covers beside the message by the other reading; `right` is that of its own."""
        return 0

    def _message(self, buffer: bytearray, start: int, end: int, delta: int) -> None:
        if delta < 0 and is_intact(buffer[start:end], self.other_sum(-delta)):
            delta = -self.other_sum(-delta)
        super()._message(buffer, start, end, delta)


@deviation(
    "pseudo-header-optional",
    "icmp",
    "The checksum covers the pseudo-header.",
    "a message whose checksum covers itself alone is taken too",
)
class PseudoHeaderOptional(_TwoCoverings, _Server):
    pass


@deviation(
    "node-pseudo-header-optional",
    "icmp",
    "The checksum covers the pseudo-header.",
    "a reply whose checksum covers itself alone is taken too",
)
class NodePseudoHeaderOptional(_TwoCoverings, _Node):
    pass


@deviation(
    "pseudo-header-of-58-taken",
    "icmp",
    "The Protocol in the pseudo-header is 1.",
    "a message with 58 in its pseudo-header is taken too",
)
class PseudoHeaderOf58Taken(_TwoCoverings, _Server):
    def other_sum(self, right: int) -> int:
        return right + self.format.protocol_weight * (58 - 1)


class _SentWithoutPseudoHeader(IpffNetwork):
    def _message(self, buffer: bytearray, start: int, end: int, delta: int) -> None:
        super()._message(buffer, start, end, min(delta, 0))


@deviation(
    "reply-without-pseudo-header",
    "4.1",
    "The checksum of a reply covers the pseudo-header.",
    "the checksum of what is sent covers the message alone",
)
class ReplyWithoutPseudoHeader(_SentWithoutPseudoHeader, _Server):
    pass


@deviation(
    "node-migrate-without-pseudo-header",
    "4.1",
    "The checksum of a Migrate covers the pseudo-header.",
    "the checksum of what is sent covers the message alone",
)
class NodeMigrateWithoutPseudoHeader(_SentWithoutPseudoHeader, _Node):
    pass


class _UdpWithLength(IpffNetwork):
    def __init__(self, settings: IpffSettings, flows: Flows) -> None:
        super().__init__(replace(settings, reading=replace(settings.reading, udp_has_length=True)), flows)


@deviation("udp-with-length", "udp", "UDP in IPFF has no Length.", "the header of UDP is that of RFC 768")
class UdpWithLength(_UdpWithLength, _Server):
    pass


@deviation("node-udp-with-length", "udp", "UDP in IPFF has no Length.", "the header of UDP is that of RFC 768")
class NodeUdpWithLength(_UdpWithLength, _Node):
    pass


class _UdpWithoutChecksum(IpffNetwork):
    def _onto_wire(self, buffer: bytearray, protocol: int, start: int, end: int) -> int:
        start = super()._onto_wire(buffer, protocol, start, end)
        if protocol == UDP and not self.reading.udp_has_length:
            struct.pack_into("!H", buffer, start + 4, 0)
        return start


@deviation("udp-without-checksum", "ipff.7.1", "UDP in IPFF has a checksum.", "the checksum of every datagram is zero")
class UdpWithoutChecksum(_UdpWithoutChecksum, _Server):
    pass


@deviation(
    "node-udp-without-checksum", "ipff.7.1", "UDP in IPFF has a checksum.", "the checksum of every datagram is zero"
)
class NodeUdpWithoutChecksum(_UdpWithoutChecksum, _Node):
    pass
