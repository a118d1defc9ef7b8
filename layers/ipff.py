# SPDX-License-Identifier: GPL-2.0-or-later
"""Internet Protocol "Five Fields" (IPFF, draft-eromenko-ipff-00) and its UDP (draft-eromenko-ipff-udp-00).

Addresses are 50 bits in five fields of ten, written 525.8.78.3.9. A field goes from 0 to 999; 1000 to 1023 can be
encoded and are for packets that a receiver has to drop (draft-eromenko-ipff-addressing-00, 2.5.5)::

    >>> Ether() / IPFF(src="525.8.78.3.9", dst="8.8.8.8.8") / TCP(dport=80)
    >>> Ether() / IPFF(src="525.8.78.3.9", dst="8.8.8.8.8") / UDPv5(dport=7) / b"data"

Devices that were built before the draft of the header was known may have another header (`IPFF24`) or the UDP of
RFC 768: `bind_header` and `bind_udp` say which of them is on the wire. ICMPv5 is in ``layers.icmpv5``.
"""

import struct
from typing import Any, ClassVar

from scapy.fields import RawVal
from scapy.layers.inet import TCP, UDP
from scapy.layers.l2 import CookedLinux, CookedLinuxV2, Ether
from scapy.packet import Packet, bind_layers, split_layers
from scapy.utils import checksum

from layers.binding import Binding, declare
from layers.fields import ADDRESS_BITS, HexField, IPFFAddressField, UIntField, address_to_int
from layers.packet import TolerantPacket

DEFAULT_ETHERTYPE = 0x88B5
DRAFT_HEADER, EARLIER_HEADER = "draft-00", "24-byte"
UDP_V5, UDP_RFC_768 = "v5", "rfc768"

PROTOCOLS = {1: "icmpv5", 6: "tcp", 17: "udp"}


class UDPv5(TolerantPacket):
    """UDP of IPFF, 6 bytes: the Length of RFC 768 is left to the header below::

         0                   1                   2                   3
         0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
        +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
        |          Source Port          |       Destination Port        |
        +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
        |           Checksum            |            Data             ...
        +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+

    The Checksum, when left None, is computed by the IPFF header below.
    """

    name = "UDPv5"
    fields_desc = [
        UIntField("sport", 53, 16),
        UIntField("dport", 53, 16),
        HexField("chksum", None, 16),
    ]

    def hashret(self) -> bytes:
        return bytes(self.payload.hashret())

    def answers(self, other: Packet) -> int:
        if not isinstance(other, UDPv5) or (self.sport, self.dport) != (other.dport, other.sport):
            return 0
        return int(self.payload.answers(other.payload))

    def mysummary(self) -> str:
        return str(self.sprintf("UDPv5 %UDPv5.sport% > %UDPv5.dport%"))


# Protocol number, and where the checksum stands in the header.
_checksums = {TCP: (6, 16), UDP: (17, 6), UDPv5: (17, 4)}


class IPFF(TolerantPacket):
    r"""IPFF header, 20 bytes (draft-eromenko-ipff-00, section 3)::

         0                   1                   2                   3
         0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
        +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
      4 |Version|     Reserved      |                                   |
        +-+-+-+-+-+-+-+-+-+-+-+-+-+-+       Source Address (50)         +
      8 |                                                               |
        +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
     12 |         Protocol          |                                   |
        +-+-+-+-+-+-+-+-+-+-+-+-+-+-+     Destination Address (50)      +
     16 |                                                               |
        +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
     20 | Hops to Live  |Type of Service|        Payload Length         |
        +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    (bytes)

    Payload Length counts the bytes that follow the header and is computed when left None. The checksum of TCP and UDP
    above, when left None, is computed over ``pseudo_header``.
    """

    name = "IPFF"
    fields_desc = [
        UIntField("version", 5, 4),
        UIntField("reserved", 0, 10),
        IPFFAddressField("src"),
        UIntField("protocol", 0, 14, PROTOCOLS),
        IPFFAddressField("dst"),
        UIntField("hops_to_live", 64, 8),
        UIntField("type_of_service", 0, 8),
        UIntField("payload_length", None, 16),
    ]
    length_at: ClassVar[int] = 18
    hops_field: ClassVar[str] = "hops_to_live"

    @staticmethod
    def pseudo_header(src: Any, dst: Any, protocol: int, length: int) -> bytes:
        """What a checksum covers beside the message or segment, 20 bytes (draft-eromenko-ipff-00, section 7.1)::

         0                   1                   2                   3
         0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
        +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
        |         Reserved          |                                   |
        +-+-+-+-+-+-+-+-+-+-+-+-+-+-+       Source Address (50)         +
        |                                                               |
        +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
        |         Protocol          |                                   |
        +-+-+-+-+-+-+-+-+-+-+-+-+-+-+     Destination Address (50)      +
        |                                                               |
        +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
        |           Reserved            |   Upper-Layer Packet Length   |
        +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
        """
        return struct.pack("!QQI", address_to_int(src), protocol << ADDRESS_BITS | address_to_int(dst), length)

    def pseudo(self, protocol: int, length: int) -> bytes:
        """The pseudo-header of what travels between these ends."""
        src, dst = (_number(self.getfieldval(end)) for end in ("src", "dst"))
        return self.pseudo_header(src, dst, protocol, length)

    def do_build_payload(self) -> bytes:
        # Not in post_build, which Scapy leaves out when this header is still the one that was dissected.
        payload: bytes = super().do_build_payload()
        if type(self.payload) not in _checksums or self.payload.getfieldval("chksum") is not None:
            return payload
        protocol, offset = _checksums[type(self.payload)]
        blank = payload[:offset] + bytes(2) + payload[offset + 2 :]
        value = checksum(self.pseudo(protocol, len(blank)) + blank)
        if protocol == 17:
            value = value or 0xFFFF
        return payload[:offset] + struct.pack("!H", value) + payload[offset + 2 :]

    def post_build(self, pkt: bytes, pay: bytes) -> bytes:
        if self.payload_length is None:
            if len(pay) > 0xFFFF:
                raise ValueError(f"field payload_length: {len(pay)} is outside 0..{0xFFFF}")
            pkt = pkt[: self.length_at] + struct.pack("!H", len(pay)) + pkt[self.length_at + 2 :]
        return pkt + pay

    def extract_padding(self, s: bytes) -> tuple[bytes, bytes]:
        return s[: self.payload_length], s[self.payload_length :]

    def hashret(self) -> bytes:
        ends = self.getfieldval("src") ^ self.getfieldval("dst")
        return struct.pack("!HQ", self.protocol, ends) + bytes(self.payload.hashret())

    def answers(self, other: Packet) -> int:
        if not isinstance(other, IPFF) or self.protocol != other.protocol:
            return 0
        if (self.src, self.dst) != (other.dst, other.src):
            return 0
        return int(self.payload.answers(other.payload))

    def mysummary(self) -> str:
        return f"IPFF {self.src} > {self.dst}"


