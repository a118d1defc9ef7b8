# SPDX-License-Identifier: GPL-2.0-or-later
"""Internet Protocol "Five Fields" (IPFF) and its ICMPv5, as far as mobility needs them.

The drafts that run over IPFF leave its header to draft-eromenko-ipff. What is known of that
draft: version number 5, 50-bit addresses in five fields of ten bits, 14-bit protocol numbers, ICMPv5 message types.
The arrangement of the header is this suite's reading, kept in this one file so that it is easily exchanged.

ICMPv5 travels in IPFF, and over today's IPv4 as the payload of an experimental protocol number (RFC 3692). It never is
ICMPv4, whose 8-bit Type would read 100 as an Echo Reply::

    >>> Ether() / IPFF(src="525.8.78.3.9", dst="8.8.8.8.8") / TCP(dport=80)
    >>> IP(src="198.18.0.1", dst="198.18.0.2") / ICMPv5EchoRequest() / b"data"
"""

import struct
from typing import Any

from scapy.fields import RawVal
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Packet, bind_layers, split_layers
from scapy.utils import checksum

from layers.binding import Binding, declare
from layers.fields import ADDRESS_BITS, HexField, IPFFAddressField, UIntField, address_to_int
from layers.packet import ChecksummedPacket, TolerantPacket

DEFAULT_ETHERTYPE = 0x88B5
DEFAULT_IPV4_PROTOCOL = 254
DEFAULT_ICMPV5_PROTOCOL = 1

PROTOCOLS = {1: "icmpv5", 6: "tcp", 17: "udp"}

# Protocol number, and where the checksum stands in the header.
_checksums = {TCP: (6, 16), UDP: (17, 6)}

# A protocol with messages of its own adds their types.
ICMPV5_TYPES = {
    1: "destination-unreachable",
    2: "packet-too-big",
    3: "hops-exceeded",
    4: "parameter-problem",
    5: "redirect",
    128: "echo-request",
    129: "echo-reply",
}


class IPFF(TolerantPacket):
    r"""IPFF header, 24 bytes::

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

    Payload Length counts the bytes that follow the header and is computed when left None. The checksum of TCP and UDP
    above, when left None, is computed over ``pseudo_header``.
    """

    name = "IPFF"
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

    def do_build_payload(self) -> bytes:
        # Not in post_build, which Scapy leaves out when this header is still the one that was dissected.
        payload: bytes = super().do_build_payload()
        if type(self.payload) not in _checksums or self.payload.getfieldval("chksum") is not None:
            return payload
        _, offset = _checksums[type(self.payload)]
        value = self._sum(payload)
        if isinstance(self.payload, UDP):
            value = value or 0xFFFF
        return payload[:offset] + struct.pack("!H", value) + payload[offset + 2 :]

    def post_build(self, pkt: bytes, pay: bytes) -> bytes:
        if self.payload_length is None:
            if len(pay) > 0xFFFF:
                raise ValueError(f"field payload_length: {len(pay)} is outside 0..{0xFFFF}")
            pkt = pkt[:4] + struct.pack("!H", len(pay)) + pkt[6:]
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
        return str(self.sprintf("IPFF %IPFF.src% > %IPFF.dst%"))

    def _sum(self, segment: bytes) -> int:
        """The checksum of a TCP or UDP segment between these ends; 0 when the segment already carries the right one."""
        protocol, _ = _checksums[type(self.payload)]
        src, dst = (_number(self.getfieldval(end)) for end in ("src", "dst"))
        return int(checksum(pseudo_header(src, dst, protocol, len(segment)) + segment))


class ICMPv5(ChecksummedPacket):
    """An ICMPv5 message of any type; the common start of all of them::

         0                   1                   2                   3
         0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
        +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
        |             Type              |           Checksum            |
        +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
        |                         Message body                        ...

    The Checksum is that of RFC 792 over the whole message, without pseudo-header, computed when left None. Dissection
    continues in the class registered for the type; the body of a type without known fields is the payload.
    """

    name = "ICMPv5"
    fields_desc = [
        UIntField("type", 0, 16, ICMPV5_TYPES),
        HexField("checksum", None, 16),
    ]
    variants: dict[int, type[Packet]] = {}

    @classmethod
    def register_variant(cls) -> None:
        if cls.__name__ != "ICMPv5":
            cls.variants[cls.fields_desc[0].default] = cls

    @classmethod
    def dispatch_hook(cls, _pkt: bytes = b"", *_: Any, **__: Any) -> Any:
        variant = cls.variants.get(int.from_bytes(_pkt[:2]), cls) if _pkt else cls
        return variant.unless_short(_pkt)

    def mysummary(self) -> Any:
        return f"ICMPv5 type {self.type}", [IPFF, IP]


