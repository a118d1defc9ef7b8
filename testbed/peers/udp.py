# SPDX-License-Identifier: GPL-2.0-or-later
"""A crafted UDP end: datagrams to the device, and those that have come from it (RFC 768, or the UDP of IPFF)."""

from scapy.packet import Packet

from testbed.case.case import Case
from testbed.case.verdict import Broken, Finding
from testbed.wire.capture import BEGINNING, Frame, Mark, Sent
from testbed.wire.clock import Deadline
from testbed.wire.headers import UDP_PROTOCOL
from testbed.wire.station import Station


class UdpPeer:
    """The tester's end of a UDP flow. `remote` is the device's address at the other end, as far as known."""

    def __init__(self, station: Station, port: int, remote_port: int = 0) -> None:
        self.station = station
        self.port = port
        self.remote = station.network.dut
        self.remote_port = remote_port

    def send(self, data: bytes) -> Sent:
        """Send one datagram."""
        datagram = self.station.network.datagram(sport=self.port, dport=self.remote_port) / data
        return self.station.send(UDP_PROTOCOL, datagram, destination=self.remote)

    def datagrams(self, since: Mark = BEGINNING, *, checks_source: bool = False) -> list[tuple[Frame, Packet]]:
        """Frame and network packet of what has come to this end since a mark.

        Datagrams with a wrong checksum are left out, as a receiver would; a checksum of 0 means that there is none.
        With `checks_source`, so is what does not come from where the device's end is known to be.
        """
        network, found = self.station.network, []
        for frame in self.station.trace.received(since):
            header = network.header(frame.data)
            if header is None or (header.protocol, header.destination) != (UDP_PROTOCOL, self.station.number):
                continue
            packet = network.dissect(frame.data)
            udp = packet.getlayer(network.datagram)
            if udp is None or udp.dport != self.port:
                continue
            if udp.chksum and frame.judgeable_checksum and not network.udp_checksum_ok(frame.data):
                frame.account("wrong UDP checksum: dropped")
                continue
            frame.account()
            if not checks_source or (packet.src, udp.sport) == (self.remote, self.remote_port):
                found.append((frame, packet))
        return found

    def __str__(self) -> str:
        return f"{self.station.address}:{self.port}"


def expect_datagram(
    case: Case, peer: UdpPeer, since: Mark, deadline: Deadline, *, checks_source: bool = False
) -> Packet:
    """The first datagram to this end since a mark, in time, as network packet (see `UdpPeer.datagrams`)."""
    first = case.look(
        lambda: next((frame for frame, _ in peer.datagrams(since, checks_source=checks_source)), None), deadline
    )
    if first is None:
        sender = f" from {peer.remote}:{peer.remote_port}" if checks_source else ""
        reason = f"no UDP datagram received at {peer}{sender} within {deadline.within_s:g} s"
        raise Broken(Finding(reason, "1", "0"), deadline)
    return peer.station.network.dissect(first.data)
