# SPDX-License-Identifier: GPL-2.0-or-later
"""The datapath of TCP Migrate: options come into SYNs of the kernel, Migrate SYNs never reach it."""

import struct
from typing import Any

from reference.bump.checksum import is_intact
from reference.bump.datapath import Fields
from reference.bump.flows import Flow
from reference.bump.network import ETHERNET, HEADROOM, TCP, Network, Packet
from reference.bump.tcp import ACK, CHECKSUM_AT, FIN, MAXIMUM_OPTIONS, RST, SEGMENT, SYN, State, distance
from reference.migrate.context import Context, Segment, context_of
from reference.migrate.migrating_host import MigratingHost
from reference.migrate.option import padded, stamp_later, stamps_in, with_stamps, without_padding
from reference.migrate.own_segments import OwnSegments
from reference.system.addresses import ipv4_from_text


class MigrateDatapath(OwnSegments):
    """A host that speaks TCP Migrate over IPv4."""

    role = "server"
    mover: MigratingHost | None = None

    def move_to(self, address: str) -> str:
        """Leave the own address for another; why not, if not."""
        if self.mover is None:
            return super().move_to(address)
        try:
            return self._move(self.mover, ipv4_from_text(address))
        except ValueError as wrong:
            return str(wrong)

    def _move(self, mover: MigratingHost, address: int) -> str:
        if address == self._ipv4.own:
            return ""
        wrong = self.why_not_there(self._ipv4, address)
        if wrong:
            return wrong
        self.send_what_the_kernel_has_sent()
        if self._arp is not None:
            self._arp.move(address)
        mover.move(address, self.now)
        return ""

    def status(self) -> dict[str, Any]:
        return {**super().status(), **self.host.counters}

    # Time --------------------------------------------------------------------------------------------------------

    def deadline(self) -> float:
        deadlines = [one.next_deadline() for one in (self.host, self.mover) if one is not None]
        return min([super().deadline(), *(one for one in deadlines if one is not None)])

    def tick(self, now: float) -> None:
        super().tick(now)
        self.host.tick(now)
        if self.mover is not None:
            self.mover.tick(now)

    # Wire to kernel ----------------------------------------------------------------------------------------------

    def _segment_from_wire(self, network: Network, packet: Packet) -> Flow | None:
        buffer, at, end = self._from_wire, packet.start, packet.end
        if end - at < 20:
            return None
        port, local_port, sequence, acknowledgement, offset, flags, window, _ = SEGMENT.unpack_from(buffer, at)
        data = at + (offset >> 2 & 0x3C)
        pseudo = network.pseudo_header_sum(packet.peer, TCP, end - at)
        if data - at < 20 or data > end or not is_intact(self._wire_view[at:end], pseudo):
            return None
        options = bytes(self._wire_view[at + 20 : data])
        numbers = sequence, acknowledgement, flags, window
        segment = Segment(packet.peer, port, local_port, *numbers, options, end - data)
        if self._is_own_matter(segment):
            return None
        flow = self.host.incoming(segment, self.now)
        if flow is None:
            return None
        self._for_kernel(flow, at, segment)
        (field,) = struct.unpack_from("!H", buffer, at + CHECKSUM_AT)
        flow.tcp.from_peer(sequence, acknowledgement, flags, end - data, memoryview(options))
        if flow.is_rewritten:
            flow.into_kernel(buffer, at, field)
        self._deliver(network, HEADROOM + ETHERNET, packet, flow)
        self.host.accounted(flow, segment)
        return None  # delivered

    def _is_own_matter(self, segment: Segment) -> bool:
        """Whether a segment answers a Migrate SYN of ours: the kernel does not know of any."""
        flow = self._ipv4.flows.by_wire.get(segment.tuple)
        context = None if flow is None else context_of(flow)
        if self.mover is None or flow is None or context is None or not flow.is_live:
            return False
        return self.mover.takes(flow, context, segment)

    def _for_kernel(self, flow: Flow, at: int, segment: Segment) -> None:
        """Timestamps that hold a key, or echo one, are not for the kernel."""
        context = context_of(flow)
        if context is None or not (context.echo or segment.flags & SYN):
            return
        stamps = stamps_in(segment.options)
        changed = None
        if segment.flags & SYN:
            changed = self.host.peer_stamps(context, segment.options)
        elif stamps is not None and stamps[4:] == context.echo:
            changed = stamps[:4] + context.kernel_stamp
        if stamps is not None and context.shift and segment.flags & ACK:
            changed = stamps[:4] + stamp_later(stamps[4:], -context.shift)
        if changed is not None and stamps is not None:
            self._correct(at, segment.options, with_stamps(segment.options, changed), self._from_wire)

    @staticmethod
    def _correct(at: int, before: bytes, after: bytes, buffer: bytearray) -> None:
        """Put options of the same length in place of others, and leave the checksum as right as it was."""
        after = after.ljust(len(before), b"\0")
        buffer[at + 20 : at + 20 + len(before)] = after
        (field,) = struct.unpack_from("!H", buffer, at + CHECKSUM_AT)
        delta = sum(struct.unpack(f"!{len(after) // 2}H", after)) - sum(struct.unpack(f"!{len(before) // 2}H", before))
        total = (0xFFFF - field + delta) % 0xFFFF
        struct.pack_into("!H", buffer, at + CHECKSUM_AT, 0xFFFF - (total or 0xFFFF))

    # Kernel to wire ----------------------------------------------------------------------------------------------

    def segment_from_kernel(
        self, network: Network, packet: Packet, flow: Flow, fields: Fields, data: int
    ) -> Flow | None:
        _, _, sequence, acknowledgement, _, flags, window, _ = fields
        end = packet.end
        options = self._kernel_view[packet.start + 20 : data]
        if flags & SYN:
            self._kernel_opens(flow, sequence, flags)
        flow.tcp.from_kernel(sequence, acknowledgement, flags, window, end - data, options)
        if flow.parked_at is not None:
            return None
        context = context_of(flow)
        if context is not None and not self._goes(flow, context, packet, fields, data):
            return None
        self._send_segment(flow, self._from_kernel, packet)
        return None  # sent

    def _kernel_opens(self, flow: Flow, sequence: int, flags: int) -> None:
        context = context_of(flow)
        if not flags & ACK:
            self.host.opens(flow, sequence)
        elif context is not None and flow.tcp.state is State.OPENING:
            self.host.answers(flow, context, sequence)

    def _goes(self, flow: Flow, context: Context, packet: Packet, fields: Fields, data: int) -> bool:
        """Whether a segment of the kernel goes out now; if not it is held, or was an acknowledgement alone."""
        _, _, sequence, _, _, flags, window, _ = fields
        if context.is_failed:
            if not flags & RST:
                self.tell_kernel(flow, RST)
            return False
        if not flags & RST:
            context.window = window
            context.options = bytes(self._kernel_view[packet.start + 20 : data])
        length = packet.end - data + (flags & FIN)
        if flags & SYN:
            return True
        if not self.host.may_send(context, length):
            context.swallowed = True
            if length and not flags & RST:
                self._hold(context, sequence, packet.end)
            return False
        if length and context.slow_start is not None and not context.slow_start.admits(sequence, length):
            self._hold(context, sequence, packet.end)
            return False
        return True

    def _hold(self, context: Context, sequence: int, end: int) -> None:
        if context.slow_start is None:
            self.host.begin_slow_start(context)
        assert context.slow_start is not None
        context.slow_start.hold(sequence, bytes(self._kernel_view[ETHERNET:end]))

    def release(self, flow: Flow) -> None:
        """Send what was held, as far as the congestion window allows."""
        context = context_of(flow)
        if context is None or context.slow_start is None or context.is_silent:
            return
        while (packet := context.slow_start.flush()) is not None:
            buffer = bytearray(ETHERNET) + packet
            found = self._ipv4.parse_kernel(buffer, ETHERNET, len(buffer))
            if found is not None and self._is_needed(context, buffer, found):
                self._send_segment(flow, buffer, found)
        if context.slow_start.is_over:
            context.slow_start = None

    @staticmethod
    def _is_needed(context: Context, buffer: bytearray, packet: Packet) -> bool:
        """Whether the peer has not acknowledged by now what was held."""
        _, _, sequence, _, offset, flags, _, _ = SEGMENT.unpack_from(buffer, packet.start)
        length = packet.end - packet.start - (offset >> 2 & 0x3C) + (flags & FIN)
        return distance(context.acknowledged, (sequence + length) & 0xFFFFFFFF) > 0

    def _send_segment(self, flow: Flow, buffer: bytearray, packet: Packet) -> None:
        """Send a segment of the kernel, as it is or with other options."""
        at, end, network = packet.start, packet.end, self._ipv4
        _, _, sequence, _, offset, flags, _, field = SEGMENT.unpack_from(buffer, at)
        data, context = at + (offset >> 2 & 0x3C), context_of(flow)
        options = None
        if context is not None:
            context.sent(sequence, end - data + (flags & FIN) + (flags >> 1 & 1))
            options = self._options(context, bytes(buffer[at + 20 : data]), flags, end - data)
        if options is None:
            if flow.is_rewritten:
                flow.onto_wire(buffer, at, field)
            start = network.enter_wire(buffer, ETHERNET, packet, flow)
            self._emit(network, flow.wire_address, buffer, memoryview(buffer), start, end)
            return
        segment = bytearray(buffer[at : at + 20]) + options + buffer[data:end]
        struct.pack_into("!HH", segment, 0, flow.own_port, flow.wire_port)
        segment[12] = (20 + len(options)) << 2 | segment[12] & 0x0F
        self.put(flow, segment)

    def _options(self, context: Context, options: bytes, flags: int, length: int) -> bytes | None:
        """Other options for a segment of the kernel; None where they stay."""
        stamps = stamps_in(options)
        if flags & SYN and context.own is not None:
            return self.permit(context, options, stamps)
        if stamps is not None and context.shift:
            options = with_stamps(options, stamp_later(stamps[:4], context.shift) + stamps[4:])
            return options if flags & RST else self.later_options(context, options, length) or options
        if context.peer_stamp and stamps is not None and stamps[4:] == bytes(4):
            return self.echo(context, options, stamps)
        return None if flags & RST else self.later_options(context, options, length)

    def permit(self, context: Context, options: bytes, stamps: bytes | None) -> bytes | None:
        """The options of a SYN or SYN-ACK with Migrate-Permitted; None where there is no room for it."""
        own = context.own
        assert own is not None
        if own.is_secure and stamps is None and self.host.needs_stamps:
            return None
        if own.is_secure and stamps is not None:
            options = with_stamps(options, self.host.own_stamps(context, stamps))
        permitted = own.pack(self.host.settings.permitted_kind)
        if len(options) + len(permitted) > MAXIMUM_OPTIONS:
            options = without_padding(options)
        whole = padded(options + permitted)
        return whole if len(whole) <= MAXIMUM_OPTIONS else None

    def later_options(self, context: Context, options: bytes, length: int) -> bytes | None:
        """Other options for a segment of an open connection, with so much data; None where they stay."""
        return None

    def echo(self, context: Context, options: bytes, stamps: bytes) -> bytes:
        """The options of the next segment: they echo the TSval of the SYN-ACK, of which the kernel has seen nothing."""
        return with_stamps(options, stamps[:4] + context.peer_stamp)
