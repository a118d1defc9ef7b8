# SPDX-License-Identifier: GPL-2.0-or-later
"""The way of a frame between the wire and the kernel, in both directions: a bump in the stack, without its sockets.

Frames and the time come in, frames and a deadline come out. Whoever has sockets attaches them (`attach`), reads frames
into `wire_room` and `kernel_room` and says so (`take_from_wire`, `take_from_kernel`); whoever has none gives frames as
bytes (`receive_from_wire`, `receive_from_kernel`) and asks for what came of them (`frames_for_wire`,
`frames_for_kernel`). Time is in seconds of any clock that never goes back.
"""

from collections.abc import Callable, Iterable
from typing import Any

from reference.bump.arp import ETHERTYPE as ARP_ETHERTYPE
from reference.bump.arp import Arp
from reference.bump.checksum import is_intact
from reference.bump.ends import Ends, Frame, KeptFrames
from reference.bump.flows import Flow
from reference.bump.network import ETHERNET, HEADROOM, TCP, Network, Packet
from reference.bump.tcp import SEGMENT
from reference.bump.timers import Timers
from reference.system.log import log

_SETTLE_S = 0.003
_EXPIRY_S = 2.0
_ARP_S = 0.1
_FRAME = 65536 + HEADROOM
_MOST_BURSTS = 64

#: What takes a packet of a transport protocol: its flow when it is to go on, its header rewritten.
Upper = Callable[[Network, Packet], Flow | None]
#: A TCP header: ports, sequence number, acknowledgement, offset, flags, window, checksum.
Fields = tuple[int, int, int, int, int, int, int, int]