class IPFF24(IPFF):
    r"""The header that was read into the drafts above IPFF before that of IPFF itself was known, 24 bytes::

     0                   1                   2                   3
     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    |Version| Traffic Class |              Flow Label               |
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    |        Payload Length         |   Hop Limit   |   Reserved    |
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    |         Protocol          |                                   |
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+       Source Address (50)         +
    |                                                               |
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    |         Reserved          |                                   |
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+     Destination Address (50)      +
    |                                                               |
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    """

    name = "IPFF, 24 bytes"
    fields_desc = [
        UIntField("version", 5, 4),
        UIntField("traffic_class", 0, 8),
        UIntField("flow_label", 0, 20),
        UIntField("payload_length", None, 16),
        UIntField("hop_limit", 64, 8),
        UIntField("reserved", 0, 8),
        UIntField("protocol", 0, 14, PROTOCOLS),
        IPFFAddressField("src"),
        UIntField("reserved2", 0, 14),
        IPFFAddressField("dst"),
    ]
    length_at = 4
    hops_field = "hop_limit"

    @staticmethod
    def pseudo_header(src: Any, dst: Any, protocol: int, length: int) -> bytes:
        """The pseudo-header of that reading: that of IPv6 with addresses of eight bytes."""
        return struct.pack("!QQII", address_to_int(src), address_to_int(dst), length, protocol)


HEADERS: dict[str, type[IPFF]] = {DRAFT_HEADER: IPFF, EARLIER_HEADER: IPFF24}
"""The readings of the header by their names in a profile."""

DATAGRAMS: dict[str, type[Packet]] = {UDP_V5: UDPv5, UDP_RFC_768: UDP}
"""The readings of UDP by their names in a profile."""


def ipff_checksum_ok(packet: Packet) -> bool:
    """Whether the TCP, UDP or ICMPv5 message inside IPFF carries the right checksum."""
    header = packet.getlayer(IPFF, _subclass=True)
    upper = header.payload
    if hasattr(upper, "checksum_ok"):
        return bool(upper.checksum_ok())
    if type(upper) not in _checksums:
        raise ValueError(f"{upper.name} above IPFF has no checksum known here")
    segment = header.do_build_payload()
    return bool(checksum(header.pseudo(_checksums[type(upper)][0], len(segment)) + segment) == 0)


def _number(end: Any) -> int:
    return int.from_bytes(bytes(end)) & ((1 << ADDRESS_BITS) - 1) if isinstance(end, RawVal) else address_to_int(end)


LINKS = {Ether: "type", CookedLinux: "proto", CookedLinuxV2: "proto"}
"""Headers below IPFF, with the field that holds the EtherType: Ethernet's, and those of captures on all interfaces."""

_bound: dict[str, Any] = {"ethertype": DEFAULT_ETHERTYPE, "header": DRAFT_HEADER}


def bind_ethertype(number: int) -> None:
    """Carry IPFF on this EtherType and no other."""
    _bound["ethertype"] = number
    _bind_header()


def bind_header(reading: str) -> None:
    """Carry IPFF with this header and no other."""
    _bound["header"] = reading
    _bind_header()


def _bind_header() -> None:
    for link, field in LINKS.items():
        for header in HEADERS.values():
            split_layers(link, header)
        bind_layers(link, HEADERS[_bound["header"]], **{field: _bound["ethertype"]})


def bind_udp(reading: str) -> None:
    """Carry UDP of this shape in IPFF and no other."""
    for header in HEADERS.values():
        for shape in DATAGRAMS.values():
            split_layers(header, shape)
        bind_layers(header, DATAGRAMS[reading], protocol=17)


for _binding in (
    Binding("--ethertype", "EtherType of IPFF", DEFAULT_ETHERTYPE, bind_ethertype),
    Binding("--ipff-header", "header of IPFF", DRAFT_HEADER, bind_header, tuple(HEADERS)),
    Binding("--ipff-udp", "UDP in IPFF", UDP_V5, bind_udp, tuple(DATAGRAMS)),
):
    declare(_binding)
    _binding.bind(_binding.default)
for _header in HEADERS.values():
    bind_layers(_header, TCP, protocol=6)
