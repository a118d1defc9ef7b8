# SPDX-License-Identifier: GPL-2.0-or-later
"""Segments of the device as they stand on the wire, options read from the header's bytes."""

import ipaddress
from dataclasses import dataclass

from scapy.layers.inet import IP, TCP
from scapy.packet import Packet

from layers.rehash import ADDR, INIT
from layers.tcp_options import HEADER, RawOption, walk_options
from testbed.wire.capture import Frame
from testbed.wire.network import ETHERNET_HEADER
from testbed.wire.notation import summary

ASSIGNED = frozenset({0, 1, 2, 3, 4, 5, 8, 19, 28, 29, 30, 34})
"""Option kinds that are something else for certain: list ends, MSS, window scale, SACK, timestamps and the like."""

SACK = 5
SHORTEST = 12


@dataclass(frozen=True)
class Option:
    """A Rehash option with whatever it says.

    It is taken for one even where kind, length or control header are wrong, so that only the case about these fails.
    """

    kind: int
    length: int
    control: int
    nonce: int
    old: str
    new: str

    @property
    def is_init(self) -> bool:
        """Whether it is meant as REHASH-INIT: by its control header, or else by its Old address."""
        return self.control == INIT or (self.control != ADDR and int(ipaddress.IPv4Address(self.old)) == 0)

    @property
    def is_order(self) -> bool:
        """Whether it is meant as REHASH-ADDR."""
        return not self.is_init

    def __str__(self) -> str:
        name = "REHASH-INIT" if self.is_init else "REHASH-ADDR"
        return f"{name} nonce {self.nonce:#010x} old {self.old} new {self.new}"


@dataclass(frozen=True)
class Segment:
    """A TCP segment of the device. `area` are the bytes of its options."""

    frame: Frame
    ip: Packet
    tcp: Packet
    area: bytes

    @property
    def flags(self) -> str:
        """The flags as letters."""
        return str(self.tcp.flags)

    @property
    def data(self) -> bytes:
        """The payload."""
        return bytes(self.tcp.payload)

    @property
    def source(self) -> str:
        """The address it came from."""
        return str(self.ip.src)

    @property
    def options(self) -> list[RawOption]:
        """All options, as they stand."""
        return list(walk_options(self.area))

    @property
    def sack(self) -> list[tuple[int, int]]:
        """Left and right edges of the SACK blocks."""
        areas = [one.raw[2:] for one in self.options if one.kind == SACK]
        edges = [int.from_bytes(area[at : at + 4], "big") for area in areas for at in range(0, len(area), 4)]
        return list(zip(edges[::2], edges[1::2], strict=False))

    @property
    def rehash(self) -> list[Option]:
        """The Rehash options."""
        return [_option(one) for one in self.options if one.kind not in ASSIGNED and len(one.raw) >= SHORTEST]

    @property
    def init(self) -> Option | None:
        """The REHASH-INIT that it carries."""
        return next((one for one in self.rehash if one.is_init), None)

    @property
    def order(self) -> Option | None:
        """The REHASH-ADDR that it carries."""
        return next((one for one in self.rehash if one.is_order), None)

    def __str__(self) -> str:
        return " ".join([f"#{self.frame.index} from {self.source}:", summary(self.tcp), *map(str, self.rehash)])


def read(frame: Frame) -> Segment | None:
    """The TCP segment in a frame of the device, None if it is something else."""
    if frame.outgoing or frame.data[12:14] != b"\x08\x00":
        return None
    ip = IP(frame.data[ETHERNET_HEADER:])
    tcp = ip.getlayer(TCP)
    if tcp is None:
        return None
    header = frame.data[ETHERNET_HEADER + ip.ihl * 4 :][: tcp.dataofs * 4]
    return Segment(frame, ip, tcp, header[HEADER:])


def _option(raw: RawOption) -> Option:
    content = raw.raw.ljust(16, b"\0")
    old, new = (str(ipaddress.IPv4Address(content[at : at + 4])) for at in (8, 12))
    return Option(
        raw.kind, content[1], int.from_bytes(content[2:4], "big"), int.from_bytes(content[4:8], "big"), old, new
    )