class Datapath:
    """Both directions, the timers and the questions of the agent."""

    def __init__(self, mac: bytes, networks: list[Network]) -> None:
        self.networks, self._wire_mac = networks, mac
        self._by_ethertype = {network.ethertype.to_bytes(2, "big"): network for network in networks}
        self._by_kernel_ethertype = {network.kernel_ethertype.to_bytes(2, "big"): network for network in networks}
        self._arp: Arp | None = None
        self._fixed: dict[Network, bytes] = {}
        for network in networks:
            if network.neighbour_mac is None:
                self._arp = Arp(self.put_on_wire, network.own, mac)
            else:
                self._fixed[network] = network.neighbour_mac + mac + network.ethertype.to_bytes(2, "big")
        self._from_wire = bytearray(_FRAME)
        self._from_kernel = bytearray(_FRAME)
        self._wire_view = memoryview(self._from_wire)
        self._kernel_view = memoryview(self._from_kernel)
        #: Where a frame is read before it is taken.
        self.wire_room, self.kernel_room = self._wire_view[HEADROOM:], self._kernel_view
        self.now = 0.0
        self._expiry = _EXPIRY_S
        self.upper_from_wire: dict[int, Upper] = {TCP: self._segment_from_wire}
        self.upper_from_kernel: dict[int, Upper] = {TCP: self._segment_from_kernel}
        self._timers = Timers()
        self.counters = {"from_wire": 0, "from_kernel": 0, "lost": 0}
        self._kept = KeptFrames()
        self.attach(self._kept)

    # The ends ----------------------------------------------------------------------------------------------------

    def attach(self, ends: Ends) -> None:
        """Have frames go to these ends, instead of being kept."""
        self._ends = ends
        self._to_wire, self._to_kernel = ends.to_wire, ends.to_kernel
        self._expiry = self.now + _EXPIRY_S

    def receive_from_wire(self, frame: bytes, now: float) -> None:
        """Take a frame from the wire."""
        self.now = now
        self.wire_room[: len(frame)] = frame
        self.take_from_wire(len(frame))

    def receive_from_kernel(self, frame: bytes, now: float) -> None:
        """Take a frame that the kernel has sent."""
        self.now = now
        self.kernel_room[: len(frame)] = frame
        self.take_from_kernel(len(frame))

    def frames_for_wire(self) -> list[bytes]:
        """What has been put on the wire since the last time, in order."""
        frames, self._kept.for_wire = self._kept.for_wire, []
        return frames

    def frames_for_kernel(self) -> list[bytes]:
        """What the kernel has been given since the last time, in order."""
        frames, self._kept.for_kernel = self._kept.for_kernel, []
        return frames

    # Time --------------------------------------------------------------------------------------------------------

    def deadline(self) -> float:
        """When there is something to do though nothing arrives."""
        due = min(self._expiry, self._timers.due)
        return min(self.now + _ARP_S, due) if self._arp is not None and self._arp.is_waiting else due

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Do something so many seconds from now."""
        self._timers.set(self.now + seconds, action)

    def tick(self, now: float) -> None:
        """All that was waiting at both ends (or a burst of each) has been served: do what is due."""
        self.now = now
        self._timers.run(now)
        if self._arp is not None and (self._arp.is_waiting or now >= self._expiry):
            self._arp.tick(now)
        if now >= self._expiry:
            self._expiry = now + _EXPIRY_S
            for network in self.networks:
                network.flows.expire(now)
                network.udp.expire(now)

    # Wire to kernel ----------------------------------------------------------------------------------------------

    def take_from_wire(self, length: int) -> None:
        """Serve the frame that lies in `wire_room`."""
        buffer = self._from_wire
        self.counters["from_wire"] += 1
        at, end = HEADROOM + ETHERNET, HEADROOM + length
        if length < ETHERNET:
            return
        ethertype = bytes(buffer[at - 2 : at])
        network = self._by_ethertype.get(ethertype)
        if network is None:
            if self._arp is not None and int.from_bytes(ethertype, "big") == ARP_ETHERTYPE:
                self._arp.receive(bytes(buffer[at:end]), self.now)
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
                self.message_received(network, packet.peer, bytes(self._wire_view[packet.start : packet.end]))
            return
        self._deliver(network, at, packet, flow)

    def message_received(self, network: Network, source: int, data: bytes) -> None:
        """Take an ICMPv5 message; a role that knows none ignores it."""

    def arrival(self) -> float:
        """When the frame that is being served arrived."""
        arrival = self._ends.arrival()
        return self.now if arrival is None else arrival

    def _deliver(self, network: Network, at: int, packet: Packet, flow: Flow | None) -> None:
        start = network.enter_kernel(self._from_wire, at, packet, flow)
        self._to_kernel(self._wire_view[start : packet.end])

    def _segment_from_wire(self, network: Network, packet: Packet) -> Flow | None:
        buffer, at, end = self._from_wire, packet.start, packet.end
        if end - at < 20:
            return None
        port, local_port, sequence, acknowledgement, offset, flags, _, checksum = SEGMENT.unpack_from(buffer, at)
        flow = network.flows.inbound(packet.peer, port, local_port, flags, self.now)
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

    # Kernel to wire ----------------------------------------------------------------------------------------------

    def take_from_kernel(self, length: int) -> None:
        """Serve the frame that lies in `kernel_room`."""
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
        """Find the flow of a segment and have a role decide about it."""
        at = packet.start
        if packet.end - at < 20:
            return None
        fields: Fields = SEGMENT.unpack_from(self._from_kernel, at)
        flow = network.flows.outbound(packet.peer, fields[1], fields[0], self.now, fields[5])
        if flow is None:
            log(f"no wire tuple for {network.text(packet.peer)}:{fields[1]} from port {fields[0]}")
            return None
        return self.segment_from_kernel(network, packet, flow, fields, at + (fields[4] >> 2 & 0x3C))

    def segment_from_kernel(
        self, network: Network, packet: Packet, flow: Flow, fields: Fields, data: int
    ) -> Flow | None:
        """A segment of the kernel, its data at `data`: its flow when it is to go on, its header rewritten."""
        _, _, sequence, acknowledgement, _, flags, window, checksum = fields
        options = self._kernel_view[packet.start + 20 : data]
        flow.tcp.from_kernel(sequence, acknowledgement, flags, window, packet.end - data, options)
        if flow.is_rewritten:
            flow.onto_wire(self._from_kernel, packet.start, checksum)
        return flow

    def _emit(
        self, network: Network, destination: int, buffer: bytearray, view: memoryview, start: int, end: int
    ) -> None:
        """Put a packet on the wire that lies in a buffer, with room before it for an Ethernet header at least."""
        header = self._fixed.get(network)
        if header is None:
            header = self._neighbour(network, destination, view[start:end])
            if header is None:
                return
        buffer[start - ETHERNET : start] = header
        self._to_wire(view[start - ETHERNET : end])

    def _neighbour(self, network: Network, destination: int, packet: Frame) -> bytes | None:
        if self._arp is None or not network.is_peer(destination):
            return None
        header = self._arp.header_for(destination, self.now)
        if header is None:
            self._arp.keep(destination, bytes(packet), self.now)
        return header

    def asked(self, question: str, words: str) -> dict[str, Any]:
        """Answer a question of the agent."""
        if question == "move":
            error = self.move_to(words)
            return {"error": error} if error else {}
        if question == "declare":
            return {"error": f"sockets of this role have no choices: {words}"}
        return {}

    def move_to(self, address: str) -> str:
        """Leave the own address for another; why not, if not."""
        return "this role does not move"

    def why_not_there(self, network: Network, address: int) -> str:
        """Why a host cannot have an address: a peer has it, or no host can."""
        if not network.is_peer(address):
            return f"{network.text(address)} is no address for a host"
        if any(flow.wire_address == address and flow.is_live for flow in network.flows.by_wire.values()):
            return f"{network.text(address)} is the address of a peer"
        return ""

    def status(self) -> dict[str, Any]:
        """Counters and sizes for people."""
        return {"connections": {network.name: len(network.flows) for network in self.networks}, **self.counters}

    def send(self, network: Network, destination: int, protocol: int, payload: bytes) -> None:
        """Send a packet of our own."""
        packet = network.build(destination, protocol, payload)
        header = self._fixed.get(network) or self._neighbour(network, destination, packet)
        if header is not None:
            self.put_on_wire(header + packet)

    def settle(self, flows: Iterable[Flow]) -> None:
        """Drain pending kernel output, above all what it has acknowledged on `flows`.

        The kernel acknowledges at once (route metric quickack), but a call of an application can hold it up for an
        instant; data that it never takes, such as with a wrong checksum, is waited for in vain.
        """
        watched = list(flows)
        self._ends.drain_kernel(lambda: all(flow.tcp.expected == flow.tcp.rcv_nxt for flow in watched), _SETTLE_S)
        for flow in watched:
            flow.tcp.expected = flow.tcp.rcv_nxt

    def send_what_the_kernel_has_sent(self) -> None:
        """Take it all: it goes out as things are now."""
        self._ends.read_kernel(_MOST_BURSTS)

    def put_on_wire(self, frame: bytes) -> None:
        """Put a finished frame on the wire."""
        self._to_wire(frame)

    def put_to_kernel(self, network: Network, packet: bytes) -> None:
        """Give the kernel a finished packet."""
        self._to_kernel(network.kernel_ethernet + packet)
