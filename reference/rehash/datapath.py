# SPDX-License-Identifier: GPL-2.0-or-later
"""The datapath of a TCP Rehash host: options come into segments of the kernel and out of those for it."""

import struct
from typing import Any

from reference.bump.checksum import adjust, checksum, is_intact, words_sum
from reference.bump.datapath import Datapath, Fields
from reference.bump.flows import Flow
from reference.bump.ipv4 import Ipv4Network
from reference.bump.network import ETHERNET, HEADROOM, TCP, Network, Packet
from reference.bump.tcp import ACK, CHECKSUM_AT, FIN, RST, SEGMENT, SYN, State, maximum_segment_size, timestamps
from reference.rehash.context import Segment, context_of
from reference.rehash.host import Host
from reference.rehash.option import LENGTH, Option, with_segment_size_less, without_kind
from reference.system.addresses import ipv4_from_text

_IP_HEADER = 20
_TIMESTAMPS_PADDING = b"\x01\x01"


def _fill_in_checksum(source: int, destination: int, segment: bytearray) -> None:
    struct.pack_into("!H", segment, CHECKSUM_AT, 0)
    total = (source + destination + TCP + len(segment) + words_sum(segment)) % 0xFFFF
    struct.pack_into("!H", segment, CHECKSUM_AT, 0xFFFF - (total or 0xFFFF))


