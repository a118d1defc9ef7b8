# SPDX-License-Identifier: GPL-2.0-or-later
"""Segments that a host of TCP Migrate makes itself: for its peers, and for its kernel."""

import struct

from reference.bump.checksum import checksum
from reference.bump.datapath import Datapath
from reference.bump.flows import Flow
from reference.bump.ipv4 import Ipv4Network
from reference.bump.network import TCP
from reference.bump.tcp import ACK, CHECKSUM_AT, RST, SEGMENT, SYN, State
from reference.migrate.context import Segment, context_of
from reference.migrate.host import SYN_ACK_AGAIN_S, FixedHost
from reference.migrate.option import padded, stamps_in

_TIMESTAMPS = b"\x01\x01\x08\x0a"
_MOST_WINDOW = 0xFFFF


def _fill_in_checksum(source: int, destination: int, segment: bytearray) -> None:
    struct.pack_into("!H", segment, CHECKSUM_AT, 0)
    struct.pack_into("!H", segment, CHECKSUM_AT, checksum(segment, source + destination + TCP + len(segment)))


class OwnSegments(Datapath):
    """What a host sends beside what its kernel sends."""

    role = "server"
    host: FixedHost

    def __init__(self, mac: bytes, network: Ipv4Network) -> None:
        super().__init__(mac, [network])
        self._ipv4 = network

    def put(self, flow: Flow, segment: bytearray) -> None:
        _fill_in_checksum(self._ipv4.own, flow.wire_address, segment)
        self.send(self._ipv4, flow.wire_address, TCP, bytes(segment))

    def originate(self, flow: Flow, sequence: int, acknowledgement: int, flags: int, options: bytes = b"") -> None:
        """Send a segment of our own on a connection."""
        context, options = context_of(flow), padded(options)
        window = 0 if context is None or flags & RST else context.window
        if flags & SYN:
            window = min(window << flow.tcp.scale, _MOST_WINDOW)
        ports = flow.own_port, flow.wire_port
        fields = *ports, sequence, acknowledgement, (20 + len(options)) << 2, flags, window, 0
        self.put(flow, bytearray(SEGMENT.pack(*fields) + b"\0\0" + options))
        if context is not None and flags & (SYN | ACK) == SYN | ACK:
            number = context.syn_acks
            self.after(SYN_ACK_AGAIN_S, lambda: self.host.syn_ack_due(flow, number))

    def refuse(self, segment: Segment) -> None:
        """Answer a segment with the reset of a connection that does not exist (RFC 9293, 3.10.7.1)."""
        acknowledgement = (segment.sequence + segment.length + 1) & 0xFFFFFFFF
        ports = segment.local_port, segment.port
        reset = bytearray(SEGMENT.pack(*ports, 0, acknowledgement, 20 << 2, RST | ACK, 0, 0) + b"\0\0")
        _fill_in_checksum(self._ipv4.own, segment.address, reset)
        self.send(self._ipv4, segment.address, TCP, bytes(reset))

    def acknowledge(self, flow: Flow) -> None:
        """Send an acknowledgement: sequence number, window and timestamps are the kernel's last."""
        context = context_of(flow)
        assert context is not None
        stamps = stamps_in(context.options)
        options = b"" if stamps is None else _TIMESTAMPS + stamps
        self.originate(flow, context.next, flow.tcp.rcv_nxt, ACK, options)

    def settled(self, flow: Flow) -> None:
        """Take all that the kernel has sent on a connection."""
        self.settle([flow])

    def tell_kernel(self, flow: Flow, flags: int) -> None:
        """Have the kernel believe that the peer has sent a segment with these flags alone."""
        network, context = self._ipv4, context_of(flow)
        acknowledged = context.acknowledged if context is not None and flags & ACK else 0
        if flow.tcp.state is State.SYN_SENT:
            acknowledged += 1
        window = context.peer_window if context is not None else 0
        fields = (flow.kernel_port, flow.local_port, flow.tcp.rcv_nxt, acknowledged, 20 << 2, flags, window, 0)
        segment = bytearray(SEGMENT.pack(*fields) + b"\0\0")
        _fill_in_checksum(flow.kernel_address, network.kernel_own, segment)
        self.put_to_kernel(network, network.packet(flow.kernel_address, network.kernel_own, TCP, segment))
