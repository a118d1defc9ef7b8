# SPDX-License-Identifier: GPL-2.0-or-later
"""Segments that were spoilt on their way: right in everything, but with the checksum of other bits (RFC 9293, 3.1)."""

from scapy.packet import Packet

from testbed.peers.tcp import TcpPeer
from testbed.wire.capture import Sent
from testbed.wire.headers import TCP_PROTOCOL


def transmit_spoilt(peer: TcpPeer, segment: Packet) -> Sent:
    """Put a segment on the wire whose last bit is another than when its checksum was made; the peer stays as it is."""
    packet = bytearray(bytes(peer.station.network.packet(peer.station.address, peer.remote, TCP_PROTOCOL, segment)))
    packet[-1] ^= 1
    return peer.station.transmit(bytes(packet))
