# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP segments of the device as they stand on the wire, options read from the header's bytes (RFC 9293, 3.1)."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

from scapy.layers.inet import TCP
from scapy.packet import Packet

from layers.tcp_options import HEADER, RawOption, walk_options
from testbed.wire.capture import Frame
from testbed.wire.headers import LETTERS, TCP_PROTOCOL, IpHeader, TcpHeader, read_tcp
from testbed.wire.network import Network
from testbed.wire.notation import summary

MSS, WINDOW_SCALE, SACK = 2, 3, 5


def tcp_carrier(frame: Frame, network: Network) -> IpHeader | None:
    """The network header of a frame of either side that carries the beginning of a TCP segment, None otherwise."""
    ip = network.header(frame.data)
    return None if ip is None or ip.protocol != TCP_PROTOCOL or ip.fragment else ip


@dataclass(frozen=True)
class Segment:
    """A TCP segment of the device: its frame, the numbers of both headers, and the bytes after them.

    `packet` and `tcp` are the layers' view of it, made when they are asked for.
    """

    frame: Frame
    network: Network
    ip: IpHeader
    header: TcpHeader
    content: bytes

    @classmethod
    def read(cls, frame: Frame, network: Network) -> Self | None:
        """The TCP segment in a frame of the device on this network, None if it is something else.

        A segment that has no whole header, as its data offset tells, is none: no TCP takes it. Many look at one frame,
        each for its connection: it is read once.
        """
        if frame.reading is None or frame.reading[:2] != (cls, network):
            frame.reading = cls, network, cls._read(frame, network)
        segment: Self | None = frame.reading[2]
        return segment

    @classmethod
    def _read(cls, frame: Frame, network: Network) -> Self | None:
        if frame.outgoing or (ip := tcp_carrier(frame, network)) is None:
            return None
        content = frame.data[ip.start : ip.end]
        header = read_tcp(content)
        if header is None or not HEADER <= (header.word >> 12) * 4 <= len(content):
            told = f"a data offset of {(header.word >> 12) * 4}" if header else "no whole header"
            frame.account(f"dropped: a TCP segment of {len(content)} bytes with {told}")
            frame.dropped = True
            return None
        return cls(frame, network, ip, header, content)

    @property
    def packet(self) -> Packet:
        """The network packet, as the layers read it."""
        return self.network.dissect(self.frame.data)

    @property
    def tcp(self) -> Packet:
        """The segment, as the layers read it."""
        return self.packet[TCP]

    @property
    def source_port(self) -> int:
        """The port it came from."""
        return self.header.source_port

    @property
    def destination_port(self) -> int:
        """The port it went to."""
        return self.header.destination_port

    @property
    def seq(self) -> int:
        """The sequence number."""
        return self.header.seq

    @property
    def ack(self) -> int:
        """The acknowledgement number."""
        return self.header.ack

    @property
    def window(self) -> int:
        """The window, not scaled."""
        return self.header.window

    @property
    def flags(self) -> str:
        """The flags as letters."""
        return LETTERS[self.header.word & 0x1FF]

    @property
    def area(self) -> bytes:
        """The bytes of the options."""
        return self.content[HEADER : self._header_length]

    @property
    def data(self) -> bytes:
        """The payload."""
        return self.content[self._header_length :]

    @cached_property
    def source(self) -> str:
        """The address it came from."""
        return self.network.address(self.ip.source)

    @cached_property
    def destination(self) -> str:
        """The address it went to."""
        return self.network.address(self.ip.destination)

    @property
    def is_reset(self) -> bool:
        """Whether RST is set."""
        return "R" in self.flags

    @property
    def options(self) -> list[RawOption]:
        """All options, as they stand."""
        return list(walk_options(self.area))

    def option(self, kind: int) -> RawOption | None:
        """The first whole option of a kind."""
        return next((one for one in self.options if one.kind == kind and not one.fault), None)

    @property
    def scale(self) -> int:
        """The window scale that it offers (RFC 7323), 0 without one."""
        return next((one.raw[2] for one in self.options if one.kind == WINDOW_SCALE and len(one.raw) == 3), 0)

    @property
    def mss(self) -> int:
        """The maximum segment size that it names, 0 without one."""
        return next((int.from_bytes(one.raw[2:]) for one in self.options if one.kind == MSS and len(one.raw) == 4), 0)

    @property
    def sack(self) -> list[tuple[int, int]]:
        """Left and right edges of the SACK blocks (RFC 2018), in the order of the option."""
        areas = [one.raw[2:] for one in self.options if one.kind == SACK]
        edges = [int.from_bytes(area[at : at + 4], "big") for area in areas for at in range(0, len(area), 4)]
        return list(zip(edges[::2], edges[1::2], strict=False))

    @property
    def _header_length(self) -> int:
        return (self.header.word >> 12) * 4

    def __str__(self) -> str:
        return f"#{self.frame.index} from {self.source}: {summary(self.tcp)}"
