# SPDX-License-Identifier: GPL-2.0-or-later
"""What a protocol's TCP option adds to a crafted peer."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from scapy.packet import Packet

from testbed.peers.segment import Segment

if TYPE_CHECKING:
    from testbed.peers.tcp import TcpPeer

Options = Iterable[Packet | bytes]


class PeerOption(Protocol):
    """What a protocol's TCP option adds to a peer. A copy of the peer at another address gets a copy of it."""

    def on_send(self, peer: "TcpPeer", flags: str) -> Options:
        """Options that a segment with these flags carries without being asked for."""

    def on_receive(self, peer: "TcpPeer", segment: Segment) -> None:
        """Take in what a segment of the device says."""
