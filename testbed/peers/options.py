# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP options of a crafted peer: what its SYN offers, and what a protocol's option adds."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from scapy.packet import Packet

from testbed.peers.segment import Segment

if TYPE_CHECKING:
    from testbed.peers.tcp import TcpPeer

Options = Iterable[Packet | bytes]

NO_OPERATION = b"\x01"
_SACK_PERMITTED = NO_OPERATION * 2 + b"\x04\x02"


def offer(mss: int, scale: int, sack: bool) -> list[Packet | bytes]:
    """Options of a SYN: maximum segment size, the shift of the window (RFC 7323, 2.2), SACK-permitted where said."""
    return [segment_size(mss), NO_OPERATION + bytes([3, 3, scale]), *([_SACK_PERMITTED] if sack else [])]


def segment_size(mss: int) -> bytes:
    """The option Maximum Segment Size (RFC 9293, 3.7.1)."""
    return b"\x02\x04" + mss.to_bytes(2, "big")


class PeerOption(Protocol):
    """What a protocol's TCP option adds to a peer. A copy of the peer at another address gets a copy of it."""

    def on_send(self, peer: "TcpPeer", flags: str) -> Options:
        """Options that a segment with these flags carries without being asked for."""

    def on_receive(self, peer: "TcpPeer", segment: Segment) -> None:
        """Take in what a segment of the device says."""