class _ICMPv5Body(ICMPv5):
    """A message of which the type is known and the body is not."""

    def mysummary(self) -> Any:
        return self.name, [IPFF, IP]

    def hashret(self) -> bytes:
        return bytes(self.payload)


class ICMPv5DestinationUnreachable(_ICMPv5Body):
    """Type 1. The body is the payload."""

    name = "ICMPv5 Destination Unreachable"
    type = 1


class ICMPv5PacketTooBig(_ICMPv5Body):
    """Type 2. The body is the payload."""

    name = "ICMPv5 Packet Too Big"
    type = 2


class ICMPv5HopsExceeded(_ICMPv5Body):
    """Type 3. The body is the payload."""

    name = "ICMPv5 Hops Exceeded"
    type = 3


class ICMPv5ParameterProblem(_ICMPv5Body):
    """Type 4. The body is the payload."""

    name = "ICMPv5 Parameter Problem"
    type = 4


class ICMPv5Redirect(_ICMPv5Body):
    """Type 5. The body is the payload."""

    name = "ICMPv5 Redirect"
    type = 5


class ICMPv5EchoRequest(_ICMPv5Body):
    """Type 128. The body is the payload, and the reply returns it."""

    name = "ICMPv5 Echo Request"
    type = 128


class ICMPv5EchoReply(_ICMPv5Body):
    """Type 129. Answers the Echo Request with the same body."""

    name = "ICMPv5 Echo Reply"
    type = 129

    def answers(self, other: Packet) -> int:
        return int(isinstance(other, ICMPv5EchoRequest) and bytes(self.payload) == bytes(other.payload))


def pseudo_header(src: Any, dst: Any, proto: int, length: int) -> bytes:
    """What the TCP and UDP checksum covers beside the segment::

     0                   1                   2                   3
     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    |           zero            |                                   |
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+       Source Address (50)         +
    |                                                               |
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    |           zero            |                                   |
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+     Destination Address (50)      +
    |                                                               |
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    |                      Upper-Layer Length                       |
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    |                           Protocol                            |
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    """
    return struct.pack("!QQII", address_to_int(src), address_to_int(dst), length, proto)


def ipff_checksum_ok(packet: Packet) -> bool:
    """Whether the TCP, UDP or ICMPv5 message inside IPFF carries the right checksum."""
    header = packet[IPFF]
    upper = header.payload
    if isinstance(upper, ICMPv5):
        return bool(upper.checksum_ok())
    if type(upper) not in _checksums:
        raise ValueError(f"{upper.name} above IPFF has no checksum known here")
    return bool(header._sum(header.do_build_payload()) == 0)


def _number(end: Any) -> int:
    return int.from_bytes(bytes(end)) & ((1 << ADDRESS_BITS) - 1) if isinstance(end, RawVal) else address_to_int(end)


def bind_ethertype(number: int) -> None:
    """Carry IPFF on this EtherType and no other."""
    _rebind(Ether, IPFF, type=number)


def bind_icmpv5_protocol(number: int) -> None:
    """Carry ICMPv5 under this protocol number of IPFF and no other."""
    _rebind(IPFF, ICMPv5, protocol=number)


def bind_ipv4_protocol(number: int) -> None:
    """Carry ICMPv5 under this protocol number of IPv4 and no other."""
    _rebind(IP, ICMPv5, frag=0, proto=number)


def _rebind(lower: type[Packet], upper: type[Packet], **fields: int) -> None:
    split_layers(lower, upper)
    bind_layers(lower, upper, **fields)


for _binding in (
    Binding("--ethertype", "EtherType of IPFF", DEFAULT_ETHERTYPE, bind_ethertype),
    Binding("--icmpv5-protocol", "IPFF protocol number of ICMPv5", DEFAULT_ICMPV5_PROTOCOL, bind_icmpv5_protocol),
    Binding("--ipv4-protocol", "IPv4 protocol number of ICMPv5", DEFAULT_IPV4_PROTOCOL, bind_ipv4_protocol),
):
    declare(_binding)
    _binding.bind(_binding.default)
bind_layers(IPFF, TCP, protocol=6)
bind_layers(IPFF, UDP, protocol=17)
