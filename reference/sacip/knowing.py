# SPDX-License-Identifier: GPL-2.0-or-later
"""Hosts that know a little more than they need, or do the same in another order: what alterations are made of."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from reference.bump.checksum import adjust
from reference.bump.datapath import Fields
from reference.bump.flows import Flow
from reference.bump.network import ETHERNET, HEADROOM, Network, Packet
from reference.bump.segment import Segment
from reference.bump.tcp import CHECKSUM_AT, FIN, RST, State, distance
from reference.sacip.datapath import SacipDatapath
from reference.sacip.flows import ends, pair
from reference.sacip.local_side import LocalSide

UNREACHABLE = 3


class Changed:
    """What is kept of a connection since an end of it has changed: where it was, how far it had sent, and when."""

    def __init__(self, before: int, edge: int, since: float) -> None:
        self.before, self.edge, self.since = before, edge, since
        self.segments = 0
        self.octets = 0


class Noting(SacipDatapath):
    """Knows which connections were changed, and may go on with them where they were."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.edges: dict[Flow, int] = {}

    @contextmanager
    def noting(self) -> Iterator[None]:
        """Whatever changes inside is known."""
        before = {flow: flow.wire_address for flow in self._ipv4.flows.of()}
        yield
        for flow, address in before.items():
            if flow.wire_address != address:
                flow.contexts[Changed] = Changed(address, self.edges.get(flow, 0), self.now)
                self.changed(flow)

    def changed(self, flow: Flow) -> None:
        """A connection has another address at one end."""

    def segment_from_kernel(
        self, network: Network, packet: Packet, flow: Flow, fields: Fields, data: int
    ) -> Flow | None:
        end = (fields[2] + packet.end - data + (fields[5] & FIN)) & 0xFFFFFFFF
        known: Changed | None = flow.contexts.get(Changed)
        if known is not None and self.goes_wrong(known, fields, packet.end - data):
            flow = copy.copy(flow)
            flow.set_wire(known.before, flow.wire_port)
        elif distance(self.edges.setdefault(flow, end), end) > 0:
            self.edges[flow] = end
        return super().segment_from_kernel(network, packet, flow, fields, data)

    def goes_wrong(self, known: Changed, fields: Fields, length: int) -> bool:
        """Whether a segment is still one of the tuple before."""
        return False

    def known(self, packet: Packet) -> Flow | None:
        """The connection of a segment from the wire, if there is one."""
        return self._ipv4.flows.by_wire.get((packet.peer, *self.ports(packet)))

    def ports(self, packet: Packet) -> tuple[int, int]:
        """The peer's port of a segment from the wire, and the own one."""
        both = self._from_wire[packet.start : packet.start + 4]
        return int.from_bytes(both[:2], "big"), int.from_bytes(both[2:], "big")

    def changed_with(self, ports: tuple[int, int]) -> list[Flow]:
        """The connections with these ports that have changed."""
        flows = self._ipv4.flows.of()
        return [flow for flow in flows if (flow.wire_port, flow.own_port) == ports and Changed in flow.contexts]

    def take_for(self, flow: Flow, network: Network, packet: Packet) -> None:
        """Take a segment from elsewhere for one of a connection: as if it came from where its peer is."""
        start, (_, source), (_, peer) = HEADROOM + ETHERNET, ends(packet.peer), ends(flow.wire_address)
        self._from_wire[start + 12 : start + 16] = peer.to_bytes(4, "big")
        for place in (start + 10, packet.start + CHECKSUM_AT):
            field = int.from_bytes(self._from_wire[place : place + 2], "big")
            self._from_wire[place : place + 2] = adjust(field, (peer - source) % 0xFFFF).to_bytes(2, "big")
        there = packet._replace(peer=flow.wire_address)
        found = super()._segment_from_wire(network, there)
        if found is not None:
            self._deliver(network, start, there, found)


class Watching(Noting):
    """Knows which connections a notification has changed."""

    def _icmp_from_wire(self, network: Any, packet: Any) -> None:
        with self.noting():
            super()._icmp_from_wire(network, packet)


class Straggling(Noting):
    """Knows which connections the deletion of an own address has changed."""

    role = "mobile node"

    def delete_address(self, text: str) -> str:
        with self.noting():
            return super().delete_address(text)


class Telling(LocalSide):
    """Tells those of the connections that are to be told, and changes all of them."""

    def change(self, old: int, new: int) -> None:
        flows = [flow for flow in self.affected(old) if not self.is_in_use(flow, new)]
        for flow in self.told(flows):
            self.notify(flow, old, new)
        for flow in flows:
            self.update(flow, new)

    def told(self, flows: list[Flow]) -> list[Flow]:
        """Those of the connections whose peers are told."""
        return flows


class Erring(Watching):
    """Takes ICMP errors for what they quote."""

    def _icmp_from_wire(self, network: Any, packet: Any) -> None:
        message = bytes(self._wire_view[packet.start : packet.end])
        if message[0] == UNREACHABLE and len(message) >= 36:
            quoted = message[8:]
            own, peer = int.from_bytes(quoted[12:16], "big"), int.from_bytes(quoted[16:20], "big")
            own_port, port = int.from_bytes(quoted[20:22], "big"), int.from_bytes(quoted[22:24], "big")
            self.error(message[1], pair(own, peer), port, own_port)
        super()._icmp_from_wire(network, packet)

    def error(self, code: int, addresses: int, port: int, own_port: int) -> None:
        """An error about a tuple."""


def reset_for_kernel(datapath: SacipDatapath, flow: Flow) -> None:
    """Have the kernel believe that the peer has reset a connection."""
    network = datapath.networks[0]
    numbers = flow.kernel_port, flow.local_port, flow.tcp.rcv_nxt, 0, RST
    packet = Segment(ends(flow.kernel_address)[1], network.kernel_own, *numbers).packet()
    datapath.put_to_kernel(network, packet)
    flow.tcp.state = State.CLOSED
