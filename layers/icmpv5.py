# SPDX-License-Identifier: GPL-2.0-or-later
"""ICMPv5 (draft-eromenko-ipff-icmp-00), as far as mobility needs it.

ICMPv5 travels in IPFF, and over today's IPv4 as the payload of an experimental protocol number (RFC 3692). It never is
ICMPv4, whose 8-bit Type would read 100 as an Echo Reply::

    >>> IPFF(src="525.8.78.3.9", dst="8.8.8.8.8") / ICMPv5EchoRequest() / b"data"
    >>> IP(src="198.18.0.1", dst="198.18.0.2") / ICMPv5EchoRequest() / b"data"

In IPFF its checksum covers a pseudo-header. The drafts contradict each other about the Protocol in it, 1 or 58, and
devices may have left it out: `bind_checksum` and `bind_pseudo_protocol` say what is on the wire.
"""

from typing import Any

from scapy.layers.inet import IP
from scapy.packet import Packet, bind_layers, split_layers

from layers.binding import Binding, declare
from layers.fields import HexField, UIntField
from layers.ipff import HEADERS, IPFF
from layers.packet import ChecksummedPacket

DEFAULT_IPV4_PROTOCOL = 254
DEFAULT_ICMPV5_PROTOCOL = 1
PSEUDO_HEADER, PLAIN = "pseudo-header", "plain"

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


class ICMPv5(ChecksummedPacket):
    """An ICMPv5 message of any type; the common start of all of them::

         0                   1                   2                   3
         0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
        +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
        |             Type              |           Checksum            |
        +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
        |                         Message body                        ...

    The Checksum, computed when left None, is the one's complement sum over the whole message, and in IPFF over the
    pseudo-header too. Dissection continues in the class registered for the type; the body of a type without known
    fields is the payload.
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

    def covered(self, message: bytes) -> bytes:
        header = self.underlayer
        if not isinstance(header, IPFF) or _bound["checksum"] == PLAIN:
            return message
        return header.pseudo(_bound["pseudo_protocol"], len(message)) + message

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


_bound: dict[str, Any] = {}


def bind_icmpv5_protocol(number: int) -> None:
    """Carry ICMPv5 under this protocol number of IPFF and no other."""
    for header in HEADERS.values():
        split_layers(header, ICMPv5)
        bind_layers(header, ICMPv5, protocol=number)


def bind_ipv4_protocol(number: int) -> None:
    """Carry ICMPv5 under this protocol number of IPv4 and no other."""
    split_layers(IP, ICMPv5)
    bind_layers(IP, ICMPv5, frag=0, proto=number)


def bind_checksum(reading: str) -> None:
    """Have the checksum in IPFF cover a pseudo-header, or the message alone."""
    _bound["checksum"] = reading


def bind_pseudo_protocol(number: int) -> None:
    """Have this Protocol in the pseudo-header of IPFF."""
    _bound["pseudo_protocol"] = number


for _binding in (
    Binding("--icmpv5-protocol", "IPFF protocol number of ICMPv5", DEFAULT_ICMPV5_PROTOCOL, bind_icmpv5_protocol),
    Binding("--ipv4-protocol", "IPv4 protocol number of ICMPv5", DEFAULT_IPV4_PROTOCOL, bind_ipv4_protocol),
    Binding(
        "--icmpv5-checksum", "what its checksum covers in IPFF", PSEUDO_HEADER, bind_checksum, (PSEUDO_HEADER, PLAIN)
    ),
    Binding("--icmpv5-pseudo-protocol", "Protocol in its pseudo-header", DEFAULT_ICMPV5_PROTOCOL, bind_pseudo_protocol),
):
    declare(_binding)
    _binding.bind(_binding.default)
