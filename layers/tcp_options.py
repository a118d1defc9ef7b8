# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP options as packets of their own, beside Scapy's TCP and not inside its tables.

Scapy keeps an option it does not know as ``(kind, bytes)`` and repairs a malformed one when it rebuilds the header. So
options are parsed here on access, from the header bytes as they stand, and Scapy's tables stay as they are::

    >>> syn = put_option(TCP(flags="S"), MobileCapableOption())
    >>> get_option(syn, MobileCapableOption)
    <MobileCapableOption  kind=254 length=4 exid=0x4d4f |>
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from scapy.fields import ConditionalField, RawVal
from scapy.layers.inet import TCP
from scapy.packet import Packet

from layers.fields import HexField, TolerantPacket, UIntField

END_OF_LIST = 0
NO_OPERATION = 1
HEADER = 20
ROOM = 40


class RawOption(NamedTuple):
    """One option as it stands on the wire. The ``raw`` bytes of all of them together are the option area again."""

    offset: int
    kind: int
    raw: bytes
    fault: str = ""


class TCPOption(TolerantPacket):
    """Base of the options: kind, length, and what follows. Options with the same ``identity()`` are the same option."""

    name = "TCP option"
    fields_desc = [
        UIntField("kind", 0, 8),
        UIntField("length", None, 8),
    ]

    def post_build(self, pkt: bytes, pay: bytes) -> bytes:
        if self.length is None:
            pkt = pkt[:1] + bytes([self.get_field("length").checked(len(pkt + pay))]) + pkt[2:]
        return pkt + pay

    def identity(self) -> tuple[Any, ...]:
        return (self.kind,)


class TimestampOption(TCPOption):
    """Timestamps option (RFC 7323, section 3.2)::

    +-------+-------+---------------------+---------------------+
    |Kind=8 |  10   |   TS Value (TSval)  |TS Echo Reply (TSecr)|
    +-------+-------+---------------------+---------------------+
        1       1              4                     4
    """

    name = "Timestamp"
    fields_desc = [
        UIntField("kind", 8, 8),
        UIntField("length", 10, 8),
        UIntField("tsval", 0, 32),
        UIntField("tsecr", 0, 32),
    ]


class MobileCapableOption(TCPOption):
    """MOBILE_CAPABLE (draft-eromenko-ipff-mops-00, Appendix C), for which no number and no format is assigned.

    Read here as an experiment after RFC 6994; a kind of its own may go without ExID, with length 2::

         0                   1                   2                   3
         0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
        +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
        |  Kind = 254   |  Length = 4   |         ExID = 0x4D4F         |
        +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    """

    name = "MOBILE_CAPABLE"
    fields_desc = [
        UIntField("kind", 254, 8),
        UIntField("length", 4, 8),
        ConditionalField(HexField("exid", 0x4D4F, 16), lambda option: option.length != 2),
    ]

    @classmethod
    def needs(cls, data: bytes) -> int:
        return 2 if data[1:2] == b"\x02" else 4

    def identity(self) -> tuple[Any, ...]:
        return (self.kind, None if self.length == 2 else self.exid)

    def mysummary(self) -> str:
        return "MOBILE_CAPABLE"


def walk_options(area: bytes) -> Iterator[RawOption]:
    """Every option of an option area. What cannot be told apart any more comes last, with the ``fault`` named."""
    offset = 0
    while offset < len(area):
        kind = area[offset]
        if kind == END_OF_LIST:
            yield RawOption(offset, kind, area[offset:])
            return
        if kind == NO_OPERATION:
            length = 1
        else:
            left = len(area) - offset
            length = area[offset + 1] if left > 1 else 0
            if not 2 <= length <= left:
                fault = f"length {length} of option {kind}, with {left} bytes left" if left > 1 else "length missing"
                yield RawOption(offset, kind, area[offset:], fault)
                return
        yield RawOption(offset, kind, area[offset : offset + length])
        offset += length


def of_length(option: Packet | bytes, length: int) -> bytes:
    """An option of another length, in its length byte and in fact: cut short, or filled up with zeros."""
    content = bytes(option)
    return bytes([content[0], length]) + content[2:length].ljust(length - 2, b"\0")


def option_area(tcp: Packet) -> bytes:
    """The bytes of the options of a segment, or of the packet around it, as on the wire."""
    segment = tcp[TCP]
    area = bytes(segment.self_build()[HEADER:])
    return area if segment.dataofs is None else area[: max(0, segment.dataofs * 4 - HEADER)]


def get_option(tcp: Packet, cls: type[TCPOption], **identity: Any) -> Any:
    """The first whole option of this class, or None; ``kind=`` and the like look for another than the default one."""
    return next((option for _, option in _parsed(tcp, cls(**identity))), None)


def put_option(tcp: Packet, option: TCPOption) -> Packet:
    """A copy of the packet with the option in the place of its like, or else behind the others.

    An option that Scapy's list cannot hold (one with a wrong length, say) makes the whole area a RawVal. Checksums and
    lengths that the packet states are left as they are: delete them where a dissected packet is changed.
    """
    packet = tcp.copy()
    segment = packet[TCP]
    options = [raw for raw in walk_options(option_area(segment)) if raw.kind != END_OF_LIST]
    pieces = [raw.raw for raw in options]
    like = next((raw for raw, _ in _parsed(segment, option)), None)
    if like:
        pieces[options.index(like)] = bytes(option)
    else:
        readable = sum(not raw.fault for raw in options)
        pieces.insert(readable, bytes(option))
    area = b"".join(pieces)
    area += bytes(-len(area) % 4)
    if len(area) > ROOM:
        raise ValueError(f"field options: {len(area)} bytes, where a TCP header has room for {ROOM}")
    field = segment.get_field("options")
    segment.options = field.m2i(segment, area)
    segment.dataofs = None
    if field.i2m(segment, segment.options) != area:
        segment.options = RawVal(area)
        segment.dataofs = (HEADER + len(area)) // 4
    return packet


def _parsed(tcp: Packet, wanted: TCPOption) -> Iterator[tuple[RawOption, TCPOption]]:
    for raw in walk_options(option_area(tcp)):
        if raw.kind == wanted.kind and not raw.fault:
            option = type(wanted)(raw.raw)
            if isinstance(option, TCPOption) and option.identity() == wanted.identity():
                yield raw, option
