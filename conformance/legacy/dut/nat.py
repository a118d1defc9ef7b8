# SPDX-License-Identifier: GPL-2.0-or-later
"""The box under test: what goes in on one side comes out on the other; a NAT changes source or destination."""

from dataclasses import dataclass

from scapy.layers.inet import ICMP, IP, UDP
from scapy.packet import Packet
from scapy.utils import checksum

from conformance.legacy.dut.quoting import is_about, require_quote
from conformance.legacy.tester.hosts import Endpoint, Hosts, SentPacket, Tuple
from testbed.case.case import Case
from testbed.case.side import Side
from testbed.case.verdict import Broken, Finding, require
from testbed.interruptions import Inconclusive
from testbed.peers.through import Endpoint as At
from testbed.wire.capture import Frame, Mark, Sent
from testbed.wire.clock import NANO
from testbed.wire.headers import UDP_PROTOCOL

ICMP_PROTOCOL = 1

_MARGIN_S = 0.5
"""How long before the end of a timer a packet must have been sent to be in time."""

_HEADER = 8
"""Bytes of the header of UDP, and of an ICMP message."""


@dataclass(frozen=True)
class Came:
    """A packet that came out of the NAT."""

    frame: Frame
    packet: Packet

    @property
    def source(self) -> Tuple:
        """Address and port, or identifier, that it came from."""
        return self.packet.src, self.packet[ICMP].id if ICMP in self.packet else self.packet[UDP].sport

    @property
    def destination(self) -> Tuple:
        """Address and port, or identifier, that it came to."""
        return self.packet.dst, self.packet[ICMP].id if ICMP in self.packet else self.packet[UDP].dport