class RehashDatapath(Datapath):
    """A host that speaks TCP Rehash over IPv4."""

    role = "host"
    host: Host

    def __init__(self, mac: bytes, network: Ipv4Network) -> None:
        super().__init__(mac, [network])
        self._ipv4 = network

    def move_to(self, address: str) -> str:
        """Leave the own address for another; why not, if not."""
        try:
            return self._move(ipv4_from_text(address))
        except ValueError as wrong:
            return str(wrong)

    def _move(self, address: int) -> str:
        if address == self._ipv4.own:
            return ""
        wrong = self.why_not_there(self._ipv4, address)
        if wrong:
            return wrong
        self.send_what_the_kernel_has_sent()
        if self._arp is not None:
            self._arp.move(address)
        self.host.move(address, self.now)
        return ""

    def status(self) -> dict[str, Any]:
        return {**super().status(), **self.host.counters}

    # Time --------------------------------------------------------------------------------------------------------

    def deadline(self) -> float:
        deadline = self.host.next_deadline()
        return super().deadline() if deadline is None else min(deadline, super().deadline())

    def tick(self, now: float) -> None:
        super().tick(now)
        deadline = self.host.next_deadline()
        if deadline is not None and deadline <= now:
            self._ends.read_kernel()  # the answer may be here by now
            self.host.tick(now)

    # Wire to kernel ----------------------------------------------------------------------------------------------

    def take_from_wire(self, length: int) -> None:
        at = HEADROOM + ETHERNET
        is_ipv4 = length >= ETHERNET + _IP_HEADER and self._from_wire[at - 2 : at] == b"\x08\x00"
        if is_ipv4 and int.from_bytes(self._from_wire[at + 16 : at + 20], "big") in self.host.left:
            self.host.in_flight(bytes(self._wire_view[at : HEADROOM + length]))
        else:
            super().take_from_wire(length)

    def _segment_from_wire(self, network: Network, packet: Packet) -> Flow | None:
        buffer, at, end = self._from_wire, packet.start, packet.end
        if end - at < 20:
            return None
        port, local_port, sequence, acknowledgement, offset, flags, _, _ = SEGMENT.unpack_from(buffer, at)
        data = at + (offset >> 2 & 0x3C)
        pseudo = network.pseudo_header_sum(packet.peer, TCP, end - at)
        if data - at < 20 or data > end or not is_intact(self._wire_view[at:end], pseudo):
            return None
        options = bytes(self._wire_view[at + 20 : data])
        kind = self.host.settings.option_kind
        option = self.host.read(options) if kind in options else None
        segment = Segment(packet.peer, port, local_port, sequence, acknowledgement, flags, end - data, option)
        flow = self.host.incoming(segment, self.now)
        if flow is None:
            return None
        flow.tcp.from_peer(sequence, acknowledgement, flags, end - data, memoryview(options))
        if flags & SYN and (context := context_of(flow)) is not None:
            context.segment_size = maximum_segment_size(options) - LENGTH
        self.host.accounted(flow, segment, self.now)
        start = HEADROOM + ETHERNET
        for_kernel = without_kind(options, kind) if kind in options else options
        if flags & SYN:
            for_kernel = with_segment_size_less(for_kernel, LENGTH)
        if for_kernel is not options:
            start, packet = self._replace_options(start, packet, data, for_kernel)
        if packet.peer != flow.wire_address:  # the option's New address is not the packet's source
            self._correct(packet.start, flow.wire_address - packet.peer)
        (field,) = struct.unpack_from("!H", buffer, packet.start + CHECKSUM_AT)
        if flow.in_delta or flow.kernel_port != port:
            flow.into_kernel(buffer, packet.start, field)
        self._deliver(network, start, packet, flow)
        return None  # delivered

    def _correct(self, at: int, delta: int) -> None:
        (field,) = struct.unpack_from("!H", self._from_wire, at + CHECKSUM_AT)
        struct.pack_into("!H", self._from_wire, at + CHECKSUM_AT, adjust(field, delta % 0xFFFF))

    def _replace_options(self, start: int, packet: Packet, data: int, options: bytes) -> tuple[int, Packet]:
        """Put other options in place of those of the segment: the kernel's link has no room for a Rehash option."""
        buffer, at = self._from_wire, packet.start
        removed = data - at - 20 - len(options)
        before = words_sum(self._wire_view[at:data])
        header = bytearray(buffer[at : at + 20]) + options
        header[12] = len(header) << 2 | header[12] & 0x0F
        delta = (words_sum(header) - before - removed) % 0xFFFF
        buffer[start + removed : data] = buffer[start:at] + header
        start, at = start + removed, at + removed
        self._correct(at, delta)
        (length,) = struct.unpack_from("!H", buffer, start + 2)
        (field,) = struct.unpack_from("!H", buffer, start + 10)
        struct.pack_into("!H", buffer, start + 2, length - removed)
        struct.pack_into("!H", buffer, start + 10, adjust(field, -removed % 0xFFFF))
        return start, packet._replace(start=at)

    # Kernel to wire ----------------------------------------------------------------------------------------------

    def segment_from_kernel(
        self, network: Network, packet: Packet, flow: Flow, fields: Fields, data: int
    ) -> Flow | None:
        _, _, sequence, acknowledgement, _, flags, window, _ = fields
        end = packet.end
        options = self._kernel_view[packet.start + 20 : data]
        if flags & SYN:
            self.host.kernel_opens(flow, bool(flags & ACK), sequence, flow.tcp.state is State.SYN_SENT)
        flow.tcp.from_kernel(sequence, acknowledgement, flags, window, end - data, options)
        if flow.parked_at is not None:
            return None
        context = context_of(flow)
        if context is not None:
            if context.is_failed:
                if not flags & RST and self.host.answers_when_failed(end - data):
                    self.tell_kernel(flow, RST)
                return None
            if not flags & RST:
                context.window = window >> flow.tcp.scale if flags & SYN else window
                context.options = bytes(options)
            length, slow_start = end - data + (flags & FIN), context.slow_start
            if slow_start is not None and length and not slow_start.admits(sequence, length):
                slow_start.hold(sequence, bytes(self._kernel_view[ETHERNET:end]))
                return None
        self._send_segment(flow, self._from_kernel, packet)
        return None  # sent

    def transmit(self, flow: Flow, packet: bytes) -> None:
        """Send a segment of the kernel that was held."""
        buffer = bytearray(ETHERNET) + packet
        found = self._ipv4.parse_kernel(buffer, ETHERNET, len(buffer))
        if found is not None:
            self._send_segment(flow, buffer, found)

    def _send_segment(self, flow: Flow, buffer: bytearray, packet: Packet) -> None:
        """Send a segment of the kernel, as it is or with an option."""
        at, end, network = packet.start, packet.end, self._ipv4
        _, port, sequence, _, offset, flags, _, field = SEGMENT.unpack_from(buffer, at)
        data = at + (offset >> 2 & 0x3C)
        option, context = None, context_of(flow)
        if context is not None:
            goes, option = self.host.outgoing(flow, context, sequence, flags, end - data, self.now)
            if not goes:
                return
            length = end - data + (flags & FIN) + (flags >> 1 & 1)
            context.sent(sequence, length)
        options = None
        if option is not None:
            options = self.host.insert(bytes(buffer[at + 20 : data]), self.host.encode(option))
        if options is None:
            if flow.out_delta or flow.wire_port != port:
                flow.onto_wire(buffer, at, field)
            start = network.enter_wire(buffer, ETHERNET, packet, flow)
            self._emit(network, flow.wire_address, buffer, memoryview(buffer), start, end)
            return
        segment = bytearray(buffer[at : at + 20]) + options + buffer[data:end]
        struct.pack_into("!H", segment, 2, flow.wire_port)
        segment[12] = (20 + len(options)) << 2 | segment[12] & 0x0F
        header = bytearray(buffer[ETHERNET:at])
        _fill_in_checksum(network.own, flow.wire_address, segment)
        struct.pack_into("!H", header, 2, len(header) + len(segment))
        struct.pack_into("!HII", header, 10, 0, network.own, flow.wire_address)
        struct.pack_into("!H", header, 10, checksum(header))
        frame = bytearray(ETHERNET) + header + segment
        self._emit(network, flow.wire_address, frame, memoryview(frame), ETHERNET, len(frame))

    # Segments of our own -----------------------------------------------------------------------------------------

    def acknowledge(self, flow: Flow, option: Option | None) -> None:
        """Send a duplicate ACK: sequence number, window and timestamps are the kernel's last."""
        context = context_of(flow)
        assert context is not None
        options = b""
        stamp = timestamps(context.options)
        if stamp is not None:
            options += _TIMESTAMPS_PADDING + stamp
        if option is not None:
            options += self.host.encode(option)
        ports = flow.local_port, flow.wire_port
        offset = (20 + len(options)) << 2
        header = SEGMENT.pack(*ports, context.next, flow.tcp.rcv_nxt, offset, ACK, context.window, 0)
        self.originate(self._ipv4.own, flow.wire_address, bytearray(header + b"\0\0" + options))

    def originate(self, source: int, destination: int, segment: bytearray) -> None:
        """Send any segment, its checksum left to be filled in."""
        _fill_in_checksum(source, destination, segment)
        packet = self._ipv4.packet(source, destination, TCP, segment)
        header = self._neighbour(self._ipv4, destination, packet)
        if header is not None:
            self.put_on_wire(header + packet)

    def tell_kernel(self, flow: Flow, flags: int) -> None:
        """Have the kernel believe that the peer has sent a segment with these flags alone."""
        network, context = self._ipv4, context_of(flow)
        acknowledged = context.acknowledged if context is not None and flags & ACK else 0
        fields = (flow.kernel_port, flow.local_port, flow.tcp.rcv_nxt, acknowledged, 20 << 2, flags, 0, 0)
        segment = bytearray(SEGMENT.pack(*fields) + b"\0\0")
        _fill_in_checksum(flow.kernel_address, network.kernel_own, segment)
        packet = network.packet(flow.kernel_address, network.kernel_own, TCP, segment)
        self.put_to_kernel(network, packet)
