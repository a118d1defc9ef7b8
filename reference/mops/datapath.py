# SPDX-License-Identifier: GPL-2.0-or-later
"""The datapath of a MOPS end host: UDP has connections, those that move wait, MOBILE_CAPABLE comes into handshakes."""

import json
import struct
from typing import Any

from reference.bump.checksum import adjust, words_sum
from reference.bump.datapath import Datapath, Fields
from reference.bump.flows import Flow
from reference.bump.given_up import reset, unreachable
from reference.bump.network import ETHERNET, TCP, UDP, Network, Packet
from reference.bump.tcp import ACK, CHECKSUM_AT, FIN, NO_OPERATION, SEGMENT, SYN, State
from reference.bump.udp import HEADER as DATAGRAM
from reference.mops.acknowledgements import ANYCAST_TYPE, NAT_TYPE
from reference.mops.capable import MobileCapable
from reference.mops.choices import NO_CHOICE, Choices
from reference.mops.context import MobileContext, choice_of, context_of, last_move, set_choice
from reference.mops.message import FAILED, MIGRATE_TYPE, SUCCESS, message_type
from reference.mops.mobile_node import MobileNode
from reference.mops.server import Server
from reference.system.addresses import ipff_from_text, ipv4_from_text
from reference.system.log import log


class MopsDatapath(Datapath):
    """A MOPS server, a mobile node, or both."""

    role = "server"
    node: MobileNode | None = None
    server: Server | None = None

    def __init__(self, mac: bytes, networks: list[Network], choices: Choices, capable: MobileCapable) -> None:
        super().__init__(mac, networks)
        self.choices, self.capable = choices, capable
        self.upper_from_wire[UDP] = self._datagram_from_wire
        self.upper_from_kernel[UDP] = self._datagram_from_kernel
        for network in self.networks:
            network.flows.began = network.udp.began = self._began

    def _began(self, flow: Flow) -> None:
        """A new connection has the choice of the application whose port it is."""
        choice = self.choices.of(flow.protocol, flow.local_port)
        if choice is not NO_CHOICE:
            set_choice(flow, choice)

    # Messages ----------------------------------------------------------------------------------------------------

    def message_received(self, network: Network, source: int, data: bytes) -> None:
        """Share ICMPv5 messages out."""
        kind = message_type(data)
        if kind == MIGRATE_TYPE:
            is_reply = len(data) > 5 and data[5] in (SUCCESS, FAILED)
            if is_reply and self.node is not None:
                self.node.reply_received(network, source, data, self.now)
            elif self.server is not None:
                self.server.receive(network, source, data, self.arrival())
        elif self.node is not None and kind == NAT_TYPE:
            self.node.nat_received(network, source, data)
        elif self.node is not None and kind == ANYCAST_TYPE:
            self.node.anycast_received(network, source, data)

    # Questions of the agent --------------------------------------------------------------------------------------

    def asked(self, question: str, words: str) -> dict[str, Any]:
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

    def move_to(self, address: str) -> str:
        """Leave the own address of one network for another; why not, if not."""
        if self.node is None:
            return super().move_to(address)
        name, reading = ("ipff", ipff_from_text) if address.count(".") == 4 else ("ipv4", ipv4_from_text)
        network = next((one for one in self.networks if one.name == name), None)
        if network is None:
            return f"the network {name} is not in use"
        try:
            return self._move(self.node, network, reading(address))
        except ValueError as wrong:
            return str(wrong)

    def _move(self, node: MobileNode, network: Network, address: int) -> str:
        if address == network.own:
            return ""
        wrong = self.why_not_there(network, address)
        if wrong:
            return wrong
        self.send_what_the_kernel_has_sent()
        log(f"moving from {network.text(network.own)} to {network.text(address)}")
        if network.name == "ipv4" and self._arp is not None:
            node.announce(self._arp, address)
        node.move(network, address, self.now)
        return ""

    def status(self) -> dict[str, Any]:
        node = {} if self.node is None else self.node.counters
        server = {} if self.server is None else self.server.counters
        migrated = {
            network.name: sum(last_move(flow) is not None for flow in network.flows.by_kernel.values())
            for network in self.networks
        }
        return {**super().status(), "migrated": migrated, **server, **node}

    # Time --------------------------------------------------------------------------------------------------------

    def deadline(self) -> float:
        deadline = None if self.node is None else self.node.next_deadline()
        return super().deadline() if deadline is None else min(deadline, super().deadline())

    def tick(self, now: float) -> None:
        super().tick(now)
        deadline = None if self.node is None else self.node.next_deadline()
        if self.node is not None and deadline is not None and deadline <= now:
            self.node.tick(now)

    # Wire to kernel ----------------------------------------------------------------------------------------------

    def _segment_from_wire(self, network: Network, packet: Packet) -> Flow | None:
        if packet.end - packet.start < 20:
            return None
        offset, flags = self._from_wire[packet.start + 12], self._from_wire[packet.start + 13]
        flow = super()._segment_from_wire(network, packet)
        if flow is None or (flow.contexts and _is_dead(flow)):
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
        flow = network.udp.inbound(packet.peer, port, local_port, ACK, self.now)
        if flow is None or _is_dead(flow):
            return None
        if flow.is_rewritten:
            flow.into_kernel(buffer, at, checksum)
        return flow

    # Kernel to wire ----------------------------------------------------------------------------------------------

    def segment_from_kernel(
        self, network: Network, packet: Packet, flow: Flow, fields: Fields, data: int
    ) -> Flow | None:
        at, end = packet.start, packet.end
        _, _, sequence, acknowledgement, _, flags, window, checksum = fields
        context: MobileContext | None = flow.contexts.get(MobileContext)
        if flow.parked_at is not None or (context is not None and context.is_dead):
            return None
        is_first = flow.tcp.state is State.SYN_SENT and not flags & SYN
        flow.tcp.from_kernel(sequence, acknowledgement, flags, window, end - data, self._kernel_view[at + 20 : data])
        if context is not None and context.is_pending:
            length = end - data + (flags & FIN)
            context.held.segment(sequence, length, bytes(self._kernel_view[ETHERNET:end]))
            return None
        if flags & SYN and not flags & ACK:
            context_of(flow).is_active = True
        flow.tcp.sent(sequence, flags, end - data)
        if self.capable.is_used and (flags & SYN or is_first) and self._carries_option(flow, flags):
            self._send_capable(network, flow, packet, data)
            return None
        if flow.is_rewritten:
            flow.onto_wire(self._from_kernel, at, checksum)
        return flow

    def _carries_option(self, flow: Flow, flags: int) -> bool:
        is_mobile = self.choices.is_mobile(TCP, choice_of(flow))
        return self.capable.is_due(is_mobile, context_of(flow).peer_capable, flags)

    def _datagram_from_kernel(self, network: Network, packet: Packet) -> Flow | None:
        buffer, at = self._from_kernel, packet.start
        if packet.end - at < DATAGRAM.size:
            return None
        local_port, port, _, checksum = DATAGRAM.unpack_from(buffer, at)
        flow = network.udp.outbound(packet.peer, port, local_port, self.now)
        if flow is None or flow.parked_at is not None or _is_dead(flow):
            return None
        context = context_of(flow)
        if context.is_pending:
            context.held.datagram(bytes(self._kernel_view[ETHERNET : packet.end]))
            return None
        context.is_active = True
        if flow.is_rewritten:
            flow.onto_wire(buffer, at, checksum)
        return flow

    def _send_capable(self, network: Network, flow: Flow, packet: Packet, data: int) -> None:
        """Send a segment of the handshake with MOBILE_CAPABLE after its options, where there is room for it."""
        at, option = packet.start, self.capable.encode()
        option += bytes([NO_OPERATION]) * (-len(option) % 4)
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
        self.transmit(network, flow, bytes(outer + segment))

    # For the node ------------------------------------------------------------------------------------------------

    def transmit(self, network: Network, flow: Flow, packet: bytes) -> None:
        """Send a packet of the kernel that was held."""
        buffer = bytearray(ETHERNET) + packet
        found = network.parse_kernel(buffer, ETHERNET, len(buffer))
        if found is None:
            return
        at = found.start
        if found.protocol == TCP:
            _, _, sequence, _, offset, flags, _, checksum = SEGMENT.unpack_from(buffer, at)
            flow.tcp.sent(sequence, flags, found.end - at - (offset >> 2 & 0x3C))
        else:
            checksum = DATAGRAM.unpack_from(buffer, at)[3]
        flow.onto_wire(buffer, at, checksum)
        start = network.enter_wire(buffer, ETHERNET, found, flow)
        self._emit(network, flow.wire_address, buffer, memoryview(buffer), start, found.end)

    def give_up(self, network: Network, protocol: int, flow: Flow) -> None:
        """Have the application see an error: a reset, or that the other side cannot be reached."""
        for packet in [reset(network, flow)] if protocol == TCP else unreachable(network, flow):
            self.put_to_kernel(network, packet)


def _is_dead(flow: Flow) -> bool:
    """Whether a mobile node has given the connection up."""
    context: MobileContext | None = flow.contexts.get(MobileContext)
    return context is not None and context.is_dead
