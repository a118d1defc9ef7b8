# SPDX-License-Identifier: GPL-2.0-or-later
"""The datapath of a SACIP host: several addresses on the wire, one in the kernel, a router for other subnets."""

from typing import Any

from reference.bump.datapath import Datapath, Fields
from reference.bump.flows import Flow
from reference.bump.ipv4 import ECHO_REQUEST, ICMP
from reference.bump.network import ETHERNET, HEADROOM, UDP, Network, Packet
from reference.bump.udp import HEADER as DATAGRAM
from reference.sacip.addresses import Addresses, Assigned
from reference.sacip.flows import ends
from reference.sacip.local_side import LocalSide
from reference.sacip.network import SacipNetwork
from reference.sacip.remote_side import RemoteSide
from reference.sacip.settings import Settings
from reference.system.addresses import ipv4_from_text


class SacipDatapath(Datapath):
    """A host that speaks SACIP over IPv4."""

    role = "server"
    remote_side: RemoteSide
    local_side: LocalSide

    def __init__(self, mac: bytes, network: SacipNetwork, settings: Settings) -> None:
        super().__init__(mac, [network])
        self._ipv4, self._settings = network, settings
        self.upper_from_wire |= {ICMP: self._icmp_from_wire, UDP: self._datagram_from_wire}
        self.upper_from_kernel[UDP] = self._datagram_from_kernel

    @property
    def addresses(self) -> Addresses:
        """The host's own."""
        return self._ipv4.addresses

    def status(self) -> dict[str, Any]:
        return {**super().status(), **self.remote_side.counters, **self.local_side.counters}

    # Addresses ---------------------------------------------------------------------------------------------------

    def asked(self, question: str, words: str) -> dict[str, Any]:
        verbs = {"add_address": self.add_address, "delete_address": self.delete_address}
        if question not in verbs:
            return super().asked(question, words)
        try:
            error = verbs[question](*words.split())
        except ValueError as wrong:
            error = str(wrong)
        return {"error": error} if error else {}

    def add_address(self, text: str, prefix_length: str = "") -> str:
        """Have one more address, of the first subnet unless a prefix says otherwise; why not, if not."""
        length = int(prefix_length) if prefix_length else self.addresses.assigned[0].prefix_length
        assigned = Assigned(ipv4_from_text(text), length)
        if assigned in self.addresses.assigned:
            self.local_side.renewed(assigned.address)
            return ""
        if assigned.address in self.addresses:
            return f"{text} is an address of this host already, of another subnet"
        if not 1 <= length <= 30 or not assigned.is_for_a_host():
            return f"{text}/{length} is no address for a host"
        if any(flow.is_live for flow in self._ipv4.flows.of(peer=assigned.address)):
            return f"{text} is the address of a peer"
        self.addresses.add(assigned)
        self.local_side.added(assigned.address)
        self._told_of_addresses()
        return ""

    def delete_address(self, text: str) -> str:
        """Have one address less; why not, if not."""
        address = ipv4_from_text(text)
        if address not in self.addresses or len(self.addresses.assigned) == 1:
            return f"{text} is not one of several addresses of this host"
        self.local_side.deleted(address, self.addresses.promoted(address))
        self.addresses.remove(address)
        self._told_of_addresses()
        return ""

    def move_to(self, address: str) -> str:
        """Have this address, and no other any more."""
        try:
            wrong = "" if ipv4_from_text(address) in self.addresses else self.add_address(address)
        except ValueError as error:
            return str(error)
        others = [one.address for one in self.addresses.assigned if one.address != ipv4_from_text(address)]
        for other in [] if wrong else others:
            self.delete_address(self._ipv4.text(other))
        return wrong

    def _told_of_addresses(self) -> None:
        self._ipv4.own = self.addresses.primary
        if self._arp is not None:
            self._arp.use(self.addresses.primary)
            self._arp.also_answers_for = {one.address for one in self.addresses.assigned}

    # Wire to kernel ----------------------------------------------------------------------------------------------

    def _icmp_from_wire(self, network: Network, packet: Packet) -> None:
        """An echo request is for the kernel; of all others only a notification counts."""
        own, peer = ends(packet.peer)
        message = bytes(self._wire_view[packet.start : packet.end])
        if message[0] == ECHO_REQUEST:
            self._deliver(network, HEADROOM + ETHERNET, packet, None)
        elif network.is_header_intact(self._from_wire, HEADROOM + ETHERNET, packet.start):
            self.remote_side.receive(peer, message, own)

    def _datagram_from_wire(self, network: Network, packet: Packet) -> Flow | None:
        if packet.end - packet.start < DATAGRAM.size:
            return None
        port, local_port, _, checksum = DATAGRAM.unpack_from(self._from_wire, packet.start)
        flow = network.udp.inbound(packet.peer, port, local_port, 0, self.now)
        if flow is not None and flow.is_rewritten:
            flow.into_kernel(self._from_wire, packet.start, checksum)
        return flow

    # Kernel to wire ----------------------------------------------------------------------------------------------

    def segment_from_kernel(
        self, network: Network, packet: Packet, flow: Flow, fields: Fields, data: int
    ) -> Flow | None:
        found = super().segment_from_kernel(network, packet, flow, fields, data)
        return found if flow.parked_at is None else None

    def _datagram_from_kernel(self, network: Network, packet: Packet) -> Flow | None:
        if packet.end - packet.start < DATAGRAM.size:
            return None
        local_port, port, _, checksum = DATAGRAM.unpack_from(self._from_kernel, packet.start)
        flow = network.udp.outbound(packet.peer, port, local_port, self.now)
        if flow is not None and flow.is_rewritten:
            flow.onto_wire(self._from_kernel, packet.start, checksum)
        return flow

    def _neighbour(self, network: Network, destination: int, packet: Any) -> bytes | None:
        """The Ethernet header towards a peer: its own, or the router's where it is on no subnet of the host's."""
        peer = ends(destination)[1]
        hop = peer if self.addresses.is_on_link(peer) else self._settings.router
        if self._arp is None or hop is None:
            return None
        header = self._arp.header_for(hop, self.now)
        if header is None:
            self._arp.use(self.addresses.towards(hop))
            self._arp.keep(hop, bytes(packet), self.now)
        return header

    # Messages of our own -----------------------------------------------------------------------------------------

    def send_message(self, source: int, peer: int, message: bytes) -> None:
        """Send a message of ICMP from an address of the host, the one that goes included."""
        packet = self._ipv4.packet(source, peer, ICMP, message)
        header = self._neighbour(self._ipv4, peer, packet)
        if header is not None:
            self.put_on_wire(header + packet)
