# SPDX-License-Identifier: GPL-2.0-or-later
"""The datapath of a MOPS end host: UDP has connections, those that move wait, MOBILE_CAPABLE comes into handshakes."""

import json
import struct
import time
from collections.abc import Callable

from reference.addresses import ipff_from_text, ipv4_from_text
from reference.checksum import adjust, words_sum
from reference.choices import Choices
from reference.datapath import Datapath
from reference.flows import Flow
from reference.given_up import reset, unreachable
from reference.log import log
from reference.mobile_capable import MobileCapable
from reference.mobile_context import context_of
from reference.mobile_node import MobileNode
from reference.mops_acknowledgements import ANYCAST_TYPE, NAT_TYPE
from reference.mops_message import FAILED, MIGRATE_TYPE, SUCCESS, message_type
from reference.mops_server import MopsServer
from reference.network import ETHERNET, TCP, UDP, Network, Packet
from reference.tcp import ACK, CHECKSUM_AT, FIN, SEGMENT, SYN, State
from reference.udp import HEADER as DATAGRAM

_DRAIN_BURSTS = 64


class MopsDatapath(Datapath):
    """A MOPS server, a mobile node, or both."""

    node: MobileNode | None = None
    server: MopsServer | None = None
    choices: Choices
    capable: MobileCapable
    clock: Callable[[], float] = staticmethod(time.monotonic)

    def begin(self, choices: Choices, capable: MobileCapable) -> None:
        """Everything that lies between: choices of applications, UDP, the handshake's option."""
        self.choices, self.capable = choices, capable
        self.role = self
        self.upper_from_wire[UDP] = self._datagram_from_wire
        self.upper_from_kernel[UDP] = self._datagram_from_kernel
        for network in self.networks:
            network.flows.choice_for = lambda port: choices.of(TCP, port)
            network.udp.choice_for = lambda port: choices.of(UDP, port)

    # Messages ----------------------------------------------------------------------------------------------------

    def receive(self, network: Network, source: int, data: bytes, arrival: float) -> None:
        """Share ICMPv5 messages out."""
        kind = message_type(data)
        if kind == MIGRATE_TYPE:
            is_reply = len(data) > 5 and data[5] in (SUCCESS, FAILED)
            if is_reply and self.node is not None:
                self.node.reply_received(network, source, data, self.clock())
            elif self.server is not None:
                self.server.receive(network, source, data, arrival)
        elif self.node is not None and kind == NAT_TYPE:
            self.node.nat_received(network, data)
        elif self.node is not None and kind == ANYCAST_TYPE:
            self.node.anycast_received(network, source, data)

    # Questions of the agent --------------------------------------------------------------------------------------

    def asked(self, question: str, words: str) -> dict[str, str] | None:
        if question == "declare":
            try:
                protocol, port = self.choices.declare(json.loads(words))
            except ValueError as wrong:
                return {"error": str(wrong)}
            if protocol == UDP:
                self._free_datagrams(port)
        elif question == "forget":
            name, port_word, use = words.split()
            self.choices.forget(name, int(port_word))
            if name == "udp" and use == "free":
                self._free_datagrams(int(port_word))
        else:
            return super().asked(question, words)
        return {}

    def _free_datagrams(self, port: int) -> None:
        for network in self.networks:
            network.udp.free_port(port)

    def move_to(self, address: str) -> dict[str, str]:
        """Leave the own address of one network for another; why not, if not."""
        if self.node is None:
            return super().move_to(address)
        name, reading = ("ipff", ipff_from_text) if address.count(".") == 4 else ("ipv4", ipv4_from_text)
        network = next((one for one in self.networks if one.name == name), None)
        if network is None:
            return {"error": f"the network {name} is not in use"}
        try:
            error = self._move(self.node, network, reading(address))
        except ValueError as wrong:
            error = str(wrong)
        return {"error": error} if error else {}

    def _move(self, node: MobileNode, network: Network, address: int) -> str:
        if address == network.own:
            return ""
        if not network.is_peer(address):
            return f"{network.text(address)} is no address for a host"
        if any(flow.wire_address == address and flow.is_live for flow in network.flows.by_wire.values()):
            return f"{network.text(address)} is the address of a peer"
        for _ in range(_DRAIN_BURSTS):  # what the kernel has sent goes out from the old address still
            if not self._read(self._stack, self._kernel_view, self._frame_from_kernel):
                break
        log(f"moving from {network.text(network.own)} to {network.text(address)}")
        if network.name == "ipv4" and self._arp is not None:
            node.announce(self._arp, address)
        node.move(network, address, self.clock())
        return ""

    def _leisure(self) -> float:
        deadline = None if self.node is None else self.node.next_deadline()
        return 1.0 if deadline is None else max(0.0, deadline - self.clock())

    def _after_turn(self) -> None:
        deadline = None if self.node is None else self.node.next_deadline()
        if self.node is not None and deadline is not None and deadline <= (now := self.clock()):
            self.node.tick(now)

    # Wire to kernel ----------------------------------------------------------------------------------------------

    def _segment_from_wire(self, network: Network, packet: Packet) -> Flow | None:
        if packet.end - packet.start < 20:
            return None
        offset, flags = self._from_wire[packet.start + 12], self._from_wire[packet.start + 13]
        flow = super()._segment_from_wire(network, packet)
        if flow is None or (flow.mobile is not None and flow.mobile.is_dead):
            return None
        if flags & SYN and self.capable.is_used:
            options = self._wire_view[packet.start + 20 : packet.start + (offset >> 2 & 0x3C)]
            context_of(flow).peer_capable = self.capable.is_among(options)
        return flow

    def _datagram_from_wire(self, network: Network, packet: Packet) -> Flow | None:
        buffer, at = self._from_wire, packet.start
        if packet.end - at < DATAGRAM.size:
            return None
        port, local_port, _, checksum = DATAGRAM.unpack_from(buffer, at)
        flow = network.udp.inbound(packet.peer, port, local_port, ACK, self._now)
        if flow is None or (flow.mobile is not None and flow.mobile.is_dead):
            return None
        if flow.is_rewritten:
            flow.into_kernel(buffer, at, checksum)
        return flow

    # Kernel to wire ----------------------------------------------------------------------------------------------

    def _segment_from_kernel(self, network: Network, packet: Packet) -> Flow | None:
        buffer, at, end = self._from_kernel, packet.start, packet.end
        if end - at < 20:
            return None
        local_port, port, sequence, acknowledgement, offset, flags, window, _ = SEGMENT.unpack_from(buffer, at)
        flow = network.flows.outbound(packet.peer, port, local_port, self._now, flags)
        if flow is None:
            log(f"no wire tuple for {network.text(packet.peer)}:{port} from port {local_port}")
            return None
        if self._is_silent(flow):
            return None
        data = at + (offset >> 2 & 0x3C)
        is_first = flow.tcp.state is State.SYN_SENT and not flags & SYN
        flow.tcp.from_kernel(sequence, acknowledgement, flags, window, end - data, self._kernel_view[at + 20 : data])
        length = end - data + (flags & FIN)
        if flow.mobile is not None and flow.mobile.is_pending:
            flow.mobile.held.segment(sequence, length, bytes(self._kernel_view[ETHERNET:end]))
            return None
        if flags & SYN and not flags & ACK:
            context_of(flow).is_active = True
        flow.tcp.sent(sequence, flags, end - data)
        if self.capable.is_used and (flags & SYN or is_first) and self._carries_option(flow, flags):
            self._send_capable(network, flow, packet, data)
            return None
        if flow.is_rewritten:
            flow.onto_wire(buffer, at, struct.unpack_from("!H", buffer, at + CHECKSUM_AT)[0])
        return flow

    def _carries_option(self, flow: Flow, flags: int) -> bool:
        return self.capable.is_due(self.choices.is_mobile(TCP, flow.choice), context_of(flow).peer_capable, flags)

    @staticmethod
    def _is_silent(flow: Flow) -> bool:
        """Whether what the kernel sends has nowhere to go."""
        return flow.parked_at is not None or (flow.mobile is not None and flow.mobile.is_dead)

    def _datagram_from_kernel(self, network: Network, packet: Packet) -> Flow | None:
        buffer, at = self._from_kernel, packet.start
        if packet.end - at < DATAGRAM.size:
            return None
        local_port, port, _, checksum = DATAGRAM.unpack_from(buffer, at)
        flow = network.udp.outbound(packet.peer, port, local_port, self._now)
        if flow is None or self._is_silent(flow):
            return None
        if flow.mobile is not None and flow.mobile.is_pending:
            flow.mobile.held.datagram(bytes(self._kernel_view[ETHERNET : packet.end]))
            return None
        context_of(flow).is_active = True
        if flow.is_rewritten:
            flow.onto_wire(buffer, at, checksum)
        return flow

    def _send_capable(self, network: Network, flow: Flow, packet: Packet, data: int) -> None:
        """Send a segment of the handshake with MOBILE_CAPABLE behind its options, where there is room for it."""
        at, option = packet.start, self.capable.encode()
        segment = bytearray(self._from_kernel[at : packet.end])
        header = data - at
        outer = bytearray(self._from_kernel[ETHERNET:at])
        if header + len(option) <= 60:
            segment[header:header] = option
            (offset_word,) = struct.unpack_from("!H", segment, 12)
            more = len(option) << 10
            struct.pack_into("!H", segment, 12, offset_word + more)
            (field,) = struct.unpack_from("!H", segment, CHECKSUM_AT)
            delta = (words_sum(option) + more + len(option)) % 0xFFFF
            struct.pack_into("!H", segment, CHECKSUM_AT, adjust(field, delta))
            network.lengthen(outer, 0, len(option))
        self._put_from_kernel(network, flow, bytes(outer + segment))

    # For the node ------------------------------------------------------------------------------------------------

    def transmit(self, network: Network, flow: Flow, packet: bytes) -> None:
        """Send a packet of the kernel that was held."""
        self._put_from_kernel(network, flow, packet)

    def _put_from_kernel(self, network: Network, flow: Flow, data: bytes) -> None:
        buffer = bytearray(ETHERNET) + data
        packet = network.parse_kernel(buffer, ETHERNET, len(buffer))
        if packet is None:
            return
        at = packet.start
        if packet.protocol == TCP:
            _, _, sequence, _, offset, flags, _, checksum = SEGMENT.unpack_from(buffer, at)
            flow.tcp.sent(sequence, flags, packet.end - at - (offset >> 2 & 0x3C))
        else:
            checksum = DATAGRAM.unpack_from(buffer, at)[3]
        flow.onto_wire(buffer, at, checksum)
        start = network.enter_wire(buffer, ETHERNET, packet, flow)
        self._emit(network, flow.wire_address, buffer, memoryview(buffer), start, packet.end)

    def give_up(self, network: Network, protocol: int, flow: Flow) -> None:
        """Have the application see an error: a reset, or that the other side cannot be reached."""
        packets = [reset(network, flow)] if protocol == TCP else unreachable(network, flow)
        for packet in packets:
            self._put(self._stack, network.kernel_ethernet + packet)
