# SPDX-License-Identifier: GPL-2.0-or-later
"""The daemon's loop between the wire and the kernel: a bump in the stack."""

import os
import select
import socket
import time
from collections.abc import Callable, Iterable
from typing import Protocol

from reference.arp import ETHERTYPE as ARP_ETHERTYPE
from reference.arp import Arp
from reference.checksum import is_intact
from reference.flows import Flow
from reference.linux import last_arrival
from reference.log import log
from reference.network import ETHERNET, HEADROOM, TCP, Network, Packet
from reference.tcp import SEGMENT

_BURST = 64
_SETTLE_S = 0.003
_EXPIRY_S = 2.0
_FRAME = 65536 + HEADROOM


#: What takes a packet of a transport protocol: its flow when it is to go on, its header rewritten.
Upper = Callable[[Network, Packet], Flow | None]


class Role(Protocol):
    """What a host can be besides an end of TCP connections."""

    def receive(self, network: Network, source: int, data: bytes, arrival: float) -> None:
        """Take an ICMPv5 message."""


class Datapath:
    """Both directions, the timers and the events of the supervisor."""

    def __init__(
        self,
        wire: socket.socket,
        wire_mac: bytes,
        stack: socket.socket,
        networks: list[Network],
        neighbour_mac: bytes | None,
    ) -> None:
        self._wire, self._stack, self._wire_mac = wire, stack, wire_mac
        self.networks = networks
        self.role: Role | None = None
        self._by_ethertype = {network.ethertype.to_bytes(2, "big"): network for network in networks}
        self._by_kernel_ethertype = {network.kernel_ethertype.to_bytes(2, "big"): network for network in networks}
        self._arp: Arp | None = None
        self._fixed: dict[Network, bytes] = {}
        for network in networks:
            if network.name == "ipv4":
                self._arp = Arp(self.put_on_wire, network.own, wire_mac)
            elif neighbour_mac is not None:
                self._fixed[network] = neighbour_mac + wire_mac + network.ethertype.to_bytes(2, "big")
        self._from_wire = bytearray(_FRAME)
        self._from_kernel = bytearray(_FRAME)
        self._wire_view = memoryview(self._from_wire)
        self._kernel_view = memoryview(self._from_kernel)
        self._clock = time.monotonic
        self._now = self._clock()
        self._expiry = self._now + _EXPIRY_S
        self.upper_from_wire: dict[int, Upper] = {TCP: self._segment_from_wire}
        self.upper_from_kernel: dict[int, Upper] = {TCP: self._segment_from_kernel}
        self.counters = {"from_wire": 0, "from_kernel": 0, "lost": 0}
        last_arrival(wire)  # from here on the kernel stamps what arrives

    # The loop ----------------------------------------------------------------------------------------------------

    def run(self, events: dict[int, Callable[[], None]]) -> None:
        """Serve until a handler of `events` (by file descriptor) raises."""
        poll = select.epoll()
        wire, stack = self._wire.fileno(), self._stack.fileno()
        for descriptor in (wire, stack, *events):
            poll.register(descriptor, select.EPOLLIN)
        while True:
            waiting = self._arp is not None and self._arp.is_waiting
            ready = poll.poll(min(0.1 if waiting else 1.0, self._leisure()))
            self._now = self._clock()
            for descriptor, _ in ready:
                if descriptor == wire:
                    self._read(self._wire, self._wire_view[HEADROOM:], self._frame_from_wire)
                elif descriptor == stack:
                    self._read(self._stack, self._kernel_view, self._frame_from_kernel)
                else:
                    events[descriptor]()
            if waiting or self._now >= self._expiry:
                self._tick()
            self._after_turn()

    def _leisure(self) -> float:
        """Seconds until a role has something to do without being asked."""
        return 1.0

    def _after_turn(self) -> None:
        """All that was waiting on wire and kernel (or a burst of each) has been served."""

    def _tick(self) -> None:
        if self._arp is not None:
            self._arp.tick(self._now)
        if self._now >= self._expiry:
            self._expiry = self._now + _EXPIRY_S
            for network in self.networks:
                network.flows.expire(self._now)
                network.udp.expire(self._now)

    @staticmethod
    def _read(raw: socket.socket, view: memoryview, take: Callable[[int], None]) -> bool:
        """Take up to a burst of frames; True when there may be more."""
        receive = raw.recv_into
        try:
            for _ in range(_BURST):
                take(receive(view))
        except BlockingIOError:
            return False
        except OSError as error:  # ENETDOWN, once: the link went down and may come back
            log(f"reading frames: {error.strerror}")
            return False
        return True

    # Wire to kernel ----------------------------------------------------------------------------------------------

    def _frame_from_wire(self, length: int) -> None:
        buffer = self._from_wire
        self.counters["from_wire"] += 1
        at, end = HEADROOM + ETHERNET, HEADROOM + length
        if length < ETHERNET:
            return
        ethertype = bytes(buffer[at - 2 : at])
        network = self._by_ethertype.get(ethertype)
        if network is None:
            if self._arp is not None and int.from_bytes(ethertype, "big") == ARP_ETHERTYPE:
                self._arp.receive(bytes(buffer[at:end]), self._now)
            return
        if network.unicast_only and buffer[HEADROOM : HEADROOM + 6] != self._wire_mac:
            return
        packet = network.parse_wire(buffer, at, end)
        if packet is None:
            return
        flow = None
        take = self.upper_from_wire.get(packet.protocol)
        if take is not None:
            flow = take(network, packet)
            if flow is None:
                return
        elif packet.protocol == network.icmp_protocol:
            if network.is_header_intact(buffer, at, packet.start):
                self._message(network, packet)
            return
        self._deliver(network, at, packet, flow)

    def _deliver(self, network: Network, at: int, packet: Packet, flow: Flow | None) -> None:
        start = network.enter_kernel(self._from_wire, at, packet, flow)
        self._put(self._stack, self._wire_view[start : packet.end])

    def _segment_from_wire(self, network: Network, packet: Packet) -> Flow | None:
        buffer, at, end = self._from_wire, packet.start, packet.end
        if end - at < 20:
            return None
        port, local_port, sequence, acknowledgement, offset, flags, _, checksum = SEGMENT.unpack_from(buffer, at)
        flow = network.flows.inbound(packet.peer, port, local_port, flags, self._now)
        if flow is None:
            return None
        data = at + (offset >> 2 & 0x3C)
        if data - at >= 20 and data <= end:
            tcp = flow.tcp
            if tcp.is_plain(flags) or is_intact(
                self._wire_view[at:end], network.pseudo_header_sum(packet.peer, TCP, end - at)
            ):
                tcp.from_peer(sequence, acknowledgement, flags, end - data, self._wire_view[at + 20 : data])
        if flow.is_rewritten:
            flow.into_kernel(buffer, at, checksum)
        return flow

    def _message(self, network: Network, packet: Packet) -> None:
        if self.role is None:
            return
        stamp = last_arrival(self._wire)
        late = 0.0 if stamp is None else max(0.0, time.time() - stamp)
        data = bytes(self._wire_view[packet.start : packet.end])
        self.role.receive(network, packet.peer, data, time.monotonic() - late)

    # Kernel to wire ----------------------------------------------------------------------------------------------

    def _frame_from_kernel(self, length: int) -> None:
        buffer = self._from_kernel
        self.counters["from_kernel"] += 1
        network = self._by_kernel_ethertype.get(bytes(buffer[12:14]))
        packet = network.parse_kernel(buffer, ETHERNET, length) if network is not None else None
        if network is None or packet is None:
            return
        flow = None
        destination = packet.peer
        take = self.upper_from_kernel.get(packet.protocol)
        if take is not None:
            flow = take(network, packet)
            if flow is None:
                return
            destination = flow.wire_address
        elif network.name != "ipv4":
            return  # neighbour discovery and its like
        start = network.enter_wire(buffer, ETHERNET, packet, flow)
        self._emit(network, destination, buffer, self._kernel_view, start, packet.end)

    def _segment_from_kernel(self, network: Network, packet: Packet) -> Flow | None:
        buffer, at, end = self._from_kernel, packet.start, packet.end
        if end - at < 20:
            return None
        local_port, port, sequence, acknowledgement, offset, flags, window, checksum = SEGMENT.unpack_from(buffer, at)
        flow = network.flows.outbound(packet.peer, port, local_port, self._now, flags)
        if flow is None:
            log(f"no wire tuple for {network.text(packet.peer)}:{port} from port {local_port}")
            return None
        data = at + (offset >> 2 & 0x3C)
        options = self._kernel_view[at + 20 : data]
        flow.tcp.from_kernel(sequence, acknowledgement, flags, window, end - data, options)
        if flow.is_rewritten:
            flow.onto_wire(buffer, at, checksum)
        return flow

    def _emit(
        self, network: Network, destination: int, buffer: bytearray, view: memoryview, start: int, end: int
    ) -> None:
        """Put a packet that lies in a buffer behind at least an Ethernet header's room on the wire."""
        header = self._fixed.get(network)
        if header is None:
            header = self._neighbour(network, destination, view[start:end])
            if header is None:
                return
        buffer[start - ETHERNET : start] = header
        self._put(self._wire, view[start - ETHERNET : end])

    def _neighbour(self, network: Network, destination: int, packet: memoryview | bytes) -> bytes | None:
        if self._arp is None or not network.is_peer(destination):
            return None
        header = self._arp.header_for(destination, self._now)
        if header is None:
            self._arp.keep(destination, bytes(packet), self._now)
        return header

    def asked(self, question: str, words: str) -> dict[str, str] | None:
        """Answer a question of the agent; None when it is not one for us."""
        return self.move_to(words) if question == "move" else None

    def move_to(self, address: str) -> dict[str, str]:
        """Leave the own address for another; why not, if not."""
        return {"error": "this role does not move"}

    # For roles ---------------------------------------------------------------------------------------------------

    def send(self, network: Network, destination: int, protocol: int, payload: bytes) -> None:
        """Send a packet of our own."""
        packet = network.build(destination, protocol, payload)
        header = self._fixed.get(network) or self._neighbour(network, destination, packet)
        if header is not None:
            self.put_on_wire(header + packet)

    def settle(self, flows: Iterable[Flow]) -> None:
        """Hear everything that the kernel has to say, above all what it has acknowledged on `flows`.

        The kernel acknowledges at once (route metric quickack), but an application in the middle of a call can hold it
        up for an instant; data it will never take, for instance with a wrong checksum, is waited for in vain.
        """
        watched = list(flows)
        deadline = time.monotonic() + _SETTLE_S
        while True:
            while self._read(self._stack, self._kernel_view, self._frame_from_kernel):
                pass
            left = deadline - time.monotonic()
            if left <= 0 or all(flow.tcp.expected == flow.tcp.rcv_nxt for flow in watched):
                break
            select.select([self._stack], [], [], left)
        for flow in watched:
            flow.tcp.expected = flow.tcp.rcv_nxt

    def put_on_wire(self, frame: bytes) -> None:
        """Put a finished frame on the wire."""
        self._put(self._wire, frame)

    def _put(self, raw: socket.socket, frame: memoryview | bytes) -> None:
        try:
            raw.send(frame)
        except OSError as error:
            self.counters["lost"] += 1
            log(f"sending a frame of {len(frame)} bytes: {os.strerror(error.errno or 0)}")
