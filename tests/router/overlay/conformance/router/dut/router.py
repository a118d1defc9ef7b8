# SPDX-License-Identifier: GPL-2.0-or-later
"""The router: what comes in on one side comes out on the other."""

from conformance.router.tester.path import Path, SentPacket
from scapy.layers.inet import ICMP, IP
from scapy.packet import Packet

from testbed.case.case import Case
from testbed.case.side import Side
from testbed.case.verdict import Broken, Finding, require
from testbed.interruptions import Inconclusive
from testbed.wire.capture import Frame

TIME_EXCEEDED = 11


class Router:
    """The device under test."""

    def __init__(self, case: Case) -> None:
        self._case = case

    def forwards(self, path: Path, request: SentPacket) -> Packet:
        """The packet comes out on the other side, in time; the packet that came."""
        return self.shows(path.far, request)

    def shows(self, side: Side, request: SentPacket) -> Packet:
        """The packet is seen on a side, in time; the packet that came."""
        deadline = self._case.deadline(since_ns=request.sent.ns)
        frame = self._case.look(lambda: self._find(side, request), deadline)
        if frame is None:
            raise Broken(Finding(f"packet on the {side.name}: expected 1, got 0", "the packet", "none"), deadline)
        return side.network.dissect(frame.account("forwarded").data)

    def forwards_unchanged(self, path: Path, request: SentPacket) -> None:
        """The packet comes out with addresses, identification and payload as they were."""
        came = self.forwards(path, request)
        for what, one, other in (
            ("source", request.packet.src, came.src),
            ("destination", request.packet.dst, came.dst),
            ("protocol", request.packet.proto, came.proto),
            ("payload", bytes(request.packet.payload), bytes(came.payload)),
        ):
            require(one == other, what, one, other, request.sent.frame)

    def discards(self, path: Path, request: SentPacket) -> None:
        """After the barrier in this direction and a quiet window the packet has not come out."""
        self.barrier(path)
        self._case.watch(self._case.setup.profile.ixit.silence_s)
        if frame := self._find(path.far, request):
            raise Broken(Finding(f"unexpected packet #{frame.index}", "no packet", "a packet"), frame)

    def barrier(self, path: Path) -> None:
        """Everything sent before in this direction has been dealt with, for a packet sent after it has come out."""
        try:
            self.forwards(path, path.send())
        except Broken as broken:
            raise Inconclusive(f"preamble: {broken.finding.reason}") from None

    def answers_time_exceeded(self, path: Path, request: SentPacket) -> None:
        """The sender gets Time Exceeded, from the router's address on its side, with the packet inside."""
        deadline = self._case.deadline(since_ns=request.sent.ns)

        def answer() -> Frame | None:
            for frame in path.near.received(request.since):
                message = path.near.network.dissect(frame.data).getlayer(ICMP)
                if message is not None and message.type == TIME_EXCEEDED:
                    return frame.account("Time Exceeded")
            return None

        frame = self._case.look(answer, deadline)
        if frame is None:
            raise Broken(Finding("no Time Exceeded received", "Time Exceeded", "none"), deadline)
        packet = path.near.network.dissect(frame.data)
        require(packet.src == path.near.dut_address, "source", path.near.dut_address, packet.src, frame)
        require(packet.dst == path.source.address, "destination", path.source.address, packet.dst, frame)
        inner = IP(bytes(packet[ICMP].payload))
        require(
            inner.id == request.packet.id, "identification of the packet inside", request.packet.id, inner.id, frame
        )

    def _find(self, side: Side, request: SentPacket) -> Frame | None:
        """The frame on a side that carries the packet: addresses may have changed, the identification has not."""
        for frame in side.received(request.since):
            packet = side.network.dissect(frame.data)
            if isinstance(packet, IP) and (packet.id, packet.proto) == (request.packet.id, request.packet.proto):
                return frame
        return None
