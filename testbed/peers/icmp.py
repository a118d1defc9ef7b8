# SPDX-License-Identifier: GPL-2.0-or-later
"""ICMP of IPv4 with the device (RFC 792): messages to it, and those that have come from it."""

from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.packet import Packet
from scapy.utils import checksum

from testbed.peers.sequence import SEQUENCE_SPACE
from testbed.peers.tcp import TcpPeer
from testbed.peers.udp import UdpPeer
from testbed.wire.capture import BEGINNING, Frame, Mark, Sent
from testbed.wire.station import Station

ICMP_PROTOCOL = 1

TOO_BIG = (3, 4)
SMALL_MTU = 576
"""What a router that finds a packet too big says that it can forward (RFC 1191, 4)."""

QUOTED = 28
"""Bytes of a packet that an error quotes at least: the header, and 8 bytes more."""


def error_about(end: TcpPeer | UdpPeer, kind: int, code: int, source: str = "") -> Packet:
    """The error that the device's last segment or datagram to an end of the tester, from `source`, has met with."""
    ports = {"sport": end.remote_port, "dport": end.port}
    if isinstance(end, UdpPeer):
        payload = UDP(**ports)
    else:
        payload = TCP(**ports, seq=(end.rcv_nxt - 1) % SEQUENCE_SPACE, ack=end.snd_nxt)
    quoted = bytes(IP(src=source or end.remote, dst=end.station.address) / payload)[:QUOTED]
    error = ICMP(type=kind, code=code)
    if (kind, code) == TOO_BIG:
        error.nexthopmtu = SMALL_MTU
    return error / quoted


class IcmpPeer:
    """An address of the tester as far as ICMP goes. `remote` is the device's address, as far as known."""

    def __init__(self, station: Station) -> None:
        self.station = station
        self.remote = station.network.dut

    def send(self, message: Packet | bytes, source: str = "") -> Sent:
        """Send one message, from another address if one is named."""
        return self.station.send(ICMP_PROTOCOL, message, source=source, destination=self.remote)

    def messages(self, since: Mark = BEGINNING) -> list[tuple[Frame, Packet]]:
        """Frame and network packet of what has come to this address since a mark.

        Messages with a wrong checksum are left out, as a receiver would.
        """
        network, found = self.station.network, []
        for frame in self.station.trace.received(since):
            header = network.header(frame.data)
            if header is None or (header.protocol, header.destination) != (ICMP_PROTOCOL, self.station.number):
                continue
            if checksum(network.payload(frame.data)) != 0:
                frame.account("wrong ICMP checksum: dropped")
                continue
            found.append((frame.account(), network.dissect(frame.data)))
        return found
