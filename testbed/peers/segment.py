# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP segments of the device as they stand on the wire, options read from the header's bytes (RFC 9293, 3.1)."""

from dataclasses import dataclass
from typing import Self

from scapy.layers.inet import TCP
from scapy.packet import Packet

from layers.tcp_options import HEADER, RawOption, walk_options
from testbed.wire.capture import Frame
from testbed.wire.network import Network
from testbed.wire.notation import summary

SACK = 5


@dataclass(frozen=True)
class Segment:
    """A TCP segment of the device: its frame, the network packet, the segment, and the bytes of its options."""

    frame: Frame
    packet: Packet
    tcp: Packet
    area: bytes

    @classmethod
    def read(cls, frame: Frame, network: Network) -> Self | None:
        """The TCP segment in a frame of the device on this network, None if it is something else."""
        if frame.outgoing:
            return None
        packet = network.dissect(frame.data)
        tcp = packet.getlayer(TCP)
        if tcp is None:
            return None
        header = network.payload(frame.data)[: (tcp.dataofs or 0) * 4]
        return cls(frame, packet, tcp, header[HEADER:])

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
        return str(self.packet.src)

    @property
    def destination(self) -> str:
        """The address it went to."""
        return str(self.packet.dst)

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
    def sack(self) -> list[tuple[int, int]]:
        """Left and right edges of the SACK blocks (RFC 2018), in the order of the option."""
        areas = [one.raw[2:] for one in self.options if one.kind == SACK]
        edges = [int.from_bytes(area[at : at + 4], "big") for area in areas for at in range(0, len(area), 4)]
        return list(zip(edges[::2], edges[1::2], strict=False))

    def __str__(self) -> str:
        return f"#{self.frame.index} from {self.source}: {summary(self.tcp)}"
