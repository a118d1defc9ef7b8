# SPDX-License-Identifier: GPL-2.0-or-later
"""The datapath of a TCP Rehash host: options come into segments of the kernel and out of those for it."""

import socket
import struct

from reference.addresses import ipv4_from_text
from reference.checksum import adjust, checksum, is_intact, words_sum
from reference.datapath import Datapath
from reference.flows import Flow
from reference.network import ETHERNET, HEADROOM, TCP, Network, Packet
from reference.network_ipv4 import Ipv4Network
from reference.parts import Parts
from reference.rehash_context import Segment
from reference.rehash_option import (
    LENGTH,
    Option,
    maximum_segment_size,
    timestamps,
    with_segment_size_less,
    without_kind,
)
from reference.rehash_settings import RehashSettings
from reference.tcp import ACK, CHECKSUM_AT, FIN, RST, SEGMENT, SYN, State

_IP_HEADER = 20
_TIMESTAMPS_PADDING = b"\x01\x01"


def _fill_in_checksum(source: int, destination: int, segment: bytearray) -> None:
    struct.pack_into("!H", segment, CHECKSUM_AT, 0)
    total = (source + destination + TCP + len(segment) + words_sum(segment)) % 0xFFFF
    struct.pack_into("!H", segment, CHECKSUM_AT, 0xFFFF - (total or 0xFFFF))


class RehashDatapath(Datapath):
    """A host that speaks TCP Rehash over IPv4."""

    def __init__(
        self,
        wire: socket.socket,
        wire_mac: bytes,
        stack: socket.socket,
        network: Ipv4Network,
        settings: RehashSettings,
        parts: Parts,
    ) -> None:
        super().__init__(wire, wire_mac, stack, [network], None)
        self._ipv4 = network
        self._kind = settings.option_kind
        self.rehash = parts.rehash(network, settings, parts.nonces(), parts.slow_start, self)

    def move_to(self, address: str) -> dict[str, str]:
        """Leave the own address for another; why not, if not."""
        try:
            error = self._move(ipv4_from_text(address))
        except ValueError as wrong:
            error = str(wrong)
        return {"error": error} if error else {}

    def _move(self, address: int) -> str:
        network = self._ipv4
        if address == network.own:
            return ""
        if not network.is_peer(address):
            return f"{network.text(address)} is no host address of the prefix"
        if any(flow.wire_address == address for flow in network.flows.by_wire.values() if flow.is_live):
            return f"{network.text(address)} is the address of a peer"
        for _ in range(64):  # what the kernel has sent goes out from the old address still
            if not self._read(self._stack, self._kernel_view, self._frame_from_kernel):
                break
        if self._arp is not None:
            self._arp.move(address)
        self.rehash.move(address, self._clock())
        return ""

    # Time --------------------------------------------------------------------------------------------------------

    def _leisure(self) -> float:
        deadline = self.rehash.next_deadline()
        return 1.0 if deadline is None else max(0.0, deadline - self._clock())

    def _after_turn(self) -> None:
        deadline = self.rehash.next_deadline()
        if deadline is not None and deadline <= (now := self._clock()):
            self._read(self._stack, self._kernel_view, self._frame_from_kernel)  # the answer may be here by now
            self.rehash.tick(now)

    # Wire to kernel ----------------------------------------------------------------------------------------------

    def _frame_from_wire(self, length: int) -> None:
        at = HEADROOM + ETHERNET
        is_ipv4 = length >= ETHERNET + _IP_HEADER and self._from_wire[at - 2 : at] == b"\x08\x00"
        if is_ipv4 and int.from_bytes(self._from_wire[at + 16 : at + 20], "big") in self.rehash.left:
            self.rehash.in_flight(bytes(self._wire_view[at : HEADROOM + length]))
        else:
            super()._frame_from_wire(length)

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
        option = self.rehash.read(options) if self._kind in options else None
        segment = Segment(packet.peer, port, local_port, sequence, acknowledgement, flags, end - data, option)
        flow = self.rehash.incoming(segment, self._now)
        if flow is None:
            return None
        flow.tcp.from_peer(sequence, acknowledgement, flags, end - data, memoryview(options))
        if flags & SYN and flow.rehash is not None:
            flow.rehash.segment_size = maximum_segment_size(options) - LENGTH
        self.rehash.accounted(flow, segment, self._now)
        start = HEADROOM + ETHERNET
        for_kernel = without_kind(options, self._kind) if self._kind in options else options
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

    def _segment_from_kernel(self, network: Network, packet: Packet) -> Flow | None:
        buffer, at, end = self._from_kernel, packet.start, packet.end
        if end - at < 20:
            return None
        local_port, port, sequence, acknowledgement, offset, flags, window, _ = SEGMENT.unpack_from(buffer, at)
        flow = network.flows.outbound(packet.peer, port, local_port, self._now, flags)
        if flow is None:
            return None
        data = at + (offset >> 2 & 0x3C)
        options = self._kernel_view[at + 20 : data]
        if flags & SYN:
            self.rehash.kernel_opens(flow, bool(flags & ACK), sequence, flow.tcp.state is State.SYN_SENT)
        flow.tcp.from_kernel(sequence, acknowledgement, flags, window, end - data, options)
        if flow.parked_at is not None:
            return None
        context = flow.rehash
        if context is not None:
            if context.is_failed:
                if not flags & RST:
                    self.reset_kernel(flow)
                return None
            if not flags & RST:
                context.window = window >> flow.tcp.scale if flags & SYN else window
                context.options = bytes(options)
            length, slow_start = end - data + (flags & FIN), context.slow_start
            if slow_start is not None and length and not slow_start.admits(sequence, length):
                slow_start.hold(sequence, bytes(self._kernel_view[ETHERNET:end]))
                return None
        self._send_segment(flow, buffer, packet)
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
        option, context = None, flow.rehash
        if context is not None:
            goes, option = self.rehash.outgoing(flow, context, sequence, flags, end - data, self._now)
            if not goes:
                return
            length = end - data + (flags & FIN) + (flags >> 1 & 1)
            context.sends(sequence, length)
        options = None
        if option is not None:
            options = self.rehash.insert(bytes(buffer[at + 20 : data]), self.rehash.encode(option))
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
        context = flow.rehash
        assert context is not None
        options = b""
        stamp = timestamps(context.options)
        if stamp is not None:
            options += _TIMESTAMPS_PADDING + stamp
        if option is not None:
            options += self.rehash.encode(option)
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

    def reset_kernel(self, flow: Flow) -> None:
        """Have the kernel believe that the peer has reset the connection."""
        network = self._ipv4
        fields = (flow.kernel_port, flow.local_port, flow.tcp.rcv_nxt, 0, 20 << 2, RST, 0, 0)
        segment = bytearray(SEGMENT.pack(*fields) + b"\0\0")
        _fill_in_checksum(flow.kernel_address, network.kernel_own, segment)
        packet = network.packet(flow.kernel_address, network.kernel_own, TCP, segment)
        self._put(self._stack, network.kernel_ethernet + packet)
