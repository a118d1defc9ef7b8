# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP options as packets of their own, beside Scapy's TCP and not inside its tables.

Scapy keeps an option it does not know as ``(kind, bytes)`` and repairs a malformed one when it rebuilds the header. So
options are parsed here on access, from the header bytes as they stand, and Scapy's tables stay as they are::

    >>> syn = put_option(TCP(flags="S"), TimestampOption(tsval=7))
    >>> get_option(syn, TimestampOption)
    <TimestampOption  kind=8 length=10 tsval=7 tsecr=0 |>

The options of the protocols register themselves; whoever prints or mutates options asks for what is registered.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

from scapy.fields import RawVal
from scapy.layers.inet import TCP
from scapy.packet import Packet

from layers.fields import UIntField
from layers.packet import TolerantPacket

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


_registered: list[type[TCPOption]] = []


def register(cls: type[TCPOption]) -> type[TCPOption]:
    """Make an option one that segments are searched for; ValueError where another has the same identity."""
    identity = cls().identity()
    for other in _registered:
        if other().identity() == identity:
            raise ValueError(f"{cls.__name__} and {other.__name__} are the same option {identity}")
    _registered.append(cls)
    _registered.sort(key=_precedence)
    return cls


def registered() -> tuple[type[TCPOption], ...]:
    """Every registered option in the order in which they are recognised.

    By kind; of one kind, options that an ExID tells apart (RFC 6994) come before one that takes the whole kind.
    """
    return tuple(_registered)


def _precedence(cls: type[TCPOption]) -> tuple[Any, ...]:
    kind, *rest = cls().identity()
    return (kind, -len(rest), *rest)


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


def recognised(tcp: Packet) -> Iterator[TCPOption]:
    """The registered options of the segment, in their order on the wire."""
    for raw in walk_options(option_area(tcp)):
        found = (option for cls in registered() if (option := _read(raw, cls())))
        yield from islice(found, 1)


def put_option(tcp: Packet, option: TCPOption) -> Packet:
    """A copy of the packet with the option in the place of its like, or else after the others.

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
        if option := _read(raw, wanted):
            yield raw, option


def _read(raw: RawOption, wanted: TCPOption) -> TCPOption | None:
    """The option as the class of ``wanted``, or None if it is another one, or not whole."""
    if raw.kind != wanted.kind or raw.fault:
        return None
    option = type(wanted)(raw.raw)
    return option if isinstance(option, TCPOption) and option.identity() == wanted.identity() else None