class Nat:
    """The device under test."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._control: tuple[Endpoint, Endpoint, Tuple] | None = None

    @property
    def outside_address(self) -> str:
        """The address that the NAT has on the outside."""
        return self._case.outside.dut_address

    def seen_as(self, inner: At) -> str:
        """The address that an inside host appears with on the outside: the NAT's, and its own behind a firewall."""
        return self.outside_address if self._case.setup.role.name == "NAT" else inner.station.address

    # Forwarding

    def forwards(self, request: SentPacket, to: Endpoint) -> Came:
        """The packet comes out at an endpoint, in time, whole, and with right checksums."""
        came = self.forwarded(request, to.side)
        require(came.destination == to.place, "destination", to.place, came.destination, came.frame)
        self._is_intact(request, came)
        return came

    def delivers_in_time(self, request: SentPacket, to: Endpoint, since_ns: int, timer_s: float) -> Came:
        """The packet comes out, for it was sent before a timer that began at `since_ns` at the earliest could be over.

        Inconclusive where the tester was too late to send it.
        """
        if request.sent.ns - since_ns > (timer_s - _MARGIN_S) * NANO:
            late_s = (request.sent.ns - since_ns) / NANO
            raise Inconclusive(f"the tester sent {late_s:.1f} s after the timer of {timer_s:g} s had begun")
        return self.forwards(request, to)

    def forwarded(self, request: SentPacket, to: Side) -> Came:
        """The packet comes out on a side, in time."""
        came = self._await(request, to)
        if came is None:
            deadline = self._case.deadline(since_ns=request.sent.ns)
            what = f"packet from {request.packet.src} on the {to.name}: none within {deadline.within_s:g} s"
            raise Broken(Finding(what, "1", "0", frames=[request.sent.frame]), deadline)
        return came

    def is_forwarded(self, request: SentPacket, to: Side) -> bool:
        """Whether the packet comes out on a side, after what proves that it was dealt with."""
        self.barrier(to)
        self._case.watch(self._case.setup.profile.ixit.silence_s)
        return self._find(request, to) is not None

    def drops(self, request: SentPacket, to: Side) -> None:
        """The packet does not come out on a side."""
        self.is_forwarded(request, to)
        if came := self._find(request, to):
            raise Broken(Finding(f"unexpected packet #{came.frame.index}", "none", "1"), came.frame, request.sent.frame)

    def barrier(self, to: Side) -> None:
        """Everything sent before towards a side has been dealt with: a datagram of another flow has come out there."""
        self._control = self._control or self._open_control()
        inner, outer, outside = self._control
        sent = inner.send(outer.place) if to is outer.side else outer.send(outside)
        if self._await(sent, to) is None:
            raise Inconclusive(f"preamble: the box does not forward to the {to.name}")

    def _open_control(self) -> tuple[Endpoint, Endpoint, Tuple]:
        """A flow of its own: its ends, and what the inner one appears as."""
        hosts = Hosts(self._case)
        inner, outer = hosts.inside(), hosts.outside()
        return inner, outer, self.maps(inner, outer)

    def _await(self, request: SentPacket, side: Side) -> Came | None:
        deadline = self._case.deadline(since_ns=request.sent.ns)

        def find() -> Frame | None:
            came = self._find(request, side)
            return came.frame if came else None

        frame = self._case.look(find, deadline)
        return Came(frame.account("forwarded"), side.network.dissect(frame.data)) if frame else None

    def _find(self, request: SentPacket, side: Side) -> Came | None:
        for frame in side.received(request.since):
            packet = side.network.dissect(frame.data)
            if isinstance(packet, IP) and packet.proto == request.packet.proto and request.token in frame.data:
                return Came(frame, packet)
        return None

    def _is_intact(self, request: SentPacket, came: Came) -> None:
        network = self._case.inside.network
        data = network.payload(came.frame.data)[_HEADER:]
        expected = bytes(request.packet)[request.packet.ihl * 4 + _HEADER :]
        require(data == expected, "data", expected.hex(), data.hex(), came.frame, request.sent.frame)
        if came.packet.proto == UDP_PROTOCOL and came.frame.judgeable_checksum and came.packet[UDP].chksum:
            right = network.udp_checksum_ok(came.frame.data)
            require(right, "UDP checksum", "a right one", hex(came.packet[UDP].chksum), came.frame)
        if came.packet.proto == ICMP_PROTOCOL:
            right = checksum(network.payload(came.frame.data)) == 0
            require(right, "ICMP checksum", "a right one", hex(came.packet[ICMP].chksum), came.frame)

    # Mapping and filtering

    def maps(self, inner: Endpoint, outer: Endpoint) -> Tuple:
        """What an inside endpoint appears as at an outside one; preamble."""
        request = inner.send(outer.place)
        came = self._await(request, outer.side)
        if came is None or came.source[0] != self.seen_as(inner):
            raise Inconclusive(f"preamble: no datagram from {inner} to {outer}")
        return came.source

    def maps_query(self, inner: Endpoint, outer: Endpoint) -> Tuple:
        """What an inside host's echo requests appear as: address and identifier; preamble."""
        came = self._await(inner.query(outer.address), outer.side)
        if came is None or came.source[0] != self.seen_as(inner):
            raise Inconclusive(f"preamble: no echo request from {inner} to {outer}")
        return came.source

    def translates(self, inner: Endpoint, outer: Endpoint) -> Came:
        """A datagram comes out with the address that its host appears with, and all else as it was."""
        came = self.forwards(inner.send(outer.place), outer)
        address, right = came.source[0], self.seen_as(inner)
        require(address == right, "source address", right, address, came.frame)
        return came

    def maps_alike(self, inner: Endpoint, first: Endpoint, second: Endpoint) -> None:
        """An inside endpoint appears as the same at two outside ones."""
        mapped = self.maps(inner, first)
        came = self.translates(inner, second)
        require(came.source == mapped, f"source at {second}, after {first}", mapped, came.source, came.frame)

    def delivers_inward(self, outer: Endpoint, mapped: Tuple, inner: Endpoint) -> Came:
        """A datagram from an outside endpoint to a mapping comes to the inside endpoint, its source unchanged."""
        came = self.forwards(outer.send(mapped), inner)
        require(came.source == outer.place, "source", outer.place, came.source, came.frame)
        return came

    def lets_in(self, outer: Endpoint, mapped: Tuple, inner: Endpoint) -> bool:
        """Whether a datagram from an outside endpoint to a mapping comes to the inside."""
        return self.is_forwarded(outer.send(mapped), inner.side)

    # Messages

    def tells(self, request: SentPacket, sender: Endpoint, kind: int, code: int) -> Packet:
        """An ICMP error of the NAT about a packet comes to its sender, and quotes the packet as it was sent."""
        frame, packet = self.message_about(request, sender, kind, code, request.sent)
        require_quote(frame, packet, request.packet)
        return packet

    def message_about(
        self, request: SentPacket, receiver: Endpoint, kind: int, code: int, since: Sent
    ) -> tuple[Frame, Packet]:
        """An ICMP error of this type and code that quotes a packet comes to an endpoint's host, in time."""
        deadline = self._case.deadline(since_ns=since.ns)
        mark = self._case.trace.mark_at(since.frame)
        frame = self._case.look(lambda: self.find_message(request, receiver, mark), deadline)
        if frame is None:
            what = f"no ICMP {kind}/{code} about the packet at {receiver.address} within {deadline.within_s:g} s"
            raise Broken(Finding(what, "1", "0", frames=[since.frame]), deadline)
        packet = receiver.side.network.dissect(frame.account("ICMP error").data)
        seen = packet[ICMP].type, packet[ICMP].code
        require(seen == (kind, code), "type and code", (kind, code), seen, frame)
        right = checksum(receiver.side.network.payload(frame.data)) == 0
        require(right, "ICMP checksum", "a right one", hex(packet[ICMP].chksum), frame)
        return frame, packet

    def find_message(self, request: SentPacket, receiver: Endpoint, since: Mark) -> Frame | None:
        """The first ICMP error to an endpoint's host that quotes a packet of this transport protocol.

        No address of a case is used by another one. The identification of an IP packet tells nothing here: a NAT may
        change it (RFC 7857, 10).
        """
        for frame in receiver.side.received(since):
            packet = receiver.side.network.dissect(frame.data)
            if not isinstance(packet, IP) or packet.proto != ICMP_PROTOCOL or ICMP not in packet:
                continue
            if packet.dst == receiver.address and is_about(packet, request.packet.proto):
                return frame
        return None

    def passes_no_message(self, request: SentPacket, receiver: Endpoint, error: Sent) -> None:
        """After the barrier no ICMP error that quotes a packet has come to an endpoint's host."""
        self.barrier(receiver.side)
        self._case.watch(self._case.setup.profile.ixit.silence_s)
        if frame := self.find_message(request, receiver, self._case.trace.mark_at(error.frame)):
            raise Broken(Finding(f"unexpected error #{frame.index}", "none", "1"), frame, error.frame)
