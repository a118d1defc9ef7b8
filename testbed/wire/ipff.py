# SPDX-License-Identifier: GPL-2.0-or-later
"""IPFF as the profile reads it: the header and the pseudo-header as bytes, UDP, and what ICMPv5's checksum covers.

As in `headers`, the Scapy layers are the authority.
"""

import struct
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from scapy.layers.inet import UDP
from scapy.packet import Packet

from layers import icmpv5, ipff
from layers.ipff import DATAGRAMS, HEADERS, IPFF
from profiles.networks import IpffIXIT
from testbed.wire.headers import ETHERNET_HEADER, HOPS, IPFF_ADDRESS, IpffEnds, IpHeader

_PROTOCOL_SHIFT = 50
_VERSION = 5


class IpffHeader(ABC):
    """One reading of the header."""

    struct: ClassVar[struct.Struct]
    layer: ClassVar[type[IPFF]]
    addresses: ClassVar[tuple[int, int]]
    """Where the eight bytes of source and destination begin."""

    @abstractmethod
    def read(self, frame: bytes) -> IpHeader:
        """The header of a frame that is long enough."""

    @abstractmethod
    def write(self, source: int, destination: int, protocol: int, length: int) -> bytes:
        """The header before so many bytes."""

    def pseudo_header(self, source: int, destination: int, protocol: int, length: int) -> bytes:
        """What a checksum covers beside the message or segment."""
        return self.layer.pseudo_header(source, destination, protocol, length)


class DraftHeader(IpffHeader):
    """That of draft-eromenko-ipff-00, 20 bytes."""

    struct = struct.Struct("!QQBBH")
    layer = IPFF
    addresses = (0, 8)

    def read(self, frame: bytes) -> IpHeader:
        source, destination, hops, _, length = self.struct.unpack_from(frame, ETHERNET_HEADER)
        start = ETHERNET_HEADER + self.struct.size
        addresses = source & IPFF_ADDRESS, destination & IPFF_ADDRESS
        return IpHeader(destination >> _PROTOCOL_SHIFT, *addresses, start, start + length, hops=hops)

    def write(self, source: int, destination: int, protocol: int, length: int) -> bytes:
        return self.struct.pack(_VERSION << 60 | source, protocol << _PROTOCOL_SHIFT | destination, HOPS, 0, length)


class EarlierHeader(IpffHeader):
    """The one of 24 bytes that devices may have which were built before the draft was known."""

    struct = struct.Struct("!IHBBQQ")
    layer = HEADERS[ipff.EARLIER_HEADER]
    addresses = (8, 16)

    def read(self, frame: bytes) -> IpHeader:
        _, length, hops, _, source, destination = self.struct.unpack_from(frame, ETHERNET_HEADER)
        start = ETHERNET_HEADER + self.struct.size
        addresses = source & IPFF_ADDRESS, destination & IPFF_ADDRESS
        return IpHeader(source >> _PROTOCOL_SHIFT, *addresses, start, start + length, hops=hops)

    def write(self, source: int, destination: int, protocol: int, length: int) -> bytes:
        return self.struct.pack(_VERSION << 28, length, HOPS, 0, protocol << _PROTOCOL_SHIFT | source, destination)


_HEADERS: dict[str, IpffHeader] = {ipff.DRAFT_HEADER: DraftHeader(), ipff.EARLIER_HEADER: EarlierHeader()}


def ipff_ends(ixit: IpffIXIT | None) -> IpffEnds:
    """Where a frame says whose it is, as a profile has it; IPFF is not spoken where there is no table of it."""
    header = _HEADERS[ixit.header if ixit else ipff.DRAFT_HEADER]
    source, destination = (slice(at, at + 8) for at in (ETHERNET_HEADER + place for place in header.addresses))
    return IpffEnds(ixit.ethertype if ixit else ipff.DEFAULT_ETHERTYPE, source, destination)


@dataclass(frozen=True)
class IpffReadings:
    """What the profile says of everything that the drafts leave open, or that earlier devices have otherwise."""

    header: IpffHeader
    datagram: type[Packet]
    icmp_pseudo_protocol: int | None
    """Protocol in the pseudo-header of ICMPv5; None where its checksum covers the message alone."""

    @classmethod
    def bind(cls, ixit: IpffIXIT) -> "IpffReadings":
        """Those of a profile; the layers are bound to them."""
        ipff.bind_ethertype(ixit.ethertype)
        ipff.bind_header(ixit.header)
        ipff.bind_udp(ixit.udp)
        icmpv5.bind_icmpv5_protocol(ixit.icmp_protocol)
        icmpv5.bind_checksum(ixit.icmp_checksum)
        icmpv5.bind_pseudo_protocol(ixit.icmp_pseudo_protocol)
        pseudo_protocol = ixit.icmp_pseudo_protocol if ixit.icmp_checksum == icmpv5.PSEUDO_HEADER else None
        return cls(_HEADERS[ixit.header], DATAGRAMS[ixit.udp], pseudo_protocol)

    @property
    def udp_has_length(self) -> bool:
        """Whether the header of UDP is that of RFC 768."""
        return self.datagram is UDP
