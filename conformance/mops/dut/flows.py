# SPDX-License-Identifier: GPL-2.0-or-later
"""Flows of UDP through the device between two links: both ends are the tester's."""

from dataclasses import dataclass

from scapy.packet import Packet

from testbed.case.case import Case
from testbed.case.expect import preamble
from testbed.case.verdict import Broken, Finding, require
from testbed.peers.through import Endpoint
from testbed.peers.udp import UdpPeer
from testbed.wire.capture import Frame
from testbed.wire.headers import UDP_PROTOCOL


@dataclass
class Flow:
    """A flow: the node's end, and the server's, which has to be told what the node appears as."""

    inner: UdpPeer
    outer: UdpPeer


class Flows:
    """The device, as far as it passes datagrams on."""

    _case: Case

    @staticmethod
    def new_flow(inner: Endpoint, outer: Endpoint) -> Flow:
        """The ends of a flow of which nothing has been sent yet."""
        first, second = UdpPeer(inner.station, inner.port, outer.port), UdpPeer(outer.station, outer.port)
        first.remote = outer.station.address
        return Flow(first, second)

    def flow(self, inner: Endpoint, outer: Endpoint) -> Flow:
        """A flow, its first datagram sent from the inside; preamble."""
        made = self.new_flow(inner, outer)
        with preamble():
            packet = self.passes_datagram(made.inner, made.outer, b"first")
        made.outer.remote, made.outer.remote_port = packet.src, packet.payload.sport
        return made

    def passes_datagram(self, one: UdpPeer, other: UdpPeer, data: bytes, checksum: int | None = None) -> Packet:
        """A datagram of one end comes to the other with its data, from where that end knows it to be; the packet."""
        network = one.station.network
        fields = {"sport": one.port, "dport": one.remote_port} | ({} if checksum is None else {"chksum": checksum})
        sent = one.station.send(UDP_PROTOCOL, network.datagram(**fields) / data, destination=one.remote)
        since, deadline = self._case.trace.mark_at(sent.frame), self._case.deadline(since_ns=sent.ns)

        def find() -> Frame | None:
            return next((frame for frame, _ in other.datagrams(since)), None)

        frame = self._case.look(find, deadline)
        if frame is None:
            reason = f"no datagram at {other} within {deadline.within_s:g} s"
            raise Broken(Finding(reason, "1", "0", frames=[sent.frame]), deadline)
        packet = other.station.network.dissect(frame.data)
        came = bytes(packet.payload.payload)
        require(came == data, "data", data.hex(), came.hex(), frame, sent.frame)
        source = packet.src, packet.payload.sport
        known = other.remote, other.remote_port
        require(not other.remote_port or source == known, "source", known, source, frame)
        return packet

    def last_frame(self, end: UdpPeer) -> Frame:
        """The frame of the last datagram that has come to an end."""
        return end.datagrams()[-1][0]
